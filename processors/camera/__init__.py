"""From the motion of one face to the crop window of every frame of a clip: framing, then camera motion."""
