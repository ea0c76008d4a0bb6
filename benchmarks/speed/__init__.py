"""How much time and memory a run takes, compared with other programs and by video length, faces and people."""
