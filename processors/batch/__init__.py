"""What a run is asked to do and what came of it: inputs, inspection, journal, supervisor, summary and index page."""
