"""Images that are carried away over the next one, beside a camera that moves and somebody who passes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.types import ByteArray
from processors.shots.carried_image import carries_away, shows_parts_of_both, shows_two_images
from processors.shots.shot_detector import ShotDetector

WIDTH, HEIGHT, LENGTH = 128, 72, 14
UNLIKE = 0.8
"""mismatch of two images that have nothing in common"""


def scene(seed: int, wide: int = 1) -> ByteArray:
    """(72, 128 * wide) uint8 of random tones."""
    coarse = np.random.default_rng(seed).integers(20, 236, (9, 16 * wide)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (WIDTH * wide, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def over(image: ByteArray, below: ByteArray, motion: np.ndarray) -> ByteArray:
    """`image`, moved by an affine motion, over another."""
    moved = cv2.warpAffine(image, motion, (WIDTH, HEIGHT))
    inside = cv2.warpAffine(np.full_like(image, 255), motion, (WIDTH, HEIGHT)) > 127
    return np.where(inside, moved, below).astype(np.uint8)


def shrunk(scale: float) -> np.ndarray:
    return np.array([[scale, 0, 0], [0, scale, 0]], np.float32)


def shifted(x: float, y: float) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y]], np.float32)


def shares() -> list[float]:
    return [float(t) for t in (1 - np.cos(np.linspace(0, np.pi, LENGTH + 2))) / 2]


def flies_off() -> list[ByteArray]:
    """Shrinks into the upper left corner."""
    old, new = scene(1), scene(2)
    return [over(old, new, shrunk(max(1 - t, 0.01))) for t in shares()]


def spins_in() -> list[ByteArray]:
    old, new = scene(1), scene(2)
    middle = (WIDTH / 2, HEIGHT / 2)
    return [over(new, old, cv2.getRotationMatrix2D(middle, 90 * (1 - t), max(t, 0.01))) for t in shares()]


def pans() -> list[ByteArray]:
    """A camera turns by the width of its image."""
    wide = scene(3, wide=2)
    return [wide[:, round(t * WIDTH) : round(t * WIDTH) + WIDTH].copy() for t in shares()]


def somebody_passes() -> list[ByteArray]:
    """A large object crosses the image, which is the same afterwards."""
    room, body = scene(1), scene(4)
    places = np.linspace(-WIDTH, WIDTH, LENGTH + 2)
    return [over(body, room, shifted(place, 0)) for place in places]


def caption_slides_in() -> list[ByteArray]:
    room, caption = scene(1), scene(4)
    return [over(caption, room, shifted(0, HEIGHT * (1 - t / 3))) for t in shares()]


@pytest.mark.parametrize("film", [flies_off, spins_in])
def test_both_images_are_seen_and_move_apart(film) -> None:
    assert shows_two_images(film())


@pytest.mark.parametrize("film", [pans, somebody_passes, caption_slides_in])
def test_what_carries_no_image_away(film) -> None:
    frames = film()
    assert not shows_two_images(frames)
    assert not carries_away(frames, 0.1)


def test_parts_of_two_images_in_their_places() -> None:
    old, new = scene(1), scene(2)
    columns = np.arange(WIDTH)
    frames = [np.where(columns < WIDTH * (1 - t), old, new).astype(np.uint8) for t in shares()]
    assert shows_parts_of_both(frames)
    assert carries_away(frames, UNLIKE) and not carries_away(frames, 0.1)
    assert not shows_parts_of_both(pans())


def test_the_detector_begins_a_shot_in_the_middle() -> None:
    film = flies_off()
    frames = [film[0]] * 40 + film + [film[-1]] * 40
    detector = ShotDetector(25.0)
    for frame in frames:
        detector.update(np.repeat(frame[..., None], 3, 2))
    detector.finish()
    (_, after) = detector.shots(len(frames))
    assert after.transition == "wipe" and abs(after.start - (40 + len(film) / 2)) <= 4
    assert any(b.first <= 42 and b.end >= 38 + len(film) - 4 for b in detector.bursts)
