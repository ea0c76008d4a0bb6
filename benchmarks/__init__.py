"""Measures the program; `python -m benchmarks` lists all. The program never imports it; tests may."""
