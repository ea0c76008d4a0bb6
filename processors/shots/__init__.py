"""Takes decoded frames in order; gives shots: where each begins and ends, and how it begins."""
