"""Face detectors, embedders and what else asks networks: images in, faces and similarities out. Knows no videos."""
