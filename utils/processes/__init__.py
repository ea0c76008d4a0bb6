"""Threads, child processes and the memory that they take."""
