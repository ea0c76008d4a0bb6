"""Images and boxes: cropping, shrinking, aligning, drawing, tones; pure functions on arrays."""
