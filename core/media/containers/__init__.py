"""Reads the bytes of container formats (MP4, MPEG-TS, ASF, ...) for what libav does not tell of a file."""
