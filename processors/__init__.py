"""The stages of the pipeline, from a folder of videos to one folder per person."""
