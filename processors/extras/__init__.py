"""Takes an analysis, a timeline and clips and makes the optional outputs: preview, reels, exports."""
