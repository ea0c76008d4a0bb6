"""Frames on a device answer what those in host memory answer; torch's device is the CPU here."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest
import torch

from core.media.device_frame import DeviceFrame
from core.media.resampler import Resampler
from core.media.software_frame import SoftwareFrame
from core.types import ByteArray, ColorInfo
from tests.material.small_videos import assert_upright, quadrants

MATRICES = {"bt709": 1, "smpte170m": 5}
RESAMPLER = Resampler(torch.device("cpu"))

MEAN_ERROR = 3.0
"""how far RGB may be from swscale's in the mean, levels: that rounds down at every step, and puts the samples of
smaller images up to half a pixel elsewhere"""
TRUE_MEAN_ERROR = 1.0
"""how far RGB may be from the truth: half a level of rounding in RGB, half in YUV, and chroma with half the pixels"""


def smooth(width: int, height: int) -> ByteArray:
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    waves = [128 + 100 * np.sin(9 * x + 5 * y), 255 * x, 128 + 100 * np.cos(11 * y)]
    return np.asarray(np.stack(waves, -1).round(), np.uint8)


def pair(rgb: ByteArray, matrix: str = "smpte170m", *, full_range: bool = False) -> tuple[DeviceFrame, SoftwareFrame]:
    """The same frame on a device and in host memory."""
    decoded = av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(
        format="yuv420p",
        dst_colorspace=MATRICES[matrix],
        src_color_range=2,
        dst_color_range=2 if full_range else 1,
        interpolation="BICUBIC",
    )
    surface = tensors(decoded.reformat(format="nv12", src_color_range=1, dst_color_range=1))
    color = ColorInfo(matrix=matrix, range="pc" if full_range else "tv")
    return (
        DeviceFrame(surface, RESAMPLER, index=3, pts=7, color=color),
        SoftwareFrame(decoded, index=3, pts=7, color=color),
    )


def tensors(frame: av.VideoFrame) -> tuple[torch.Tensor, torch.Tensor]:
    y, uv = (torch.from_dlpack(plane.__dlpack__()) for plane in frame.planes)
    return y, uv


def difference(a: ByteArray, b: ByteArray) -> np.ndarray:
    return np.asarray(a.astype(int) - b.astype(int))


@pytest.mark.parametrize("size", [(64, 48), (854, 480), (18, 16)])
def test_planes_are_the_same(size: tuple[int, int]) -> None:
    there, here = pair(smooth(*size))
    assert (there.index, there.pts, there.width, there.height, there.placed) == (3, 7, *size, None)
    for mine, wanted in zip(there.planes(), here.planes(), strict=True):
        assert np.array_equal(mine, wanted)
        with pytest.raises(ValueError, match="read-only"):
            mine[0, 0] = 0


def test_the_decoders_buffer_is_not_kept() -> None:
    luma, chroma = torch.full((4, 6), 100, dtype=torch.uint8), torch.full((2, 3, 2), 50, dtype=torch.uint8)
    frame = DeviceFrame((luma, chroma), RESAMPLER, index=0, pts=0, color=ColorInfo())
    luma.zero_()
    chroma.zero_()
    assert [int(plane.max()) for plane in frame.planes()] == [100, 50, 50]


@pytest.mark.parametrize("size", [(160, 96), (80, 48), (320, 200), (33, 21), (20, 12)])
def test_rgb_shows_the_whole_frame(size: tuple[int, int]) -> None:
    rgb = pair(quadrants(160, 96))[0].rgb(*size)
    assert rgb.shape == (size[1], size[0], 3)
    assert rgb.flags.c_contiguous and rgb.dtype == np.uint8
    assert_upright(rgb)


@pytest.mark.parametrize("matrix", list(MATRICES))
@pytest.mark.parametrize("full_range", [False, True])
def test_colours_are_those_of_software(matrix: str, full_range: bool) -> None:
    image = smooth(640, 360)
    there, here = pair(image, matrix, full_range=full_range)
    for size, scaling in (
        ((640, 360), cv2.INTER_LINEAR),
        ((320, 180), cv2.INTER_LINEAR),
        ((400, 226), cv2.INTER_LINEAR),
        ((128, 72), cv2.INTER_AREA),
    ):
        rgb = there.rgb(*size)
        assert np.abs(difference(rgb, here.rgb(*size))).mean() < MEAN_ERROR
        assert np.abs(difference(rgb, cv2.resize(image, size, interpolation=scaling))).mean() < TRUE_MEAN_ERROR


@pytest.mark.parametrize("size", [(640, 360), (854, 480)])
def test_thumbnails_are_those_of_software(size: tuple[int, int]) -> None:
    image = smooth(*size)
    image[::3] = 255 - image[::3]
    there, here = pair(image)
    error = np.abs(difference(there.shrunk(128, 72), here.shrunk(128, 72)))
    # Both average the same areas; swscale's weights have 14 bits, and it rounds once for each direction.
    assert error.max() <= 2 and error.mean() < 0.5


@pytest.mark.parametrize(
    "box",
    [
        (10.0, 20.0, 50.0, 60.0),
        (11, 21, 52, 63),
        (-5, -7.5, 20, 30),
        (140, 80, 900, 1e12),
        (30, 30, 30, 30),
        (0, 0, 161, 97),
    ],
)
def test_patches_are_the_same_to_the_bit(box: tuple[float, ...]) -> None:
    there, here = pair(smooth(160, 96))
    mine, wanted = there.patch(box), here.patch(box)
    assert mine[1:] == wanted[1:] and np.array_equal(mine[0], wanted[0])


def test_ten_bits_become_eight() -> None:
    values = np.random.default_rng(0).integers(0, 1024, (48, 64), np.uint16)
    values[0, :4] = 0, 1023, 1022, 1020
    luma, chroma = torch.from_numpy(values << 6), torch.from_numpy((values[:24] << 6).reshape(24, 32, 2))
    frame = DeviceFrame((luma, chroma), RESAMPLER, index=0, pts=0, color=ColorInfo())
    y, u, v = frame.planes()
    assert y[0, :4].tolist() == [0, 255, 255, 255]
    assert np.abs(y - values / 4).max() <= 0.75, "above 255 there is nothing to round to"
    assert np.array_equal(np.stack([u, v], -1).reshape(24, 64), y[:24])


def test_ten_bits_of_pyav_arrive() -> None:
    eight = av.VideoFrame.from_ndarray(smooth(64, 48), "rgb24").reformat(format="yuv420p")
    frame = DeviceFrame(tensors(eight.reformat(format="p010le")), RESAMPLER, index=0, pts=0, color=ColorInfo())
    here = SoftwareFrame(eight, index=0, pts=0, color=ColorInfo())
    assert all(np.array_equal(mine, wanted) for mine, wanted in zip(frame.planes(), here.planes(), strict=True))
