"""The faces of a timeline's people as a sequence ordered by frame, for MOT and COCO."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.types import FaceAnalysis, FloatArray, Timeline


@dataclass(frozen=True, slots=True, eq=False)
class ExportedFace:
    """One face in one frame.

    frame: counts from 0. person: index into `Timeline.people`. track: id of the tracklet. box: (4,) float32 xyxy and
    landmarks: (5, 2) float32, in display px. score: in [0, 1]; 0 if the face was hidden and its box is interpolated.
    """

    frame: int
    person: int
    track: int
    box: FloatArray
    landmarks: FloatArray
    score: float


def faces_by_frame(analysis: FaceAnalysis, timeline: Timeline) -> Iterator[ExportedFace]:
    """Every face of every person, ordered by frame, person, track."""
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
        yield ExportedFace(int(frames[i]), int(people[i]), int(tracks[i]), boxes[i], landmarks[i], float(scores[i]))
