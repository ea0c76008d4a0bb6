"""The networks and their weights: images in; faces, embeddings and similarities out. Knows nothing of video files."""
