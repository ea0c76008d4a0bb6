"""Works on the videos of a run: here, or in worker processes, which get jobs, report events and ask for names."""
