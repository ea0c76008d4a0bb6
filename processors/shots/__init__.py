"""Takes the decoded frames in order and gives the shots of the video: where each begins and ends."""
