"""Models, codecs and the vocabulary of the pipeline; knows nothing of stages or files written."""
