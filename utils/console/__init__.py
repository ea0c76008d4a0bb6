"""What the user reads on a terminal: progress, log lines, numbers and names as text."""
