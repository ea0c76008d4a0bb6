"""Whether a picture differs from an earlier one, away from the faces known."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import ByteArray, FloatArray

WIDTH, HEIGHT = 96, 54
"""cells compared; the smallest face looked for covers three of them"""

CHANGE_LEVELS = 6.0
"""grey levels by which a cell has to differ; noise and coding move cell means by 1 to 2"""


class ChangeDetector:
    """Compares pictures with the one that was remembered last."""

    def __init__(self) -> None:
        self._cells: NDArray[np.int16] | None = None

    def remember(self, picture: ByteArray) -> None:
        """(h, w, 3) uint8: what later pictures are compared with."""
        self._cells = _cells(picture)

    def since_last(self, picture: ByteArray, known: Sequence[FloatArray]) -> bool:
        """True where `picture` differs somewhere outside of the boxes `known`, (4,) each in its pixels."""
        if self._cells is None:
            return True
        change = np.abs(_cells(picture) - self._cells)
        scale = np.array([WIDTH / picture.shape[1], HEIGHT / picture.shape[0]])
        for box in known:
            low = np.clip(np.floor(box[:2] * scale), 0, None).astype(int)
            high = np.clip(np.ceil(box[2:] * scale), 0, None).astype(int)
            change[low[1] : high[1], low[0] : high[0]] = 0
        return bool(change.max() > CHANGE_LEVELS)


def _cells(picture: ByteArray) -> NDArray[np.int16]:
    small = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.int16)
