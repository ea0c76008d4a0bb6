"""Takes tracks and the frames that they lie in; gives measured, sampled and embedded tracklets of one shot each."""
