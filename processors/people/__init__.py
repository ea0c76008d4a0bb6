"""Takes tracklets and gives people: which tracklets show the same person, their names, and the segments to show."""
