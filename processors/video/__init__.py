"""The steps of one video, each of which takes what the one before it gave: analysis, draft, clips, its folder."""
