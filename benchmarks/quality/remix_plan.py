"""Plans of randomly edited films: which stretches of which clips follow each other, how joined, and who is where.

A plan is made of numbers alone, so the same seed gives the same film. Cameras, joints and truth are pure; pixels are
`remix_film`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.doubt import Row
from tests.material.scoring import Labelled

RATE = 25
"""frames per second of every film"""
FILM_S = (30.0, 45.0)
TAKE_S = (0.6, 6.0)
GRADUAL_S = (0.3, 1.5)
JUMP_S = (0.3, 2.0)
"""what a jump cut leaves out"""
SIZES = ((640, 360), (854, 480), (960, 540), (1280, 720))
MAX_ZOOM = 1.6
CINEMA = 2.39
"""width to height of the picture between black bars"""

JOINS = {"cut": 0.6, "jump": 0.14, "dissolve": 0.14, "left": 0.03, "right": 0.03, "down": 0.03, "push": 0.03}
"""how often a take begins in which way; `left` to `push` are wipes"""
GRADUAL = frozenset(JOINS) - {"cut", "jump"}
NEW_FACE = 0.25
"""how often one of the two clips of a dialogue gives way to another"""

MIN_HEIGHT = 0.06
"""smallest labelled face that counts, as a share of the picture's height; the program looks for 0.05"""
MIN_VISIBLE = 0.8
"""share of a labelled face that must lie in the picture"""

Window = tuple[int, int, int, int]
"""x1, y1, x2, y2, px"""
Random = np.random.Generator


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A clip to cut from. faces: labelled ones by frame, with names that are the same in all clips. looks_at: where
    cameras look, px; it must not depend on the program, which would change the films. weight: how often the clip is
    chosen, compared with others."""

    name: str
    path: Path
    width: int
    height: int
    rate: float
    frame_count: int
    faces: Mapping[int, Labelled]
    looks_at: tuple[float, float]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Camera:
    """How a clip is filmed: `window` of its frame fills `picture` of the film's. noise: standard deviation, levels.
    jpeg: quality of a compression before the film's; 100 for none."""

    window: Window
    picture: Window
    mirrored: bool = False
    gain: float = 1.0
    gamma: float = 1.0
    saturation: float = 1.0
    noise: float = 0.0
    jpeg: int = 100

    def moved(self, box: np.ndarray) -> np.ndarray:
        """(4,) a box of the clip in pixels of the film."""
        (x1, y1, x2, _), (left, top, right, _) = self.window, self.picture
        scale = (right - left) / (x2 - x1)
        xs, ys = (box[[0, 2]] - x1) * scale + left, (box[[1, 3]] - y1) * scale + top
        if self.mirrored:
            xs = left + right - xs[::-1]
        return np.array([xs[0], ys[0], xs[1], ys[1]])


@dataclass(frozen=True, slots=True)
class Take:
    """Frames [start, start + length) of a film. first: frame of the clip that it begins with. joint: frames that it
    shares with the take before, 0 after a cut."""

    source: Source
    camera: Camera
    first: int
    start: int
    length: int
    join: str
    joint: int

    def frame_of(self, k: int) -> int:
        """The clip's frame that its frame `k`, from 0, shows."""
        return min(self.first + int(k * self.source.rate / RATE), self.source.frame_count - 1)


@dataclass(frozen=True, slots=True)
class Plan:
    """seed: also of its noise. crf: of the encoder."""

    seed: int
    width: int
    height: int
    crf: int
    takes: tuple[Take, ...]

    @property
    def frame_count(self) -> int:
        return self.takes[-1].start + self.takes[-1].length


def plan_film(sources: Sequence[Source], seed: int) -> Plan:
    """The film of this seed, of six sources or more, whose order matters."""
    rng = np.random.default_rng(seed)
    width, height = SIZES[rng.integers(len(SIZES))]
    weights = np.array([source.weight for source in sources])
    chosen = rng.choice(len(sources), rng.integers(3, 7), replace=False, p=weights / weights.sum())
    cameras = {int(k): _camera(sources[k], (width, height), rng) for k in chosen}
    shown, other, *waiting = cameras
    takes: list[Take] = []
    end, wanted = 0, RATE * rng.uniform(*FILM_S)
    while end < wanted:
        join = str(rng.choice(list(JOINS), p=list(JOINS.values()))) if takes else "cut"
        if takes and join != "jump":
            shown, other = other, shown
            if waiting and rng.random() < NEW_FACE:
                waiting.append(other)
                other = waiting.pop(0)
        take = _take(sources[shown], cameras[shown], takes[-1] if takes else None, join, rng)
        takes.append(replace(take, start=end - take.joint))
        end += take.length - take.joint
    return Plan(seed, width, height, int(rng.choice([24, 28, 32])), tuple(takes))


