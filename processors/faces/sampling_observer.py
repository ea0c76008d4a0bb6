"""The observer that every analysis has: sharpness, the best samples of each face, their embeddings, a portrait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config import AnalysisSettings
from core.model_manager import ModelManager
from core.types import FloatArray
from processors.faces.analysis_frame import AnalysisFrame
from processors.faces.face_sampler import FaceSampler, sharpness
from processors.faces.track_check import TrackCheck
from processors.faces.tracklet_maker import tracklet_frames
from processors.tracking.face_stream import FrameFaces
from processors.tracking.row_buffer import FrameValues
from processors.tracking.track import Track
from utils.stage_times import timed


@dataclass(slots=True)
class _ObservedTrack:
    sampler: FaceSampler
    sharpness: FrameValues = field(default_factory=FrameValues)


class SamplingObserver:
    """A `FaceObserver`. Columns: sharpness, sample_frames, sample_quality, embeddings, face_jpeg."""

    def __init__(self, models: ModelManager, settings: AnalysisSettings, scale: FloatArray, frame_rate: float) -> None:
        """scale: (2,) source pixels per analysis pixel, x and y."""
        self._models = models
        self._settings = settings
        self._scale = scale
        self._check = TrackCheck(models, frame_rate)
        self._tracks: dict[int, _ObservedTrack] = {}

    @timed("sample")
    def on_faces(self, frame: AnalysisFrame, faces: FrameFaces) -> None:
        """Measure the sharpness of all faces; sample them if the frame was searched or one of them is new."""
        is_sampled = faces.searched or any(face.track not in self._tracks for face in faces.faces)
        image = frame.image()
        for face in faces.faces:
            observed = self._observed(face.track)
            sharp = sharpness(image, face.landmarks)
            observed.sharpness.note(frame.index, sharp)
            if is_sampled:
                box, landmarks = face.box * np.tile(self._scale, 2), face.landmarks * self._scale
                observed.sampler.offer(frame.source, box, face.score, landmarks, sharp)

    def on_track_end(self, track: Track) -> Mapping[str, NDArray[Any]] | None:
        """Judge the track as a whole, and embed its samples if it is a face.

        Raises:
            ModelError: a model cannot be had, or fails.
        """
        observed = self._observed(track.id)
        del self._tracks[track.id]
        samples, portrait = observed.sampler.finish()
        with timed("embed"):
            if not self._check.is_face(track, samples):
                return None
            embedder = self._models.embedder
            chips = [s.chip for s in samples]
            none = np.zeros((0, embedder.side, embedder.side, 3), np.uint8)
            return {
                "sharpness": observed.sharpness.nearest(tracklet_frames(track)),
                "sample_frames": np.array([s.frame for s in samples], np.int64),
                "sample_quality": np.array([s.quality for s in samples], np.float32),
                "embeddings": embedder.embed(np.stack(chips) if chips else none),
                "face_jpeg": np.frombuffer(portrait, np.uint8),
            }

    def finish(self) -> None:
        """Nothing is left over: every track has ended."""

    def _observed(self, track: int) -> _ObservedTrack:
        if track not in self._tracks:
            self._tracks[track] = _ObservedTrack(FaceSampler(self._models.embedder, self._settings.faces_per_track))
        return self._tracks[track]
