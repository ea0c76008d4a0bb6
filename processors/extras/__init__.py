"""Takes an analysis, a timeline and clips and gives the optional outputs: preview, reels, exports."""