def truth_rows(plan: Plan) -> Iterator[Row]:
    """The labelled faces of a film, as of `doubt.labelled_rows`; none where two takes mix."""
    for number, take in enumerate(plan.takes):
        following = plan.takes[number + 1].joint if number + 1 < len(plan.takes) else 0
        for k in range(take.joint, take.length - following):
            for person, box in take.source.faces.get(take.frame_of(k), ()):
                shown = visible_face(take.camera, np.asarray(box, np.float64))
                if shown is not None:
                    corners = dict(zip(("x1", "y1", "x2", "y2"), (f"{value:.1f}" for value in shown), strict=True))
                    yield {"frame": str(take.start + k), "person": person, **corners}


def visible_face(camera: Camera, box: np.ndarray) -> np.ndarray | None:
    """(4,) what of a clip's face the film shows, px; None if that is too little or too small."""
    moved = camera.moved(box)
    left, top, right, bottom = camera.picture
    shown = np.clip(moved, [left, top, left, top], [right, bottom, right, bottom])
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (moved, shown)]
    is_large = moved[3] - moved[1] >= MIN_HEIGHT * (bottom - top)
    return shown if is_large and areas[1] >= MIN_VISIBLE * areas[0] else None


def _camera(source: Source, size: tuple[int, int], rng: Random) -> Camera:
    """One that fills a film of that size, perhaps between bars, and looks about where faces are."""
    width, height = size
    bars = rng.random() < 0.2
    shape = CINEMA if bars else width / height
    picture_height = 2 * round(width / shape / 2)
    top = (height - picture_height) // 2
    largest = min(source.width, source.height * shape)
    zoom = 1.0 if rng.random() < 0.3 else rng.uniform(1.0, MAX_ZOOM)
    looks_at = np.array(source.looks_at) + rng.uniform(-0.12, 0.12, 2) * largest / zoom
    window = _window(source, looks_at, largest / zoom, shape)
    return Camera(
        window,
        (0, top, width, top + picture_height),
        mirrored=bool(rng.random() < 0.5),
        gain=rng.uniform(0.75, 1.2),
        gamma=rng.uniform(0.75, 1.35),
        saturation=rng.uniform(0.5, 1.3),
        noise=float(rng.choice([0.0, 0.0, 2.0, 4.0])),
        jpeg=int(rng.choice([100, 100, 60, 35])),
    )


def _window(source: Source, centre: np.ndarray, width: float, shape: float) -> Window:
    """The part of that width and shape around `centre`, moved into the frame."""
    w, h = max(round(width), 2), max(round(width / shape), 2)
    x = int(np.clip(round(centre[0] - w / 2), 0, max(source.width - w, 0)))
    y = int(np.clip(round(centre[1] - h / 2), 0, max(source.height - h, 0)))
    return x, y, min(x + w, source.width), min(y + h, source.height)


def _take(source: Source, camera: Camera, before: Take | None, join: str, rng: Random) -> Take:
    """A stretch of the clip; after a jump cut from a little later on, and perhaps from nearer."""
    clip_length = int(source.frame_count * RATE / source.rate)
    length = min(round(RATE * rng.uniform(*TAKE_S)), clip_length)
    first = int(rng.integers(source.frame_count - int(length * source.rate / RATE) + 1))
    joint = 0
    if before is not None and join in GRADUAL:
        # Each of the two is also seen alone.
        joint = min(round(RATE * rng.uniform(*GRADUAL_S)), length // 3, (before.length - before.joint) // 2)
    if before is not None and join == "jump":
        first = before.frame_of(before.length) + round(source.rate * rng.uniform(*JUMP_S))
        length = min(length, int((source.frame_count - first) * RATE / source.rate))
        if length < TAKE_S[0] * RATE:
            length = min(round(TAKE_S[0] * RATE), clip_length)
            first = int(rng.integers(source.frame_count - int(length * source.rate / RATE) + 1))
        camera = before.camera if rng.random() < 0.5 else _nearer(source, camera, rng.uniform(1.05, 1.25))
    return Take(source, camera, first, 0, length, join, joint)


def _nearer(source: Source, camera: Camera, zoom: float) -> Camera:
    x1, y1, x2, y2 = camera.window
    centre = np.array([x1 + x2, y1 + y2]) / 2
    return replace(camera, window=_window(source, centre, (x2 - x1) / zoom, (x2 - x1) / (y2 - y1)))


def described(plan: Plan) -> dict[str, Any]:
    """What to look for in a film, for reports."""
    takes = [f"{t.start} {t.join} {t.source.name}" for t in plan.takes]
    return {"seed": plan.seed, "size": f"{plan.width}x{plan.height}", "crf": plan.crf, "takes": takes}
