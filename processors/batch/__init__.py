"""Takes the inputs of a run and gives the work that each needs, the summary of the run and the index page."""
