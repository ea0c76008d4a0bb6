"""Divides tracklets of an analysis where somebody said that the tracker went over to another face. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.types import FaceAnalysis, Tracklet, TrackletDivision


def divided_analysis(analysis: FaceAnalysis, divisions: Sequence[TrackletDivision]) -> FaceAnalysis:
    """`analysis` with `divisions` made in order; a piece comes right after the tracklet that it was part of.

    Raises:
        ValueError: there is no such tracklet, its number is taken, or a piece would have no frame.
    """
    tracklets = list(analysis.tracklets)
    for division in divisions:
        ids = [tracklet.id for tracklet in tracklets]
        if division.tracklet not in ids or division.piece in ids:
            raise ValueError(f"{division}: there is no such tracklet, or there is such a piece already")
        at = ids.index(division.tracklet)
        tracklets[at : at + 1] = divided_tracklet(tracklets[at], division.frame, division.piece)
    return replace(analysis, tracklets=tuple(tracklets)) if divisions else analysis


def divided_tracklet(tracklet: Tracklet, frame: int, piece: int) -> tuple[Tracklet, Tracklet]:
    """The rows before `frame`, and those from it on as the tracklet `piece`.

    Both keep their own samples. Neither has a portrait: it is not known which of the two faces it shows.

    Raises:
        ValueError: one of the two would have no frame.
    """
    row = int(np.searchsorted(tracklet.frames, frame))
    if not 0 < row < len(tracklet.frames):
        raise ValueError(f"tracklet {tracklet.id} cannot be divided at frame {frame}")
    later = tracklet.sample_frames >= frame
    earlier = _part(tracklet, slice(None, row), np.flatnonzero(~later))
    return earlier, replace(_part(tracklet, slice(row, None), np.flatnonzero(later)), id=piece)


def nearest_division(tracklet: Tracklet, frame: int) -> int | None:
    """The frame nearest to `frame` at which the tracklet can be divided; None where it has a single frame."""
    if len(tracklet.frames) < 2:
        return None
    row = int(np.searchsorted(tracklet.frames, frame))
    return int(tracklet.frames[min(max(row, 1), len(tracklet.frames) - 1)])


def _part(tracklet: Tracklet, rows: slice, samples: np.ndarray) -> Tracklet:
    frames = tracklet.frames[rows]
    looks = (tracklet.look_frames >= frames[0]) & (tracklet.look_frames <= frames[-1])
    return replace(tracklet.part(rows, samples, looks), face_jpeg=b"")
