"""The observer that records the surroundings of tracked faces: clothes, and where the camera points."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.models.networks.model_spec import ScoreScale
from core.types import VIEW_HEIGHT, VIEW_WIDTH, ByteArray
from processors.faces.analysis_frame import AnalysisFrame
from processors.faces.clothes import CLOTHES_SIZE, clothes_colours
from processors.faces.face_observer import Measurement
from processors.faces.tracklet_maker import LOOKS, Findings
from processors.tracking.face_stream import FrameFaces
from processors.tracking.track import Track
from utils.images.image_shrinking import shrunk
from utils.processes.stage_times import timed

LOOK_EVERY_S, LATER_EVERY_S = 0.25, 0.5
"""clothes change slowly; what varies is what covers them. Once there are as many looks as a tracklet keeps, they are
rarer: then they only serve pieces of a track that is divided"""

MAX_LOOKS = 64
"""looks that are kept of one track, which may become many tracklets"""

_CELL_SAMPLES = 8
"""pixels along each axis that a cell of a view is the mean of, at most: more of them cost time and change little"""

_NO_CLOTHES = np.zeros(CLOTHES_SIZE, np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    frame: int
    clothes: ByteArray
    view: ByteArray


@dataclass(slots=True)
class _ObservedTrack:
    last: int
    looks: list[_Look] = field(default_factory=list)

    def next_look(self, frame_rate: float) -> float:
        return self.last + frame_rate * (LOOK_EVERY_S if len(self.looks) < LOOKS else LATER_EVERY_S)


class LookObserver:
    """A `FaceObserver`. Columns: look_frames, clothes, views."""

    def __init__(self, score_scale: ScoreScale, frame_rate: float) -> None:
        """score_scale: of the detector, which tells faces that are seen from those that may be there."""
        self._seen = score_scale.seen
        self._rate = frame_rate
        self._tracks: dict[int, _ObservedTrack] = {}

    @timed("look")
    def on_faces(self, frame: AnalysisFrame, faces: FrameFaces) -> None:
        """Look around those faces that nobody has looked around for a while."""
        view: ByteArray | None = None
        for face in faces.faces:
            observed = self._tracks.get(face.track)
            if face.score < self._seen or (observed and frame.index < observed.next_look(self._rate)):
                continue
            image = frame.image()
            if view is None:
                view = frame_view(image)
            clothes = clothes_colours(image, face.box)
            look = _Look(frame.index, _NO_CLOTHES if clothes is None else clothes, view)
            if observed is None:
                observed = self._tracks[face.track] = _ObservedTrack(frame.index)
            observed.last = frame.index
            _keep(observed.looks, look)

    def on_gradual_transition(self, middle: int) -> None:
        """Looks belong to the shot of their frame anyway."""

    def on_track_end(self, track: Track) -> Measurement:
        """Its measurement gives what was seen around the track."""
        observed = self._tracks.pop(track.id, None)
        looks = observed.looks if observed else []
        columns: dict[str, NDArray[Any]] = {
            "look_frames": np.array([look.frame for look in looks], np.int64),
            "clothes": np.array([look.clothes for look in looks], np.uint8).reshape(len(looks), CLOTHES_SIZE),
            "views": np.array([look.view for look in looks], np.uint8).reshape(len(looks), VIEW_WIDTH * VIEW_HEIGHT),
        }
        return lambda: Findings(columns)

    def finish(self) -> None:
        """Nothing is left over: every track has ended."""


def frame_view(image: ByteArray) -> ByteArray:
    """(VIEW_WIDTH * VIEW_HEIGHT,) uint8: the frame as a small grey image, row by row. image: (h, w, 3) uint8 RGB."""
    small = shrunk(image, VIEW_WIDTH, VIEW_HEIGHT, _CELL_SAMPLES)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8).reshape(VIEW_WIDTH * VIEW_HEIGHT)


def _keep(looks: list[_Look], look: _Look) -> None:
    looks.append(look)
    if len(looks) > MAX_LOOKS:
        frames = np.array([look.frame for look in looks])
        # The one whose neighbours are closest to each other is missed least; first and last always stay.
        del looks[1 + int((frames[2:] - frames[:-2]).argmin())]
