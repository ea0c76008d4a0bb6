"""People who are known by name or from other videos: photos, the gallery, and who is who between them."""
