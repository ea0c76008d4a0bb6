"""The pipeline, from a folder of videos to one folder per person: modules are entry points, packages hold the rest."""
