"""What a run survives: damaged files, interruptions, hundreds of videos in one run, every command in turn."""
