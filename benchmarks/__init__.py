"""What measures the program. Never imported by it; `tests` may import from here."""
