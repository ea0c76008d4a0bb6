"""A face being followed: what grows into a tracklet."""

from __future__ import annotations

import bisect
from array import array
from dataclasses import dataclass, field

import numpy as np

from core.types import FloatArray
from processors.tracking.frame_pace import FramePace
from processors.tracking.row_buffer import RowBuffer
from utils.images.face_roll import UPRIGHT_ROLL, face_rolls, median_roll

VELOCITY_MEMORY = 0.6
"""share of the old velocity that is kept when a new displacement is seen"""

MAX_STEP = 0.25
"""longest predicted displacement from one step to the next, in face sizes: about as far as O-Net's refinement
reaches"""

ROLL_SAMPLES = 9
"""samples of a face whose median tells whether it is tilted: the landmarks of a profile or a blurred face may have any
roll in a single frame"""

COAST_S = 0.12
"""seconds for which a face that is not seen is expected to keep its velocity"""


@dataclass(slots=True, eq=False)
class Track:
    """Rows of one face, oldest first, in analysis pixels.

    boxes: rows (4,). landmarks: rows (5, 2).
    full_searches: full detections made while the face was followed. confirmations: how many of them found it, too.
    hidden: frames since the face was last seen; 0 if it is in the last frame that was not skipped.
    possible_rows: later rows that may show the face (frame, box, score, landmarks); they count once it is seen again.
    """

    id: int
    frames: array[int] = field(default_factory=lambda: array("q"))
    boxes: RowBuffer = field(default_factory=lambda: RowBuffer(4))
    scores: array[float] = field(default_factory=lambda: array("d"))
    landmarks: RowBuffer = field(default_factory=lambda: RowBuffer(5, 2))
    velocity: FloatArray = field(default_factory=lambda: np.zeros(2, np.float32))
    hidden: int = 0
    full_searches: int = 0
    confirmations: int = 0
    possible_rows: list[tuple[int, FloatArray, float, FloatArray]] = field(default_factory=list)

    def append(self, frame: int, box: FloatArray, score: float, landmarks: FloatArray) -> None:
        """Add a row: the face was seen in `frame`, later than all before."""
        for row in self.possible_rows:
            if row[0] < frame:
                self._add(*row)
        self.possible_rows.clear()
        self._add(frame, box, score, landmarks)
        self.hidden = 0

    def append_possible(self, frame: int, box: FloatArray, score: float, landmarks: FloatArray) -> None:
        """Remember a row that counts only if the face is seen again."""
        self.possible_rows.append((frame, box, score, landmarks))

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
        """Add a row before row `position`: the face was already there in `frame`."""
        self.frames.insert(position, frame)
        self.boxes.insert(position, box)
        self.scores.insert(position, score)
        self.landmarks.insert(position, landmarks)

    def correct_last(self, box: FloatArray, score: float, landmarks: FloatArray) -> None:
        """Replace the values of the last row by a detection of the same face."""
        self.boxes[-1], self.landmarks[-1] = box, landmarks
        self.scores[-1] = score

    def restart_motion(self) -> None:
        """Take the velocity from the last two rows alone."""
        self.velocity = np.zeros(2, np.float32)
        if len(self.frames) > 1:
            moved = self.boxes[-1] - self.boxes[-2]
            self.velocity = np.asarray((moved[:2] + moved[2:]) / (2 * (self.frames[-1] - self.frames[-2])), np.float32)

    def box_near(self, frame: int, tolerance: int) -> FloatArray | None:
        """(4,) box of the row nearest to `frame`; None if it is more than `tolerance` frames away."""
        after = bisect.bisect_left(self.frames, frame)
        rows = [row for row in (after - 1, after) if 0 <= row < len(self.frames)]
        best = min(rows, key=lambda row: abs(self.frames[row] - frame))
        return self.boxes[best] if abs(self.frames[best] - frame) <= tolerance else None

    @property
    def box(self) -> FloatArray:
        """(4,) last known place."""
        return self.boxes[-1]

    @property
    def size(self) -> float:
        """Mean of the sides of the last box, px."""
        left, top, right, bottom = self.box
        # Rounded like the mean of an array, in a quarter of the time.
        return float((right - left + (bottom - top)) / 2)

    @property
    def speed(self) -> float:
        """Displacement per frame, in face sizes."""
        return float(np.linalg.norm(self.velocity)) / max(self.size, 1e-3)

    @property
    def roll(self) -> float:
        """Degrees by which the face is tilted, see `utils.images.face_roll`; 0.0 unless it has been for some time."""
        recent = self.landmarks.last(ROLL_SAMPLES)
        return float(face_rolls(recent[-1:])[0]) if median_roll(recent) > UPRIGHT_ROLL else 0.0

    def expected(self, pace: FramePace) -> FloatArray:
        """(4,) where the face should be `hidden` frames after its last row."""
        if self.possible_rows:
            return self.possible_rows[-1][1]
        steps = min(self.hidden, pace.frames(COAST_S))
        reach = MAX_STEP / pace.follow_stride * self.size
        return np.asarray(self.box + steps * np.tile(np.clip(self.velocity, -reach, reach), 2), np.float32)
