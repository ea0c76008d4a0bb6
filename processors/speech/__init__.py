"""Who speaks: from mouths and sound to a log-odds per face and frame, and to each person's turns."""
