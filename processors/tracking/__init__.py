"""Takes frames and a face detector; gives tracks: one face each, with a box in every frame that shows it."""
