"""Images that are pushed out, covered or drawn away, in every direction; and pans, which are not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.types import FloatArray
from processors.shots.slide_fit import fit_slide

HEIGHT, WIDTH = 36, 64
WAY = [0.0, 0.0, 0.0, 0.08, 0.2, 0.34, 0.5, 0.66, 0.8, 0.92, 1.0, 1.0, 1.0]
"""how far the edge has come, frame by frame"""


def picture(seed: int, width: int = WIDTH) -> FloatArray:
    """(36, width) float32: soft blobs."""
    coarse = np.random.default_rng(seed).uniform(0, 255, (9, width // 4)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)


OLD, NEW, OTHER = picture(1), picture(2), picture(3)


def slid(kind: str, axis: int, backwards: bool, way: list[float]) -> list[FloatArray]:
    old, new = (np.flip(image, axis) if backwards else image for image in (OLD, NEW))
    length = old.shape[axis]
    frames = []
    for share in way:
        moved = round(share * length)
        first = moved if kind in ("push", "reveal") else 0
        second = length - moved if kind == "reveal" else 0
        parts = (
            np.take(old, np.arange(first, first + length - moved), axis),
            np.take(new, np.arange(second, second + moved), axis),
        )
        frame = np.concatenate(parts, axis)
        frames.append(np.flip(frame, axis) if backwards else frame)
    return frames


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("kind", ["push", "cover", "reveal"])
def test_an_image_that_slides_in_is_found(kind: str, axis: int, backwards: bool) -> None:
    found = fit_slide(slid(kind, axis, backwards, WAY))
    assert found is not None and found.residual < 0.01
    assert (found.middle, found.settled) == (6, 10)


def test_a_pan_by_its_own_width_is_not_a_push() -> None:
    wide = picture(5, 2 * WIDTH)
    assert fit_slide([wide[:, round(share * WIDTH) :][:, :WIDTH] for share in WAY]) is None


def test_a_pan_further_than_that_is_none() -> None:
    wide = np.concatenate([OLD, OTHER, NEW], axis=1)
    assert fit_slide([wide[:, round(share * 2 * WIDTH) :][:, :WIDTH] for share in WAY]) is None


@pytest.mark.parametrize(
    "way",
    [
        pytest.param([0.0] * 6 + [1.0] * 6, id="a cut"),
        pytest.param([0.0, 0.0, 0.0, 0.25, 0.65, 0.95, 1.0, 1.0, 1.0], id="a swish"),
        pytest.param([*WAY[:6], 0.5, 0.4, 0.6, *WAY[8:]], id="there and back"),
    ],
)
def test_what_moves_otherwise_is_none(way: list[float]) -> None:
    assert fit_slide(slid("push", 1, False, way)) is None
