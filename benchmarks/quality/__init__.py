"""How good the results are: shots, tracks, people, camera paths, and audio in sync with video."""
