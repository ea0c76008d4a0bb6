"""From a track that has ended to tracklets: a row for every frame, in source pixels, cut at the shots."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.types import FloatArray, IntArray, Shot, Tracklet
from processors.tracking.following import CALM_STRIDE
from processors.tracking.track import Track
from utils.stage_times import timed

MIN_FRAMES = 3
"""shorter tracks are flicker"""

_FIELDS = frozenset(f.name for f in dataclasses.fields(Tracklet))


@timed("embed")
def make_tracklet(track: Track, scale: FloatArray, columns: Mapping[str, NDArray[Any]]) -> Tracklet:
    """The tracklet of a track; `cut_at_shots` sets its shot.

    scale: (2,) source pixels per analysis pixel, x and y. columns: what observers measured; those that are no field of
    `Tracklet` become its signals.

    Raises:
        ValueError: a column does not fit the track.
    """
    seen = np.array(track.frames)
    places = np.concatenate([track.boxes.stacked(), track.landmarks.stacked().reshape(-1, 10)], 1)
    places = interpolated(seen, places) * np.tile(scale, 7)
    fields: dict[str, Any] = {name: values for name, values in columns.items() if name in _FIELDS}
    fields["face_jpeg"] = fields["face_jpeg"].tobytes()
    return Tracklet(
        id=track.id,
        shot=0,
        frames=tracklet_frames(track),
        boxes=places[:, :4].astype(np.float32),
        scores=_scores(seen, np.array(track.scores, np.float32)),
        landmarks=places[:, 4:].reshape(-1, 5, 2).astype(np.float32),
        signals={name: values for name, values in columns.items() if name not in _FIELDS},
        **fields,
    )


def tracklet_frames(track: Track) -> IntArray:
    """(T,) the frames of the tracklet that `track` becomes: all from its first to its last."""
    return np.arange(track.frames[0], track.frames[-1] + 1)


def cut_at_shots(tracklet: Tracklet, shots: Sequence[Shot]) -> list[Tracklet]:
    """The parts of a tracklet in each shot; the tracker does not know dissolves, which are known only afterwards."""
    pieces = []
    for shot in shots:
        seen = np.flatnonzero((tracklet.frames >= shot.start) & (tracklet.frames < shot.end) & (tracklet.scores > 0))
        if len(seen) == 0 or seen[-1] - seen[0] + 1 < MIN_FRAMES:
            continue
        rows = slice(seen[0], seen[-1] + 1)
        samples = (tracklet.sample_frames >= shot.start) & (tracklet.sample_frames < shot.end)
        looks = (tracklet.look_frames >= shot.start) & (tracklet.look_frames < shot.end)
        pieces.append(
            Tracklet(
                id=tracklet.id,
                shot=shot.index,
                frames=tracklet.frames[rows],
                boxes=tracklet.boxes[rows],
                scores=tracklet.scores[rows],
                landmarks=tracklet.landmarks[rows],
                sharpness=tracklet.sharpness[rows],
                sample_frames=tracklet.sample_frames[samples],
                sample_quality=tracklet.sample_quality[samples],
                embeddings=tracklet.embeddings[samples],
                face_jpeg=tracklet.face_jpeg,
                look_frames=tracklet.look_frames[looks],
                clothes=tracklet.clothes[looks],
                views=tracklet.views[looks],
                signals={name: values[rows] for name, values in tracklet.signals.items()},
            )
        )
    return pieces


def interpolated(frames: IntArray, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Rows for every frame from the first to the last, linear in between. rows: (T, K) at frames (T,)."""
    every = np.arange(frames[0], frames[-1] + 1)
    return np.stack([np.interp(every, frames, column) for column in rows.T], 1)


def _scores(frames: IntArray, scores: FloatArray) -> FloatArray:
    """A score for every frame: linear over frames that were skipped, 0 where the face was hidden for longer."""
    every = interpolated(frames, scores[:, None])[:, 0].astype(np.float32)
    for row in np.flatnonzero(np.diff(frames) > CALM_STRIDE):
        every[frames[row] - frames[0] + 1 : frames[row + 1] - frames[0]] = 0
    return every
