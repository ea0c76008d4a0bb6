"""From a track that ended to a tracklet: judged as a whole, embedded, in source pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.model_manager import ModelManager
from core.types import FloatArray, Shot, Tracklet
from processors.faces.face_sampler import FaceSample
from processors.tracking.face_tracker import CALM_STRIDE
from processors.tracking.row_buffer import Measurements
from processors.tracking.track import Track
from utils.stage_times import timed

MIN_FRAMES = 3
"""shorter tracks are flicker"""

SURE_SCORE = 0.9
SURE_HITS = 0.7
"""a track with these median score and share of confirmed full detections needs no second opinion"""

MIN_DOUBTFUL_S = 0.5
"""a doubtful track shorter than this is flicker too"""

FACE_OPINION = 0.6
"""the verifier's score from which a doubtful track is a face: over the development clips real faces reach 0.95
or more, profiles and 34 px faces included; hands, a clock and a necklace 0, a patterned cloth 0.5"""

OPINIONS = 3


class TrackletMaker:
    """Runs the recognition network, and the verifier where a track leaves a doubt. Use from one thread."""

    def __init__(self, models: ModelManager, scale: FloatArray, frame_rate: float) -> None:
        """scale: (2,) source pixels per analysis pixel, x and y."""
        self._models = models
        self._scale = scale
        self._min_doubtful = MIN_DOUBTFUL_S * frame_rate

    @timed("embed")
    def make(
        self, track: Track, sharpness: Measurements, samples: Sequence[FaceSample], portrait: bytes
    ) -> Tracklet | None:
        """The tracklet, or None where the track is not a face. Its shot is set by `cut_at_shots`."""
        if track.frames[-1] - track.frames[0] + 1 < MIN_FRAMES or not self._is_face(track, samples):
            return None
        chips = [s.chip for s in samples]
        embedder = self._models.embedder
        side = embedder.side
        embeddings = embedder.embed(np.stack(chips) if chips else np.zeros((0, side, side, 3), np.uint8))
        frames = np.arange(track.frames[0], track.frames[-1] + 1)
        places = np.concatenate([track.boxes.stacked(), track.landmarks.stacked().reshape(-1, 10)], 1)
        places = without_gaps(np.array(track.frames), places) * np.tile(self._scale, 7)
        scores = _scores(np.array(track.frames), np.array(track.scores, np.float32))
        return Tracklet(
            id=track.id,
            shot=0,
            frames=frames,
            boxes=places[:, :4].astype(np.float32),
            scores=scores,
            landmarks=places[:, 4:].reshape(-1, 5, 2).astype(np.float32),
            sharpness=sharpness.nearest(frames),
            sample_frames=np.array([s.frame for s in samples], np.int64),
            sample_quality=np.array([s.quality for s in samples], np.float32),
            embeddings=embeddings,
            face_jpeg=portrait,
        )

    def _is_face(self, track: Track, samples: Sequence[FaceSample]) -> bool:
        hits = track.hits / max(track.looks, 1)
        if float(np.median(track.scores)) >= SURE_SCORE and hits >= SURE_HITS:
            return True
        if not samples or track.frames[-1] - track.frames[0] + 1 < self._min_doubtful:
            return False
        with timed("second opinion"):
            opinions = self._models.verifier.scores(np.stack([s.wide for s in samples[:OPINIONS]]))
        return float(opinions.max()) >= FACE_OPINION


def cut_at_shots(tracklet: Tracklet, shots: Sequence[Shot]) -> list[Tracklet]:
    """The parts of a tracklet in each shot: a dissolve is only known when it is over."""
    pieces = []
    for shot in shots:
        seen = np.flatnonzero((tracklet.frames >= shot.start) & (tracklet.frames < shot.end) & (tracklet.scores > 0))
        if len(seen) == 0 or seen[-1] - seen[0] + 1 < MIN_FRAMES:
            continue
        rows = slice(seen[0], seen[-1] + 1)
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


def without_gaps(frames: NDArray[np.int64], rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Rows for every frame from the first to the last, linear in between. rows: (T, K) at frames (T,)."""
    every = np.arange(frames[0], frames[-1] + 1)
    return np.stack([np.interp(every, frames, column) for column in rows.T], 1)


def _scores(frames: NDArray[np.int64], scores: FloatArray) -> FloatArray:
    """Scores for every frame: linear over pictures that were skipped, 0 where the face was hidden for longer."""
    every = without_gaps(frames, scores[:, None])[:, 0].astype(np.float32)
    for row in np.flatnonzero(np.diff(frames) > CALM_STRIDE):
        every[frames[row] - frames[0] + 1 : frames[row + 1] - frames[0]] = 0
    return every
