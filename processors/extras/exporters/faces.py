"""The faces of a timeline's people one after the other, as the formats for researchers list them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.types import FaceAnalysis, FloatArray, Timeline


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face in one frame.

    frame: from 0. person: index into `Timeline.people`. track: tracklet's id. box: (4,) float32 xyxy and
    landmarks: (5, 2) float32, display px. score: in [0, 1]; 0 where the place of a hidden face is interpolated.
    """

    frame: int
    person: int
    track: int
    box: FloatArray
    landmarks: FloatArray
    score: float


def faces_by_frame(analysis: FaceAnalysis, timeline: Timeline) -> Iterator[Face]:
    """Every face of every person, by frame, then person, then track."""
    owner = {track: number for number, person in enumerate(timeline.people) for track in person.tracklets}
    tracklets = [tracklet for tracklet in analysis.tracklets if tracklet.id in owner]
    if not tracklets:
        return
    frames = np.concatenate([t.frames for t in tracklets])
    people = np.concatenate([np.full(len(t.frames), owner[t.id]) for t in tracklets])
    tracks = np.concatenate([np.full(len(t.frames), t.id) for t in tracklets])
    boxes = np.concatenate([t.boxes for t in tracklets])
    landmarks = np.concatenate([t.landmarks for t in tracklets])
    scores = np.concatenate([t.scores for t in tracklets])
    for i in np.lexsort((tracks, people, frames)):
        yield Face(int(frames[i]), int(people[i]), int(tracks[i]), boxes[i], landmarks[i], float(scores[i]))
