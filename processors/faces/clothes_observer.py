"""The observer that describes what the followed people wear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.models.model_spec import ScoreScale
from core.types import ByteArray
from processors.faces.analysis_frame import AnalysisFrame
from processors.faces.clothes import CLOTHES_SIZE, clothes_colours
from processors.tracking.face_stream import FrameFaces
from processors.tracking.track import Track
from utils.stage_times import timed

LOOK_EVERY_S = 0.25
"""clothes change slowly; what varies is what covers them"""

MAX_LOOKS = 16
"""descriptions that are kept of one track"""


class ClothesObserver:
    """A `FaceObserver`. Columns: clothes_frames, clothes."""

    def __init__(self, score_scale: ScoreScale, frame_rate: float) -> None:
        """score_scale: of the detector, which tells faces that are seen from those that may be there."""
        self._seen = score_scale.seen
        self._every = LOOK_EVERY_S * frame_rate
        self._looks: dict[int, list[tuple[int, ByteArray]]] = {}
        self._last: dict[int, int] = {}

    @timed("clothes")
    def on_faces(self, frame: AnalysisFrame, faces: FrameFaces) -> None:
        """Look at the clothes of those who have not been looked at for a while."""
        for face in faces.faces:
            if face.score < self._seen or frame.index - self._last.get(face.track, -1 << 62) < self._every:
                continue
            colours = clothes_colours(frame.image(), face.box)
            if colours is not None:
                self._last[face.track] = frame.index
                self._keep(self._looks.setdefault(face.track, []), (frame.index, colours))

    def on_track_end(self, track: Track) -> Mapping[str, NDArray[Any]] | None:
        """What was seen of the track's clothes."""
        self._last.pop(track.id, None)
        looks = self._looks.pop(track.id, [])
        return {
            "clothes_frames": np.array([frame for frame, _ in looks], np.int64),
            "clothes": np.array([colours for _, colours in looks], np.uint8).reshape(len(looks), CLOTHES_SIZE),
        }

    def finish(self) -> None:
        """Nothing is left over: every track has ended."""

    @staticmethod
    def _keep(looks: list[tuple[int, ByteArray]], look: tuple[int, ByteArray]) -> None:
        looks.append(look)
        if len(looks) > MAX_LOOKS:
            frames = np.array([frame for frame, _ in looks])
            # The one whose neighbours are closest to each other is missed least; first and last always stay.
            del looks[1 + int((frames[2:] - frames[:-2]).argmin())]
