"""Runs networks: makes them ready for OpenVINO or torch, in batches that fit, on a GPU or the CPU."""
