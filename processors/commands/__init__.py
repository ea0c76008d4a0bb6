"""The commands of `main.py`, one module each, and what they share: arguments, terminal, debug bundle."""
