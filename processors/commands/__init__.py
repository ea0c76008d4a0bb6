"""The commands of `main.py`, one module each, and their shared parts: arguments, terminal, debug bundle."""
