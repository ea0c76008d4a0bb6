"""Takes the motion of one face and gives the crop window of every frame of a clip: framing, then camera motion."""
