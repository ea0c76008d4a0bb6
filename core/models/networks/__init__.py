"""What each network is: its facts, its weights in files of any format, and its layers as torch modules."""
