"""Robustness: damaged and unusual files, interruptions, long runs, and a walk through all commands."""
