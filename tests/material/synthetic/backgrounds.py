"""Painted backgrounds: rooms and streets out of focus, textured enough to cost an encoder something."""

from __future__ import annotations

import functools
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.material.synthetic.scenes import Background

Image = NDArray[np.float32]


@functools.lru_cache(maxsize=8)
def background(kind: Background, width: int, height: int, seed: int) -> Image:
    """(height, width, 3) float32 RGB in 0..255. Read-only; the same arguments give the same image."""
    # RandomState's streams are frozen for ever, those of default_rng are not.
    image = _PAINTERS[kind](width, height, np.random.RandomState(seed))
    image += _clouds(width, height, np.random.RandomState(seed + 1), 6)[..., None] * 6
    np.clip(image, 0, 255, out=image)
    image.setflags(write=False)
    return image


@functools.lru_cache(maxsize=8)
def wood(width: int, height: int, seed: int) -> Image:
    """A table's front, (height, width, 3) float32 RGB."""
    random = np.random.RandomState(seed)
    grain = cv2.resize(
        random.rand(max(height // 3, 2), 8).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    shade = np.linspace(1.0, 0.55, height, dtype=np.float32)[:, None]
    shade[: max(height // 24, 2)] = 1.35
    return np.asarray((np.array([112, 74, 46]) * (0.75 + 0.5 * grain[..., None])) * shade[..., None], np.float32)


def _clouds(width: int, height: int, random: np.random.RandomState, octaves: int) -> Image:
    """Noise of all sizes, (height, width) float32, about -1 to 1."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cells = (3 * 2**octave, 4 * 2**octave)
        layer = random.rand(*cells).astype(np.float32) * 2 - 1
        total += cv2.resize(layer, (width, height), interpolation=cv2.INTER_CUBIC) * 0.6**octave
    return total * 0.6


def _gradient(width: int, height: int, top: tuple[int, ...], bottom: tuple[int, ...]) -> Image:
    part = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    return np.asarray(
        np.broadcast_to(np.array(top) * (1 - part) + np.array(bottom) * part, (height, width, 3)), np.float32
    )


def _studio(width: int, height: int, random: np.random.RandomState) -> Image:
    """A curtain lit from one side."""
    x = np.linspace(0, 1, width, dtype=np.float32)
    folds = np.sin(2 * np.pi * (x * 13 + 0.35 * np.sin(2 * np.pi * x * 3 + random.rand() * 6)))
    drape = folds[None] * (0.7 + 0.3 * _clouds(width, height, random, 3))
    light = np.exp(-(((x[None] - 0.35) / 0.5) ** 2 + ((np.linspace(0, 1, height)[:, None] - 0.4) / 0.7) ** 2))
    base = np.array([70, 88, 104]) * (0.55 + 0.75 * light[..., None])
    return np.asarray(base * (1 + 0.22 * drape[..., None]), np.float32)


def _library(width: int, height: int, random: np.random.RandomState) -> Image:
    """Bookshelves."""
    image = np.full((height, width, 3), (58, 40, 26), np.float32)
    shelf = height // 5
    for top in range(-shelf // 2, height, shelf):
        x = 0
        while x < width:
            book = int(width * (0.012 + 0.02 * random.rand()))
            tall = int(shelf * (0.62 + 0.22 * random.rand()))
            color = (np.array([150, 112, 84]) * (0.3 + 0.7 * random.rand()) * (0.8 + 0.4 * random.rand(3))).tolist()
            foot = top + int(shelf * 0.9)
            cv2.rectangle(image, (x, foot - tall), (x + book - 2, foot), color, cv2.FILLED)
            cv2.rectangle(
                image, (x + 1, foot - tall // 2), (x + book - 3, foot - tall // 3), [c * 1.4 for c in color], -1
            )
            x += book + (int(width * 0.03) if random.rand() < 0.06 else 0)
        cv2.rectangle(image, (0, top + int(shelf * 0.9)), (width, top + shelf), (96, 66, 42), cv2.FILLED)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), height / 180), np.float32)


def _night(width: int, height: int, random: np.random.RandomState) -> Image:
    """A street's lights out of focus."""
    image = _gradient(width, height, (16, 20, 40), (52, 36, 40))
    for _ in range(70):
        centre = (int(random.rand() * width), int((0.25 + 0.6 * random.rand()) * height))
        radius = int(height * (0.012 + 0.04 * random.rand()))
        color = np.array([(255, 190, 90), (255, 120, 70), (120, 190, 255), (240, 235, 220)][random.randint(4)])
        disc = np.zeros((height, width), np.float32)
        cv2.circle(disc, centre, radius, 0.10 + 0.35 * random.rand(), cv2.FILLED, cv2.LINE_AA)
        image = image + disc[..., None] * color
    return np.asarray(cv2.GaussianBlur(image, (0, 0), height / 240), np.float32)


def _garden(width: int, height: int, random: np.random.RandomState) -> Image:
    """Leaves and sky."""
    leaves = _clouds(width, height, random, 7)[..., None]
    green = np.array([78, 112, 52]) * (1 + 0.55 * leaves)
    sky = _gradient(width, height, (176, 206, 232), (206, 220, 226))
    edge = np.linspace(-1.1, 1.6, height, dtype=np.float32)[:, None] + 0.9 * _clouds(width, height, random, 5)
    part = np.clip(edge * 3 + 0.5, 0, 1)[..., None]
    return np.asarray(cv2.GaussianBlur(sky * (1 - part) + green * part, (0, 0), height / 260), np.float32)


_PAINTERS: dict[Background, Callable[[int, int, np.random.RandomState], Image]] = {
    "studio": _studio,
    "library": _library,
    "night": _night,
    "garden": _garden,
}
