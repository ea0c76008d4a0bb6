"""Who speaks: from mouths and audio to the log-odds per face and frame, and to each person's turns."""
