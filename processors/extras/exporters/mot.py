"""MOTChallenge text: frame,id,left,top,width,height,conf,-1,-1,-1, where everything counts from 1.

Pixels count from 1 too, so left and top are our coordinates plus one, as the challenge's tools expect.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from config import EXTRA_FILES
from core.types import FaceAnalysis, Timeline
from processors.extras.exporters.faces import faces_by_frame
from utils.files import atomic_path

MOT_FILE = EXTRA_FILES["mot"]


def write_mot(folder: Path, analysis: FaceAnalysis, timeline: Timeline) -> tuple[str, ...]:
    """Write mot.txt. The id is the number of the person in the timeline."""
    with atomic_path(folder / MOT_FILE) as partial, partial.open("w", encoding="ascii", newline="\n") as file:
        file.writelines(f"{line}\n" for line in mot_lines(analysis, timeline))
    return (MOT_FILE,)


def mot_lines(analysis: FaceAnalysis, timeline: Timeline) -> Iterator[str]:
    """The lines, sorted by frame, then person."""
    for face in faces_by_frame(analysis, timeline):
        x1, y1, x2, y2 = (float(v) for v in face.box)
        yield (
            f"{face.frame + 1},{face.person + 1},{x1 + 1:.2f},{y1 + 1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},"
            f"{face.score:.4f},-1,-1,-1"
        )
