"""Finds out whether a video in which nobody was found shows faces that are only smaller than those searched for.

A few key frames are searched once more, as large as the smallest `min_face` would have them. A smaller `min_face` is
proposed only if a search with it finds the faces in the same frames.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Sequence

import numpy as np

from config import MIN_FACE_LIMIT, AnalysisSettings
from core.media.key_frames import read_key_frames
from core.media.video_frame import VideoFrame
from core.model_manager import ModelManager
from core.types import Detections, VideoInfo
from processors.faces.analysis_frame import AnalysisImage
from processors.faces.analysis_size import analysis_size
from processors.faces.face_sampler import verifier_crop
from processors.faces.faceless_check import MIN_IMAGES
from processors.faces.faceless_reasons import SMALL_FACES_MIN_FACE, SMALL_FACES_PX
from processors.faces.track_check import MIN_OPINION
from processors.tracking.face_stream import MIN_SEARCHED_PX, smallest_searched_face
from utils.processes.stage_times import timed

KEY_FRAMES = 4
"""frames that are looked at: one takes up to a second of a CPU"""

SAFETY = 0.95
"""share of the faces' height that is proposed as `min_face`: others of the same people are a little smaller"""


@timed("small faces")
def small_faces(
    info: VideoInfo, settings: AnalysisSettings, wanted_min_face: float, models: ModelManager
) -> dict[str, float]:
    """Statistics about faces that are too small to be found with `settings`; empty if none are seen.

    settings: `PassPlan.settings`, whose `min_face` is a share of the frame's height. wanted_min_face: the user's
        `min_face`, a share of the height of the active picture.

    Raises:
        GPUMemoryError: not even one image fits.
        ModelError: the verifier is needed and cannot be had.
    """
    share = settings.min_face / wanted_min_face
    with contextlib.closing(read_key_frames(info, KEY_FRAMES, settings.part)) as frames:
        return SmallFaceCheck(models, (info.width, info.height), share).findings(frames, wanted_min_face)


class SmallFaceCheck:
    """Looks for small faces in some frames of one size."""

    def __init__(self, models: ModelManager, size: tuple[int, int], active_share: float = 1.0) -> None:
        """size: width and height of the frames, px. active_share: of their height that the active picture has."""
        self._models = models
        self._width, self._height = size
        self._active_share = active_share

    def findings(self, frames: Iterable[VideoFrame], wanted_min_face: float) -> dict[str, float]:
        """Like `small_faces`, of `frames`."""
        shown, looked_at, heights = [], 0, []
        for frame in frames:
            looked_at += 1
            if (height := self._face_height(frame, wanted_min_face)) is not None:
                shown.append(frame)
                heights.append(height)
            if looked_at - len(shown) > KEY_FRAMES - MIN_IMAGES:
                break
        needed = min(MIN_IMAGES, looked_at)
        if not shown or len(shown) < needed:
            return {}
        height = float(np.median(heights))
        return {SMALL_FACES_PX: round(height), SMALL_FACES_MIN_FACE: self._proposal(shown, needed, height)}

    def _proposal(self, frames: Sequence[VideoFrame], needed: int, height: float) -> float:
        """The `min_face` with which faces of `height` source px are found in `needed` of `frames`; 0.0 if none is."""
        fitting = math.floor(1000 * SAFETY * height / (self._active_share * self._height)) / 1000
        for min_face in dict.fromkeys((max(fitting, MIN_FACE_LIMIT), MIN_FACE_LIMIT)):
            if sum(self._finds(frame, min_face) for frame in frames) >= needed:
                return min_face
        return 0.0

    def _face_height(self, frame: VideoFrame, wanted_min_face: float) -> float | None:
        """Height, source px, of the surest face that is smaller than wanted; None if no face is sure and verified."""
        found, image = self._search(frame, MIN_FACE_LIMIT, MIN_SEARCHED_PX)
        scale = self._height / image.height
        for box, score, landmarks in zip(found.boxes, found.scores, found.landmarks, strict=True):
            if score < self._models.cascade.score_scale.sure_track:
                return None
            height = float(box[3] - box[1]) * scale
            if height >= wanted_min_face * self._active_share * self._height:
                continue
            crop = verifier_crop(image(), box, landmarks)
            if float(self._models.verifier.scores(crop[None])[0]) >= MIN_OPINION:
                return height
        return None

    def _finds(self, frame: VideoFrame, min_face: float) -> bool:
        """Whether a search with this setting finds a face that is sure."""
        of_frame = min_face * self._active_share
        _, height = analysis_size(self._width, self._height, of_frame)
        found, _ = self._search(frame, min_face, smallest_searched_face(of_frame, height))
        return len(found) > 0 and bool(found.scores[0] >= self._models.cascade.score_scale.sure_track)

    def _search(self, frame: VideoFrame, min_face: float, smallest_px: float) -> tuple[Detections, AnalysisImage]:
        """The faces of `frame` at the size at which `min_face` has it analysed, and that image."""
        image = AnalysisImage(frame, *analysis_size(self._width, self._height, min_face * self._active_share))
        return self._models.cascade.detect([image()], smallest_px)[0], image
