"""The parts of a batch: inputs, inspection, executor, journal and supervisor, summary and index page."""
