"""Takes tracklets and gives people: which tracklets show the same person, and in which segments to show them."""
