"""From a track that ended to a tracklet: judged as a whole, embedded, in source pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.model_manager import ModelManager
from core.types import FloatArray, Shot, Tracklet
from processors.face_sampler import FaceSample
from processors.track import Track

MIN_FRAMES = 3
"""shorter tracks are flicker"""

SURE_SCORE = 0.97
SURE_HITS = 0.7
"""a track with these median score and share of confirmed full detections needs no second opinion"""

FACE_OPINION = 0.3
"""the verifier's score from which a doubtful track is a face"""

OPINIONS = 3


class TrackletMaker:
    """Runs the recognition network, and the verifier where a track leaves a doubt. Use from one thread."""

    def __init__(self, models: ModelManager, scale: FloatArray) -> None:
        """scale: (2,) source pixels per analysis pixel, x and y."""
        self._models = models
        self._scale = scale

    def make(
        self, track: Track, sharpness: Mapping[int, float], samples: Sequence[FaceSample], portrait: bytes
    ) -> Tracklet | None:
        """The tracklet, or None where the track is not a face. Its shot is set by `cut_at_shots`."""
        if len(track.frames) < MIN_FRAMES or not self._is_face(track, samples):
            return None
        chips = [s.chip for s in samples]
        embedder = self._models.embedder
        side = embedder.side
        embeddings = embedder.embed(np.stack(chips) if chips else np.zeros((0, side, side, 3), np.uint8))
        return Tracklet(
            id=track.id,
            shot=0,
            frames=np.array(track.frames, np.int64),
            boxes=(np.stack(track.boxes) * np.tile(self._scale, 2)).astype(np.float32),
            scores=np.array(track.scores, np.float32),
            landmarks=(np.stack(track.landmarks) * self._scale).astype(np.float32),
            sharpness=_filled(track.frames, sharpness),
            sample_frames=np.array([s.frame for s in samples], np.int64),
            sample_quality=np.array([s.quality for s in samples], np.float32),
            embeddings=embeddings,
            face_jpeg=portrait,
        )

    def _is_face(self, track: Track, samples: Sequence[FaceSample]) -> bool:
        hits = track.hits / max(track.looks, 1)
        if float(np.median(track.scores)) >= SURE_SCORE and hits >= SURE_HITS:
            return True
        if not samples:
            return False
        opinions = self._models.verifier.scores(np.stack([s.wide for s in samples[:OPINIONS]]))
        return float(opinions.max()) >= FACE_OPINION


def cut_at_shots(tracklet: Tracklet, shots: Sequence[Shot]) -> list[Tracklet]:
    """The parts of a tracklet in each shot: a dissolve is only known when it is over."""
    pieces = []
    for shot in shots:
        rows = (tracklet.frames >= shot.start) & (tracklet.frames < shot.end)
        if rows.sum() < MIN_FRAMES:
            continue
        samples = (tracklet.sample_frames >= shot.start) & (tracklet.sample_frames < shot.end)
        pieces.append(
            Tracklet(
                id=tracklet.id,
                shot=shot.index,
                frames=tracklet.frames[rows],
                boxes=tracklet.boxes[rows],
                scores=tracklet.scores[rows],
                landmarks=tracklet.landmarks[rows],
                sharpness=tracklet.sharpness[rows],
                sample_frames=tracklet.sample_frames[samples],
                sample_quality=tracklet.sample_quality[samples],
                embeddings=tracklet.embeddings[samples],
                face_jpeg=tracklet.face_jpeg,
            )
        )
    return pieces


def _filled(frames: Sequence[int], known: Mapping[int, float]) -> FloatArray:
    """Sharpness per frame; rows found backwards take that of the nearest frame measured."""
    if not known:
        return np.zeros(len(frames), np.float32)
    measured = np.array(sorted(known))
    values = np.array([known[int(f)] for f in measured], np.float32)
    right = np.clip(np.searchsorted(measured, frames), 0, len(measured) - 1)
    left = np.clip(right - 1, 0, None)
    wanted = np.asarray(frames)
    nearer_left = np.abs(measured[left] - wanted) <= np.abs(measured[right] - wanted)
    return np.asarray(np.where(nearer_left, values[left], values[right]), np.float32)
