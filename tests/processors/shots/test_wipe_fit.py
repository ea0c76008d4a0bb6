"""Runs of frames in which an edge sweeps over the image, and runs in which something else happens."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.types import FloatArray
from processors.shots.gradual_run import GradualFit, gradual_run
from processors.shots.wipe_fit import fit_wipe

HEIGHT, WIDTH = 18, 32
STILL, LENGTH = 4, 12  # frames before and after, and of the wipe
Mask = Callable[[NDArray[np.floating], NDArray[np.floating]], NDArray[np.floating]]
"""where on its way from 0 to 1 the edge passes a place; x, y: (18, 32), from -1 to 1"""

LEFT: Mask = lambda x, y: (x + 1) / 2  # noqa: E731
DIAGONAL: Mask = lambda x, y: (x + y + 2) / 4  # noqa: E731
IRIS: Mask = lambda x, y: np.hypot(x, y) / np.sqrt(2)  # noqa: E731
DOORS: Mask = lambda x, y: np.abs(x)  # noqa: E731
CLOCK: Mask = lambda x, y: np.arctan2(x, -y) / (2 * np.pi) + 0.5  # noqa: E731


def image(seed: int) -> FloatArray:
    """(18, 32, 3) float32: blobs of colour."""
    coarse = np.random.default_rng(seed).uniform(0, 255, (5, 8, 3)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)


OLD, NEW, OTHER = image(1), image(2), image(3)


def wiped(mask: Mask, softness: float = 0.04) -> list[FloatArray]:
    """(18, 32, 3) frames: still, a wipe, still. softness: width of the edge, as a share of its way."""
    ys, xs = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    passes = mask(xs, ys)
    frames = [OLD] * STILL
    for i in range(LENGTH):
        share = np.clip(((i + 1) / (LENGTH + 1) * (1 + softness) - passes) / softness, 0, 1)[..., None]
        frames.append(((1 - share) * OLD + share * NEW).astype(np.float32))
    return [*frames, *[NEW] * STILL]


def fit(frames: list[FloatArray]) -> GradualFit | None:
    run = gradual_run([frame.ravel() for frame in frames])
    return None if run is None else fit_wipe(run)


@pytest.mark.parametrize("softness", [0.04, 0.5])
@pytest.mark.parametrize(
    "mask", [LEFT, DIAGONAL, IRIS, DOORS, CLOCK], ids=["left", "diagonal", "iris", "doors", "clock"]
)
def test_an_edge_that_sweeps_over_the_image_is_a_wipe(mask: Mask, softness: float) -> None:
    found = fit(wiped(mask, softness))
    assert found is not None
    assert abs(found.middle - (STILL + LENGTH / 2)) <= 3 and found.middle < found.settled <= STILL + LENGTH


def test_backwards_too() -> None:
    found = fit(wiped(lambda x, y: 1 - IRIS(x, y)))
    assert found is not None


def test_places_that_turn_in_no_order_are_no_wipe() -> None:
    """As many places turn with each frame, here and there: noise, water, a crowd."""
    ranks = np.random.default_rng(4).permutation(HEIGHT * WIDTH // 4).reshape(HEIGHT // 2, WIDTH // 2)
    scattered = np.kron(ranks, np.ones((2, 2))).astype(np.float32) / ranks.size
    assert fit(wiped(lambda x, y: scattered)) is None


def test_somebody_who_passes_in_front_is_not_a_wipe() -> None:
    frames = wiped(LEFT)
    for i in range(STILL, STILL + LENGTH):
        left = (i - STILL) * WIDTH // LENGTH
        frames[i] = frames[i].copy()
        frames[i][:, left : left + 16] = OTHER[:, left : left + 16]
    assert fit(frames) is None


def test_a_pan_is_not_a_wipe() -> None:
    wide = np.concatenate([OLD, OTHER[:, :20], NEW], axis=1)
    lefts = [0] * STILL + np.linspace(0, WIDTH + 20, LENGTH).astype(int).tolist() + [WIDTH + 20] * STILL
    assert fit([wide[:, left : left + WIDTH] for left in lefts]) is None
