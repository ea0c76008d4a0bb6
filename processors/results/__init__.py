"""The files of an output folder: how each is written and read back, who may write them, what later runs can reuse."""
