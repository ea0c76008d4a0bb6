"""Takes frames and a face detector and gives tracks: one face each, with a box for every frame that shows it."""
