"""Small images of faces that were never seen, for what compares them at a glance."""

from __future__ import annotations

import cv2
import numpy as np

from core.types import FloatArray
from processors.faces.appearance import LOOK_MARGIN_PX, LOOK_SIDE_PX

SIDE = LOOK_SIDE_PX - 2 * LOOK_MARGIN_PX


def made_up_look(kind: int) -> FloatArray:
    """(576,) float32 as in `Appearance`, of unit length. The same number gives the same; others are unlike it."""
    coarse = np.random.RandomState(kind).uniform(-1, 1, (7, 7)).astype(np.float32)
    return unit_look(cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))


def lit_from_the_side(look: FloatArray, strength: float = 1.0) -> FloatArray:
    """The same face, brighter towards the right. strength: contrast of that slope, as a share of the face's."""
    slope = np.linspace(-1, 1, SIDE, dtype=np.float32) * np.sqrt(3.0, dtype=np.float32)
    image = look.reshape(SIDE, SIDE)
    return unit_look(image + np.float32(strength * image.std()) * slope)


def unit_look(image: FloatArray) -> FloatArray:
    """(24, 24) grey levels as a look, without the share that noise takes of faint ones."""
    centred = (image - image.mean()).ravel()
    return np.asarray(centred / np.linalg.norm(centred), np.float32)
