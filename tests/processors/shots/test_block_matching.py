"""Images that match and images that do not."""

from __future__ import annotations

import cv2
import numpy as np

from processors.shots.block_matching import mismatch
from tests.processors.shots.test_shot_detector import scene


def test_mismatch_ignores_light_and_small_shifts() -> None:
    one, other = (
        cv2.resize(cv2.cvtColor(scene(s, 1)[0], cv2.COLOR_RGB2GRAY), (64, 36), interpolation=cv2.INTER_AREA).astype(
            np.float32
        )
        for s in (1, 2)
    )
    assert mismatch(one, one) < 0.01
    assert mismatch(one, 0.3 * one + 40) < 0.01
    assert mismatch(one, np.roll(one, 2, axis=1)) < 0.15
    assert mismatch(one, other) > 0.45
    assert mismatch(one, np.zeros_like(one)) > 0.9
    assert mismatch(np.zeros_like(one), np.zeros_like(one)) < 0.1
