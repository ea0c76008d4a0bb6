"""The default input and output folders: they lie in the program's own folder, whatever the working directory is."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
"""where main.py lies"""
INPUT_DIR = PROJECT / "videos" / "input"
OUTPUT_DIR = PROJECT / "videos" / "output"
