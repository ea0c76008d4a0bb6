"""Takes tracks and the frames they lie in and gives tracklets: measured, sampled and embedded faces of one shot."""
