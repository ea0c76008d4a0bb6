"""A face being followed: the growing form of a tracklet."""

from __future__ import annotations

import bisect
from array import array
from dataclasses import dataclass, field

import numpy as np

from core.types import FloatArray
from processors.tracking.row_buffer import GrowingRows

VELOCITY_MEMORY = 0.6
"""share of the old velocity that is kept when a new displacement is seen"""

MAX_STEP = 0.25
"""longest predicted step, as a share of the face's size: the last network's reach is about as far"""

COAST_FRAMES = 3
"""how many pictures long a face that is not seen is expected to keep its velocity"""


@dataclass(slots=True, eq=False)
class Track:
    """Rows of one face, oldest first, in analysis pixels.

    boxes: rows (4,); landmarks: rows (5, 2).
    looks: full detections made while the face was followed; hits: how many of them found it too.
    hidden: frames since the face was last seen (0: it is in the last picture that was looked at).
    doubtful: rows since then that may show it; they count once it is seen again.
    """

    id: int
    frames: array[int] = field(default_factory=lambda: array("q"))
    boxes: GrowingRows = field(default_factory=lambda: GrowingRows(4))
    scores: array[float] = field(default_factory=lambda: array("d"))
    landmarks: GrowingRows = field(default_factory=lambda: GrowingRows(5, 2))
    velocity: FloatArray = field(default_factory=lambda: np.zeros(2, np.float32))
    hidden: int = 0
    looks: int = 0
    hits: int = 0
    doubtful: list[tuple[int, FloatArray, float, FloatArray]] = field(default_factory=list)

    def append(self, frame: int, box: FloatArray, score: float, landmarks: FloatArray) -> None:
        """The face was seen in `frame`, later than all before."""
        for row in self.doubtful:
            if row[0] < frame:
                self._add(*row)
        self.doubtful.clear()
        self._add(frame, box, score, landmarks)
        self.hidden = 0

    def doubt(self, frame: int, box: FloatArray, score: float, landmarks: FloatArray) -> None:
        """The face may have been at `box` in `frame`."""
        self.doubtful.append((frame, box, score, landmarks))

    def _add(self, frame: int, box: FloatArray, score: float, landmarks: FloatArray) -> None:
        if self.frames:
            elapsed, before = frame - self.frames[-1], self.box
            moved = (box[:2] + box[2:] - before[:2] - before[2:]) / (2 * elapsed)
            blended = VELOCITY_MEMORY * self.velocity + (1 - VELOCITY_MEMORY) * moved
            self.velocity = np.asarray(blended, np.float32)
        self.frames.append(frame)
        self.boxes.append(box)
        self.scores.append(score)
        self.landmarks.append(landmarks)

    def insert(self, position: int, frame: int, box: FloatArray, score: float, landmarks: FloatArray) -> None:
        """The face was there in `frame` already: a new row before row `position`."""
        self.frames.insert(position, frame)
        self.boxes.insert(position, box)
        self.scores.insert(position, score)
        self.landmarks.insert(position, landmarks)

    def restart_motion(self) -> None:
        """Take the velocity from the last two rows alone."""
        self.velocity = np.zeros(2, np.float32)
        if len(self.frames) > 1:
            moved = self.boxes[-1] - self.boxes[-2]
            self.velocity = np.asarray((moved[:2] + moved[2:]) / (2 * (self.frames[-1] - self.frames[-2])), np.float32)

    def near(self, frame: int, tolerance: int) -> FloatArray | None:
        """(4,) the box of the row closest to `frame`, if that is at most `tolerance` frames away."""
        after = bisect.bisect_left(self.frames, frame)
        rows = [row for row in (after - 1, after) if 0 <= row < len(self.frames)]
        best = min(rows, key=lambda row: abs(self.frames[row] - frame))
        return self.boxes[best] if abs(self.frames[best] - frame) <= tolerance else None

    @property
    def box(self) -> FloatArray:
        """(4,) last known place."""
        return self.boxes[-1]

    @property
    def speed(self) -> float:
        """Distance a frame, in units of the face's size."""
        return float(np.linalg.norm(self.velocity)) / max(self.size, 1e-3)

    @property
    def size(self) -> float:
        """Mean of the sides of the last box, px."""
        return float((self.box[2:] - self.box[:2]).mean())

    def expected(self) -> FloatArray:
        """(4,) where the face should be `hidden` frames after its last row."""
        if self.doubtful:
            return self.doubtful[-1][1]
        steps = min(self.hidden, COAST_FRAMES)
        reach = MAX_STEP * self.size
        return np.asarray(self.box + steps * np.tile(np.clip(self.velocity, -reach, reach), 2), np.float32)
