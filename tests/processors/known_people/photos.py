"""Photos for the tests, made on the spot."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.material.synthetic.portraits import COLLINS, HOPPER, photograph

ORIENTATION_TAG = 0x0112


def random_image(width: int = 320, height: int = 240, seed: int = 0) -> NDArray[np.uint8]:
    """Smooth coloured noise, (height, width, 3) uint8 RGB."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC), np.uint8)


def save(path: Path, pixels: NDArray[np.uint8], *, orientation: int = 1, **options: Any) -> Path:
    """Write `pixels` in the format that the name of `path` says."""
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[ORIENTATION_TAG] = orientation
    image.save(path, exif=exif, **options)
    return path


def jpeg(pixels: NDArray[np.uint8], quality: int = 92) -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=quality)
    return data.getvalue()


def collins() -> NDArray[np.uint8]:
    """A photograph of one person."""
    return photograph(COLLINS)


def hopper() -> NDArray[np.uint8]:
    """A photograph of another."""
    return photograph(HOPPER)
