"""The analysis of a film that was never shot: any number of tracklets, in scenes of a few people in a few set-ups.

What it has in common with real ones, measured on the labelled clips (dlib's embedder): cosines of 0.94 to 0.99 within
one person and of 0.8 to 0.95 between two, clothes that last for a scene, camera set-ups that come back, one to three
faces in a shot, six samples and eight looks per tracklet. Leading roles have most of the tracklets.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.types import VIEW_HEIGHT, VIEW_WIDTH, ColorInfo, FaceAnalysis, Shot, Tracklet, VideoInfo
from utils.images.lab_histogram import HISTOGRAM_SIZE

EMBEDDER, DIMENSIONS, SAMPLES, LOOKS = "dlib", 128, 6, 8
RATE, WIDTH, HEIGHT = 25, 1280, 720
PORTRAIT_BYTES = 12_000
"""mean of the portraits in analyses of the shared clips: 2 to 24 kB"""

_SHOTS_OF_SCENE, _CAST_OF_SCENE, _SETUPS_OF_SCENE = 40, 5, 4
_COMMON, _PERSONAL, _SHOT_NOISE, _SAMPLE_NOISE = 0.92, 0.34, 0.17, 0.14
"""lengths of the parts of an embedding: what all faces share, the person, the light of the shot, the sample"""
_SPREAD = 1 / np.sqrt(1 + np.arange(DIMENSIONS) / 6)
"""of embeddings along each axis: as in real ones, a few directions tell most of the difference"""


@dataclass(frozen=True, slots=True, eq=False)
class _Role:
    """A person in a scene. places: (setups, 2) px, where they are in the frame."""

    person: int
    clothes: NDArray[np.uint8]
    places: NDArray[np.float64]
    size: float


def made_up_film(tracklets: int, people: int, *, seed: int = 0) -> FaceAnalysis:
    """The analysis of a film with that many tracklets of at most `people` people. The same arguments, the same film."""
    rng = np.random.default_rng(seed)
    faces = _unit(_COMMON * _unit(rng.standard_normal(DIMENSIONS)) + _PERSONAL * _units(rng, people))
    fame = 1 / np.arange(1, people + 1)
    fame /= fame.sum()
    made: list[Tracklet] = []
    shots: list[Shot] = []
    start = 0
    while len(made) < tracklets:
        if len(shots) % _SHOTS_OF_SCENE == 0:
            chosen = rng.choice(people, min(_CAST_OF_SCENE, people), replace=False, p=fame)
            cast = [_role(rng, int(person)) for person in chosen]
            views = [_view(rng) for _ in range(_SETUPS_OF_SCENE)]
        end = start + int(rng.integers(25, 75))
        setup = int(rng.integers(_SETUPS_OF_SCENE))
        count = min(int(rng.integers(1, 4)), len(cast), tracklets - len(made))
        for number in rng.choice(len(cast), count, replace=False):
            role = cast[int(number)]
            made.append(
                _tracklet(rng, len(made), len(shots), start, end, role, setup, faces[role.person], views[setup])
            )
        shots.append(Shot(len(shots), start, end, "cut" if shots else "start"))
        start = end
    return FaceAnalysis(made_up_video(), 40 * np.arange(start), tuple(shots), tuple(made), EMBEDDER, 0)


def _role(rng: np.random.Generator, person: int) -> _Role:
    shares = np.zeros(HISTOGRAM_SIZE)
    shares[rng.integers(0, HISTOGRAM_SIZE, 6)] = rng.dirichlet(np.ones(6))
    places = rng.uniform((0.15, 0.2), (0.75, 0.5), (_SETUPS_OF_SCENE, 2)) * (WIDTH, HEIGHT)
    return _Role(person, np.rint(255 * np.sqrt(shares)).astype(np.uint8), places, float(rng.uniform(60, 220)))


def _view(rng: np.random.Generator) -> NDArray[np.float64]:
    coarse = rng.uniform(20, 230, (VIEW_HEIGHT // 3, VIEW_WIDTH // 4))
    return np.repeat(np.repeat(coarse, 3, axis=0), 4, axis=1)


def _tracklet(
    rng: np.random.Generator,
    number: int,
    shot: int,
    start: int,
    end: int,
    role: _Role,
    setup: int,
    face: NDArray[np.float64],
    view: NDArray[np.float64],
) -> Tracklet:
    length = end - start
    frames = np.arange(start, end)
    centre = role.places[setup] + rng.normal(0, 8, 2) + np.cumsum(rng.normal(0, 0.5, (length, 2)), 0)
    boxes = np.concatenate([centre - role.size / 2, centre + role.size / 2], 1)
    features = role.size * (np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.75], [0.65, 0.75]]) - 0.5)
    in_shot = _unit(face + _SHOT_NOISE * _units(rng, 1)[0])
    samples = np.sort(rng.choice(length, SAMPLES, replace=False))
    looks = np.sort(rng.choice(length, LOOKS, replace=False))
    seen = np.clip(view + rng.normal(0, 12, (LOOKS, VIEW_HEIGHT, VIEW_WIDTH)), 0, 255)
    clothes = np.clip(role.clothes + rng.normal(0, 6, (LOOKS, HISTOGRAM_SIZE)) * (role.clothes > 0), 0, 255)
    return Tracklet(
        id=number,
        shot=shot,
        frames=frames,
        boxes=boxes.astype(np.float32),
        scores=np.ones(length, np.float32),
        landmarks=(centre[:, None] + features).astype(np.float32),
        sharpness=np.full(length, rng.uniform(15, 150), np.float32),
        sample_frames=frames[samples],
        sample_quality=rng.uniform(0.3, 0.9, SAMPLES).astype(np.float32),
        embeddings=_unit(in_shot + _SAMPLE_NOISE * _units(rng, SAMPLES)).astype(np.float32),
        face_jpeg=rng.bytes(PORTRAIT_BYTES),
        look_frames=frames[looks],
        clothes=clothes.astype(np.uint8),
        views=seen.reshape(LOOKS, -1).astype(np.uint8),
    )


def _units(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    return _unit(rng.standard_normal((count, DIMENSIONS)) * _SPREAD)


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values / np.linalg.norm(values, axis=-1, keepdims=True), np.float64)


def made_up_video() -> VideoInfo:
    """720p at 25 frames a second; no such file exists."""
    return VideoInfo(
        path=Path("made-up.mp4"), container="mov", stream_index=0, codec="h264", pixel_format="yuv420p",
        coded_width=WIDTH, coded_height=HEIGHT, width=WIDTH, height=HEIGHT, rotation=0, sample_aspect_ratio=Fraction(1),
        time_base=Fraction(1, 1000), frame_rate=Fraction(RATE), start_pts=0, duration_s=0.0, frame_count=0,
        interlaced=False, color=ColorInfo(), audio=(), size_bytes=0,
    )  # fmt: skip
