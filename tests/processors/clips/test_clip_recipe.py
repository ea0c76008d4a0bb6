"""The recipe of a clip depends on everything that determines its bytes, and not on whose clip it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from msgspec.structs import replace as replace_settings

from config import EncodeSettings
from core.types import CropPath, Segment
from processors.clips.clip_recipe import clip_recipe
from utils.images.box_geometry import Window
from utils.images.plane_crops import Planes

SETTINGS = EncodeSettings()


class Darkened:
    """An effect of which only its facts matter here."""

    @property
    def facts(self) -> dict[str, str]:
        return {"effect": "darkened"}

    def apply(self, planes: Planes, window: Window, frame_index: int) -> Planes:
        return planes


def path(person: str = "p", start: int = 0, shift: float = 0.0) -> CropPath:
    windows = np.tile([shift, 0.0, 64.0 + shift, 64.0], (3, 1))
    return CropPath(Segment(person, 0, start, start + 3, (0,)), start + np.arange(3), windows, 64, 64)


ORDINARY = clip_recipe(path(), "libx264", (), analysis_key="aa", settings=SETTINGS)


@pytest.mark.parametrize("changed", [path(shift=0.25), path(start=1), replace(path(), width=96)])
def test_frames_windows_and_size_count(changed):
    assert clip_recipe(changed, "libx264", (), analysis_key="aa", settings=SETTINGS) != ORDINARY


def test_the_image_that_may_be_shown_counts():
    cropped = replace(path(), visible=(0, 0, 60, 64))
    assert clip_recipe(cropped, "libx264", (), analysis_key="aa", settings=SETTINGS) != ORDINARY


def test_encoder_settings_effects_and_analysis_count():
    other = replace_settings(SETTINGS, quality=20)
    assert clip_recipe(path(), "h264_nvenc", (), analysis_key="aa", settings=SETTINGS) != ORDINARY
    assert clip_recipe(path(), "libx264", (), analysis_key="aa", settings=other) != ORDINARY
    assert clip_recipe(path(), "libx264", (), analysis_key="bb", settings=SETTINGS) != ORDINARY
    assert clip_recipe(path(), "libx264", (Darkened(),), analysis_key="aa", settings=SETTINGS) != ORDINARY


def test_the_person_does_not_count():
    assert clip_recipe(path("somebody"), "libx264", (), analysis_key="aa", settings=SETTINGS) == ORDINARY


def test_timecode_counts_where_there_is_one():
    timed = [
        clip_recipe(path(), "libx264", (), analysis_key="aa", settings=SETTINGS, timecode=timecode)
        for timecode in ("", "00:00:00:00", "01:00:00:00")
    ]
    assert timed[0] == ORDINARY and len(set(timed)) == 3
