"""Warnings, one by one."""

from __future__ import annotations

import dataclasses

import numpy as np

from core.types import AudioInfo, RenderResult, Timeline
from processors.result_warnings import result_warnings
from tests.processors.test_video_processor import ANALYSIS, CLIP, INFO, TIMELINE


def test_warnings_say_what_is_wrong_and_nothing_else():
    fine = RenderResult((CLIP,), 0, 0, "libx264")
    assert result_warnings(ANALYSIS, TIMELINE, fine, max_upscale=3) == []
    damaged = dataclasses.replace(ANALYSIS, decode_failures=3)
    (warning,) = result_warnings(damaged, TIMELINE, fine, max_upscale=3)
    assert warning == "damaged pieces of the video that were passed over: 3"
    (warning,) = result_warnings(ANALYSIS, TIMELINE, RenderResult((CLIP,), 2, 0, "libx264"), max_upscale=3)
    assert "pictures" in warning and warning.endswith(": 2")
    (warning,) = result_warnings(ANALYSIS, TIMELINE, RenderResult((CLIP,), 0, 4, "libx264"), max_upscale=3)
    assert "sound" in warning and warning.endswith(": 4")
    for claimed_s, warns in ((0.9, False), (0.95, True), (0.0, False)):
        video = dataclasses.replace(INFO, duration_s=claimed_s, frame_count=round(25 * claimed_s))
        cut_off = dataclasses.replace(ANALYSIS, video=video)
        expected = ["the pictures end before the length that the file claims: by 0.5 s"] if warns else []
        assert result_warnings(cut_off, TIMELINE, fine, max_upscale=3) == expected
        late = dataclasses.replace(cut_off, frame_pts=np.arange(10) + 25)
        assert result_warnings(late, TIMELINE, fine, max_upscale=3) == []
    for container, warns in (("mov", 0), ("avi", 1)):
        video = dataclasses.replace(INFO, container=container, frame_count=50)
        found = result_warnings(dataclasses.replace(ANALYSIS, video=video), TIMELINE, fine, max_upscale=3)
        assert len(found) == warns
    blurred = dataclasses.replace(fine, clips=(dataclasses.replace(CLIP, upscaled=4.5),))
    (warning,) = result_warnings(ANALYSIS, TIMELINE, blurred, max_upscale=3)
    assert warning.endswith("so small: 1, up to 4.5 times")
    (warning,) = result_warnings(ANALYSIS, Timeline(TIMELINE.people, (7,)), fine, max_upscale=3)
    assert "tracks" in warning and warning.endswith(": 1")
    assert result_warnings(ANALYSIS, Timeline(()), RenderResult((), 0, 0, "libx264"), max_upscale=3) == [
        "no faces were found"
    ]
    assert result_warnings(ANALYSIS, TIMELINE, RenderResult((), 0, 0, "libx264"), max_upscale=3) == [
        "nobody is in the picture long enough for a clip"
    ]


def test_sound_that_is_not_heard_is_said():
    def warnings(*tracks):
        analysis = dataclasses.replace(ANALYSIS, video=dataclasses.replace(INFO, audio=tracks))
        return result_warnings(analysis, TIMELINE, RenderResult((CLIP,), 0, 0, "libx264"), max_upscale=3)

    good = AudioInfo(2, "aac", 48000, 2, 0.0)
    undecodable = AudioInfo(1, "apac", 0, 0, 0.0, default=True, fault="cannot be decoded")
    missing = dataclasses.replace(undecodable, codec="mp2", fault="was not found")
    assert warnings() == warnings(good) == warnings(good, dataclasses.replace(undecodable, default=False)) == []
    assert warnings(undecodable) == ["has sound that cannot be decoded (apac); the clips are silent"]
    assert warnings(missing, undecodable) == ["has sound that cannot be decoded (apac); the clips are silent"]
    assert warnings(missing) == ["declares sound (mp2) that was not found; the clips are silent"]
    assert warnings(undecodable, good) == [
        "sound track 1 (apac) cannot be decoded; the clips have the sound of track 2 (aac)"
    ]
