"""A face being followed: the growing form of a tracklet."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from core.types import FloatArray

VELOCITY_MEMORY = 0.6
"""share of the old velocity that is kept when a new displacement is seen"""

MAX_STEP = 0.25
"""longest predicted step, as a share of the face's size: the last network's reach is about as far"""


@dataclass(slots=True, eq=False)
class Track:
    """Rows of one face, oldest first, in analysis pixels.

    looks: full detections made while the face was followed; hits: how many of them found it too.
    hidden: pictures since the face was last seen (0: it is in the last picture).
    """

    id: int
    frames: list[int] = field(default_factory=list)
    boxes: list[FloatArray] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    landmarks: list[FloatArray] = field(default_factory=list)
    velocity: FloatArray = field(default_factory=lambda: np.zeros(2, np.float32))
    hidden: int = 0
    looks: int = 0
    hits: int = 0

    def append(self, frame: int, box: FloatArray, score: float, landmarks: FloatArray) -> None:
        """The face was seen in `frame`, later than all before."""
        if self.frames:
            elapsed = frame - self.frames[-1]
            moved = (box[:2] + box[2:] - self.boxes[-1][:2] - self.boxes[-1][2:]) / (2 * elapsed)
            blended = VELOCITY_MEMORY * self.velocity + (1 - VELOCITY_MEMORY) * moved
            self.velocity = np.asarray(blended, np.float32)
        self.frames.append(frame)
        self.boxes.append(box)
        self.scores.append(score)
        self.landmarks.append(landmarks)
        self.hidden = 0

    def insert(self, position: int, frame: int, box: FloatArray, score: float, landmarks: FloatArray) -> None:
        """The face was there in `frame` already: a new row before row `position`."""
        self.frames.insert(position, frame)
        self.boxes.insert(position, box)
        self.scores.insert(position, score)
        self.landmarks.insert(position, landmarks)

    @property
    def box(self) -> FloatArray:
        """(4,) last known place."""
        return self.boxes[-1]

    @property
    def size(self) -> float:
        """Mean of the sides of the last box, px."""
        return float((self.box[2:] - self.box[:2]).mean())

    def expected(self) -> FloatArray:
        """(4,) where the face should be in the next picture."""
        step = self.velocity * (1.0 if self.hidden == 0 else 0.0)
        reach = MAX_STEP * self.size
        return np.asarray(self.box + np.tile(np.clip(step, -reach, reach), 2), np.float32)
