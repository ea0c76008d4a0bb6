from pathlib import Path

import av
import numpy as np
import pytest

from core.media.software_frame import SoftwareFrame
from core.media.video_frame import VideoFrame, default_matrix, waiting_frames
from core.types import ColorInfo
from tests.material.small_videos import assert_upright, quadrants

MATRICES = {"bt709": 1, "smpte170m": 5}


def frame_of(rgb: np.ndarray, matrix: str = "smpte170m", *, full_range: bool = False) -> VideoFrame:
    """A frame made from RGB by swscale."""
    image = av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(
        format="yuv420p",
        dst_colorspace=MATRICES[matrix],
        src_color_range=2,
        dst_color_range=2 if full_range else 1,
        interpolation="BICUBIC",
    )
    return SoftwareFrame(image, index=3, pts=7, color=ColorInfo(matrix=matrix, range="pc" if full_range else "tv"))


def smooth_image(width: int, height: int) -> np.ndarray:
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    waves = [128 + 100 * np.sin(3 * x + 2 * y), 255 * x, 255 * y]
    return np.asarray(np.stack(waves, -1).round(), np.uint8)


def planar(width: int, height: int) -> tuple[VideoFrame, list[np.ndarray]]:
    """A frame with random planes, and the planes."""
    random = np.random.default_rng(0)
    image = av.VideoFrame(width, height, "yuv420p")
    planes = []
    for plane in image.planes:
        content = random.integers(0, 256, (plane.height, plane.width), np.uint8)
        padded = np.zeros((plane.height, plane.line_size), np.uint8)
        padded[:, : plane.width] = content
        plane.update(padded.tobytes())
        planes.append(content)
    return SoftwareFrame(image, index=0, pts=0, color=ColorInfo()), planes


@pytest.mark.parametrize("size", [(64, 48), (853, 481), (17, 16)])
def test_planes_leave_the_row_padding_out(size: tuple[int, int]) -> None:
    frame, expected = planar(*size)
    for found, plane in zip(frame.planes(), expected, strict=True):
        np.testing.assert_array_equal(found, plane)
    assert (frame.width, frame.height) == size


def test_planes_are_read_only_views_that_outlive_the_frame() -> None:
    frame, expected = planar(64, 48)
    luma = frame.planes()[0]
    assert np.shares_memory(luma, frame.planes()[0])
    del frame
    with pytest.raises(ValueError, match="read-only"):
        luma[0, 0] = 0
    np.testing.assert_array_equal(luma, expected[0])


@pytest.mark.parametrize("size", [(160, 96), (80, 48), (320, 200), (33, 21), (20, 12)])
def test_rgb_scales_the_whole_frame(size: tuple[int, int]) -> None:
    rgb = frame_of(quadrants(160, 96)).rgb(*size)
    assert rgb.shape == (size[1], size[0], 3)
    assert rgb.flags.c_contiguous
    assert rgb.dtype == np.uint8
    assert_upright(rgb)


@pytest.mark.parametrize("matrix", list(MATRICES))
@pytest.mark.parametrize("full_range", [False, True])
def test_colours_survive_whatever_matrix_and_range(matrix: str, full_range: bool) -> None:
    image = smooth_image(160, 96)
    frame = frame_of(image, matrix, full_range=full_range)
    patch, _, _ = frame.patch((0, 0, 160, 96))
    assert np.abs(patch.astype(int) - image).mean() < 1.5
    assert np.abs(frame.rgb(160, 96).astype(int) - image).mean() < 2.5


def test_untagged_frames_are_taken_by_their_size() -> None:
    assert default_matrix(1920, 1080) == default_matrix(1080, 1920) == default_matrix(1280, 544) == "bt709"
    assert default_matrix(640, 480) == default_matrix(1024, 576) == default_matrix(481, 853) == "smpte170m"


@pytest.mark.parametrize(
    ("box", "rectangle"),
    [
        ((10.0, 20.0, 50.0, 60.0), (10, 20, 50, 60)),
        ((10.2, 20.9, 49.1, 59.999), (10, 20, 50, 60)),
        ((11, 21, 52, 63), (11, 21, 52, 63)),
        ((-5, -7.5, 20, 30), (0, 0, 20, 30)),
        ((140, 80, 900, 1e12), (140, 80, 161, 97)),
        ((30, 30, 30, 30), (30, 30, 31, 31)),
        ((500, -90, 600, -80), (160, 0, 161, 1)),
        ((160, 96, 161, 97), (160, 96, 161, 97)),
    ],
)
def test_patch_is_the_rectangle_that_covers_the_box(
    box: tuple[float, ...], rectangle: tuple[int, int, int, int]
) -> None:
    image = smooth_image(161, 97)
    patch, x0, y0 = frame_of(image).patch(box)
    left, top, right, bottom = rectangle
    assert (x0, y0) == (left, top)
    assert patch.shape == (bottom - top, right - left, 3)
    assert patch.flags.c_contiguous
    assert np.abs(patch.astype(int) - image[top:bottom, left:right]).max() <= 8


def test_patch_refuses_what_is_not_a_number() -> None:
    with pytest.raises(ValueError, match="nan"):
        frame_of(quadrants(64, 48)).patch((0, float("nan"), 5, 5))


def test_repr_tells_the_size_not_the_pixels(tmp_path: Path) -> None:
    assert repr(frame_of(quadrants(64, 48))) == "SoftwareFrame(index=3, pts=7, 64x48)"


@pytest.mark.parametrize(
    ("width", "height", "most", "expected"),
    [(640, 360, 8, 8), (1280, 720, 4, 4), (1920, 1080, 8, 4), (1920, 1080, 4, 2), (3840, 2160, 8, 2)],
)
def test_of_large_frames_fewer_wait(width: int, height: int, most: int, expected: int) -> None:
    assert waiting_frames(width, height, most) == expected
