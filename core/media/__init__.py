"""Reads and writes video and audio: probing, decoding, filtering, encoding. Knows nothing of faces."""
