"""tracks.csv: every face in every frame, one row each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.types import FaceAnalysis, Timeline, Tracklet

TRACKS_FILE = "tracks.csv"
TRACKS_HEADER = "frame,time_s,shot,person,track,x1,y1,x2,y2,score,sharpness"
UNKNOWN_PERSON = "unknown"
"""value of the column `person` for faces of `Timeline.unknown`"""


def track_lines(analysis: FaceAnalysis, timeline: Timeline) -> Iterator[str]:
    """The lines of tracks.csv without line ends, header first, sorted by frame, person and tracklet.

    Tracklets that belong neither to a person nor to `timeline.unknown` (rejected ones) have no rows.
    """
    yield TRACKS_HEADER
    owners = [(person.name, person.tracklets) for person in timeline.people]
    owners.append((UNKNOWN_PERSON, timeline.unknown))
    names = [_csv_field(name) for name, _ in owners]
    by_id = {tracklet.id: tracklet for tracklet in analysis.tracklets}
    owned: list[tuple[Tracklet, int]] = [
        (by_id[tracklet], owner) for owner, (_, tracklets) in enumerate(owners) for tracklet in tracklets
    ]
    if not owned:
        return
    frames = np.concatenate([tracklet.frames for tracklet, _ in owned])
    owner_of = np.concatenate([np.full(len(tracklet.frames), owner) for tracklet, owner in owned])
    ids = np.concatenate([np.full(len(tracklet.frames), tracklet.id) for tracklet, _ in owned])
    shots = np.concatenate([np.full(len(tracklet.frames), tracklet.shot) for tracklet, _ in owned])
    values = np.concatenate([_rounded(tracklet) for tracklet, _ in owned])
    times = analysis.starts_s
    for i in np.lexsort((ids, owner_of, frames)):
        x1, y1, x2, y2, score, sharpness = values[i]
        yield (
            f"{frames[i]},{times[frames[i]]:.6f},{shots[i]},{names[owner_of[i]]},{ids[i]},"
            f"{x1:.2f},{y1:.2f},{x2:.2f},{y2:.2f},{score:.4f},{sharpness:.2f}"
        )


def _rounded(tracklet: Tracklet) -> NDArray[np.float64]:
    """(T, 6) float64: box, score and sharpness, rounded as they are printed."""
    boxes = np.round(tracklet.boxes.astype(np.float64), 2)
    scores = np.round(tracklet.scores.astype(np.float64), 4)
    sharpness = np.round(tracklet.sharpness.astype(np.float64), 2)
    # Adding zero turns -0.00 into 0.00.
    return np.asarray(np.column_stack([boxes, scores, sharpness]) + 0.0, np.float64)


def _csv_field(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(c in name for c in ',"\r\n') else name
