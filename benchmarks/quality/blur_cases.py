"""Sharp or blurred, measured: images made blurred on purpose, at three sizes, judged by thresholds from others.

The sources are the shared photos and one frame of each shared clip. Of each size, the image as it is counts as sharp,
and Gaussian blur of 2, 3 and 5 px and motion of 9, 15 and 25 px in any direction as blurred. The threshold for a
source is chosen on all other sources (leave one out): no image is judged by a threshold that it helped to set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from core.types import ByteArray, FloatArray
from processors.known_people.sharpness import (
    MIN_FACE_PX,
    SHARP_DETAIL,
    SHARP_FACE_DETAIL,
    detail,
    face_region,
)

SIDES_PX = (1024, 640, 320)
GAUSSIAN_PX, MOTION_PX = (2, 3, 5), (9, 15, 25)
MIN_ENLARGED = 0.8
"""sources smaller than this share of a size are left out: they would be judged at another one"""
FRAME_SHARE = 1 / 3
"""where in a clip its frame is taken"""


@dataclass(frozen=True, slots=True)
class BlurCase:
    """An image, blurred or not, and how much detail was found in it."""

    source: str
    side: int
    kind: str
    blurred: bool
    detail: float


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """Shares of wrong answers. accuracy: mean of both kinds' shares of right ones."""

    sharp: int
    blurred: int
    sharp_called_blurred: float
    blurred_called_sharp: float

    @property
    def accuracy(self) -> float:
        return 1 - (self.sharp_called_blurred + self.blurred_called_sharp) / 2


def frame_of(path: Path) -> ByteArray | None:
    """The frame a third into a clip, (h, w, 3) uint8 RGB; None where OpenCV cannot read it."""
    clip = cv2.VideoCapture(str(path))
    try:
        clip.set(cv2.CAP_PROP_POS_FRAMES, int(clip.get(cv2.CAP_PROP_FRAME_COUNT) * FRAME_SHARE))
        done, frame = clip.read()
    finally:
        clip.release()
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8) if done else None


def blur_cases(name: str, image: ByteArray, face: FloatArray | None = None) -> Iterator[BlurCase]:
    """All cases of a source. face: (4,) box in its pixels, to be judged instead of the whole."""
    random = np.random.default_rng(abs(hash_of(name)))
    for side in SIDES_PX:
        scale = min(side / max(image.shape[:2]), 1.0)
        if max(image.shape[:2]) < MIN_ENLARGED * side:
            continue
        base = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        box = None if face is None else face * np.float32(scale)
        if box is not None and box[3] - box[1] < MIN_FACE_PX:
            continue
        made = [("as it is", False, base)]
        made += [(f"Gaussian {s} px", True, cv2.GaussianBlur(base, (0, 0), s)) for s in GAUSSIAN_PX]
        made += [(f"motion {n} px", True, moved(base, n, float(random.uniform(0, 180)))) for n in MOTION_PX]
        for kind, blurred, pixels in made:
            seen = np.asarray(pixels, np.uint8)
            yield BlurCase(name, side, kind, blurred, detail(seen if box is None else face_region(seen, box)))


def moved(image: ByteArray, length: int, degrees: float) -> ByteArray:
    """`image` as if the camera had moved by `length` px during the exposure."""
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), degrees, 1)
    kernel = cv2.warpAffine(line, turn, (length, length))
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.uint8)


def best_threshold(cases: Sequence[BlurCase]) -> float:
    """The threshold with the best accuracy, in the middle of the gap that it lies in."""
    values = np.array([case.detail for case in cases])
    blurred = np.array([case.blurred for case in cases])
    edges = np.unique(values)
    middles = (edges[1:] + edges[:-1]) / 2
    right = [(values[~blurred] >= t).mean() + (values[blurred] < t).mean() for t in middles]
    best = np.flatnonzero(np.array(right) >= max(right) - 1e-9)
    return float(middles[best[len(best) // 2]])


def cross_validated(cases: Sequence[BlurCase]) -> tuple[ErrorRates, tuple[float, float]]:
    """Error rates with the threshold for each source chosen on the others, and the least and largest of those."""
    sources = sorted({case.source for case in cases})
    thresholds = {name: best_threshold([case for case in cases if case.source != name]) for name in sources}
    return rates(cases, thresholds), (min(thresholds.values()), max(thresholds.values()))


def rates(cases: Sequence[BlurCase], thresholds: dict[str, float] | float) -> ErrorRates:
    """Error rates with one threshold, or one for each source."""
    wrong: dict[bool, list[bool]] = {False: [], True: []}
    for case in cases:
        least = thresholds if isinstance(thresholds, float) else thresholds[case.source]
        wrong[case.blurred].append((case.detail < least) != case.blurred)
    return ErrorRates(len(wrong[False]), len(wrong[True]), float(np.mean(wrong[False])), float(np.mean(wrong[True])))


def sharpness_table(images: Sequence[BlurCase], faces: Sequence[BlurCase]) -> Iterator[str]:
    """Markdown."""
    yield "| what | size | sharp | blurred | accuracy | sharp called blurred | blurred called sharp | threshold |"
    yield "|" + "---|" * 8
    for what, cases, fixed in (("image", images, SHARP_DETAIL), ("face", faces, SHARP_FACE_DETAIL)):
        found, (low, high) = cross_validated(cases)
        yield _row(f"{what}, cross-validated", "all", found, f"{low:.2f}-{high:.2f}")
        yield _row(f"{what}, as set", "all", rates(cases, fixed), f"{fixed:.2f}")
        for side in SIDES_PX:
            yield _row(
                f"{what}, as set", f"{side} px", rates([c for c in cases if c.side == side], fixed), f"{fixed:.2f}"
            )


def hash_of(name: str) -> int:
    """A number for a name, the same in every process."""
    return int.from_bytes(name.encode()[-8:], "little")


def _row(what: str, size: str, found: ErrorRates, threshold: str) -> str:
    wrong = f"{found.sharp_called_blurred:.1%} | {found.blurred_called_sharp:.1%}"
    return f"| {what} | {size} | {found.sharp} | {found.blurred} | {found.accuracy:.3f} | {wrong} | {threshold} |"
