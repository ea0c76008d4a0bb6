"""Frames are converted when somebody looks, and only then."""

from __future__ import annotations

import weakref
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.model_manager import ModelManager
from processors.faces.analysis_frame import LAZY_LIMIT_PX, THUMB_HEIGHT, THUMB_WIDTH, AnalysisImage
from utils.images.noise import NOISY
from utils.images.tone_stretch import DARKENING, NARROW_RANGE


class Frame:
    """Stands in for a `VideoFrame`."""

    def __init__(self, width=640, height=360, level=180, contrast=0, light=(1, 1, 1)):
        self.width, self.height = width, height
        self.conversions = []
        self._level, self._contrast, self._light = level, contrast, light

    def rgb(self, width, height):
        self.conversions.append((width, height))
        return self._stripes(width, height)

    def shrunk(self, width, height):
        return cv2.cvtColor(self._stripes(width, height), cv2.COLOR_RGB2YCrCb)

    def _stripes(self, width, height):
        pixels = np.full((height, width, 3), self._level, np.uint8)
        pixels[: height // 2] += self._contrast
        return np.rint(pixels * np.array(self._light)).astype(np.uint8)


def test_converted_once_and_only_when_asked():
    frame: Any = Frame()
    image = AnalysisImage(frame, 320, 180)
    assert frame.conversions == []
    assert image() is image()
    assert frame.conversions == [(320, 180)]
    assert image().shape == (180, 320, 3)


def test_a_converted_image_lets_the_decoded_frame_go():
    frame: Any = Frame()
    gone = weakref.ref(frame)
    image = AnalysisImage(frame, 320, 180)
    del frame
    assert gone() is not None
    image()
    assert gone() is None, "decoded frames are the large ones"


def test_what_waits_is_the_decoded_frame_until_it_is_converted():
    frame: Any = Frame(640, 360)
    image = AnalysisImage(frame, 320, 180)
    assert image.waiting_bytes == 640 * 360 * 3 // 2
    image()
    assert image.waiting_bytes == 0


def test_very_large_frames_are_converted_at_once():
    frame: Any = Frame(3840, 2160)
    assert frame.width * frame.height > LAZY_LIMIT_PX
    AnalysisImage(frame, 860, 484)
    assert frame.conversions == [(860, 484)]
    full_hd: Any = Frame(1920, 1088)
    AnalysisImage(full_hd, 860, 484)
    assert full_hd.conversions == []


def test_a_thumbnail_without_colour_is_grey():
    frame: Any = Frame()
    image = AnalysisImage(frame, 320, 180)
    small = image.small_rgb()
    assert small.shape == (THUMB_HEIGHT, THUMB_WIDTH, 3)
    assert small.dtype == np.uint8
    assert (small == 180).all()
    assert image.luma.shape == (THUMB_HEIGHT, THUMB_WIDTH) and (image.luma == 180).all()
    assert frame.conversions == [], "neither takes a conversion"


@pytest.mark.parametrize(("level", "contrast"), [(5, 40), (200, 40), (100, 20)])
def test_dark_and_pale_frames_get_the_whole_range_of_tones(level, contrast):
    frame: Any = Frame(level=level, contrast=contrast)
    image = AnalysisImage(frame, 320, 180)
    assert (image().min(), image().max()) == (0, 255)
    assert image.gain == pytest.approx(255 / contrast)
    assert image.luma.min() == level, "thumbnails stay: shots and changes are measured on them"


def test_frames_of_an_overexposed_video_are_darkened_and_not_stretched():
    frame: Any = Frame(level=200, contrast=40)
    image = AnalysisImage(frame, 320, 180, is_overexposed=True)
    assert (image().min(), image().max()) == (round(255 * (200 / 255) ** 6), round(255 * (240 / 255) ** 6))
    assert image.gain == DARKENING
    assert image.luma.min() == 200


def test_other_frames_stay_as_they_are():
    frame: Any = Frame(level=100, contrast=NARROW_RANGE)
    image = AnalysisImage(frame, 320, 180)
    assert (image().min(), image().max(), image.gain) == (100, 100 + NARROW_RANGE, 1.0)


def test_a_face_in_hardly_any_light_is_seen(models: ModelManager, portraits: dict[str, NDArray[np.uint8]]) -> None:
    portrait = portraits["hopper"]
    dim = np.rint(0.05 * portrait).astype(np.uint8)
    height, width = dim.shape[:2]
    frame: Any = Frame(width, height)
    frame.rgb = lambda width, height: dim
    frame.shrunk = lambda width, height: np.asarray(cv2.resize(dim, (width, height), interpolation=cv2.INTER_AREA))
    found = [models.cascade.detect([image], 60)[0] for image in (dim, AnalysisImage(frame, width, height)())]
    assert len(found[0]) == 0
    assert found[1].scores[0] > 0.97


def test_noisy_frames_are_smoothed_and_others_are_not():
    frame: Any = Frame(level=60, contrast=120)
    clean = AnalysisImage(frame, 320, 180)()
    assert np.array_equal(clean, frame.rgb(320, 180))
    grain = np.random.default_rng(0).normal(0, 2 * NOISY, clean.shape).astype(np.int16)
    noisy = np.clip(clean + grain, 0, 255).astype(np.uint8)
    frame.rgb = lambda width, height: noisy
    error = [np.std(image.astype(float) - clean) for image in (AnalysisImage(frame, 320, 180)(), noisy)]
    assert error[0] < 0.6 * error[1]


def test_tinted_frames_are_grey_and_dark_ones_among_them_get_the_whole_range_of_tones():
    frame: Any = Frame(level=100, contrast=NARROW_RANGE, light=(0.2, 1, 0.2))
    image = AnalysisImage(frame, 320, 180)
    assert (image()[0, 0].tolist(), image()[-1, -1].tolist()) == ([180] * 3, [100] * 3)
    assert image.gain == pytest.approx(1 / (0.587 + 0.2 * 0.413), rel=0.03)
    dark: Any = Frame(level=50, contrast=40, light=(0.2, 1, 0.2))
    image = AnalysisImage(dark, 320, 180)
    assert (image().min(), image().max()) == (0, 255)
    assert image.gain == pytest.approx(255 / 40 / (0.587 + 0.2 * 0.413), rel=0.03)
