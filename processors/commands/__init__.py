"""Takes command-line arguments and does the command: edit people, render again, clean up, write a debug bundle."""
