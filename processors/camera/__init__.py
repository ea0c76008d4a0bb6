"""Takes the faces of a segment and gives the window that the virtual camera shows in every frame of the clip."""
