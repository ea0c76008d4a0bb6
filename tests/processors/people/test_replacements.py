"""Somebody who takes another one's place at a jump cut is never joined with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from config import IdentitySettings
from processors.people.tracklet_grouping import group_tracklets
from tests.material.factories import face_analysis, tracklet, video_info

FACE = np.eye(1, 8, dtype=np.float32)


def labels(*, is_replacement: bool) -> list[int]:
    first = tracklet(0, range(50), embeddings=FACE)
    second = replace(tracklet(1, range(50, 100), embeddings=FACE), is_replacement=is_replacement)
    analysis = face_analysis((first, second), 100, video=video_info(width=320, height=180))
    return [int(label) for label in group_tracklets((first, second), analysis, IdentitySettings()).labels]


def test_who_replaces_another_is_somebody_else_however_alike_they_are() -> None:
    assert labels(is_replacement=False) == [0, 0]
    assert labels(is_replacement=True) == [0, 1]
