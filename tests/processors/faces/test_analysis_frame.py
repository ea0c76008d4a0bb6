"""Frames are converted when somebody looks, and only then."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from processors.faces.analysis_frame import LAZY_LIMIT_PX, THUMB_HEIGHT, THUMB_WIDTH, AnalysisImage


class Frame:
    """Stands in for a `VideoFrame`."""

    def __init__(self, width=640, height=360):
        self.width, self.height = width, height
        self.conversions = []

    def rgb(self, width, height):
        self.conversions.append((width, height))
        return np.zeros((height, width, 3), np.uint8)

    def shrunk(self, width, height):
        return np.full((height, width, 3), (180, 128, 128), np.uint8)


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
