"""The folders that the program uses where the user names none: they lie in its own, wherever it is started."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
"""where main.py lies"""
INPUT_DIR = PROJECT / "videos" / "input"
OUTPUT_DIR = PROJECT / "videos" / "output"
