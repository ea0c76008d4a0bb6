"""Crops sub-pixel windows from 8-bit planes and resamples them to any size.

A 4:2:0 frame is cropped plane by plane, without conversion to RGB. Coordinates are those of `core.types`: the corner of
pixel (0, 0) is at (0, 0), its centre at (0.5, 0.5).
"""

from __future__ import annotations

import functools
import math
import threading
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from utils.images.box_geometry import Window

Plane = NDArray[np.uint8]
Planes = tuple[Plane, Plane, Plane]
"""Y, U and V"""
Kernel = NDArray[np.float32]
Scalar = TypeVar("Scalar", bound=np.generic)

_MARGIN = 16  # px around a window that the kernels below may read
_buffers = threading.local()
_EXACT = 1e-6  # px; smaller offsets and deviations of the scale are rounding errors
_NEAR_WHOLE = 1 / 32  # px of the source; a corner this close to a whole pixel needs no shift
_LEAD = 40  # output px before the window that are searched for such a corner
TRAIL_PX = 64  # output px after the window that are searched for a whole number of source px


class _Axis(NamedTuple):
    """Where the output lies in the source, horizontally or vertically: `size` px of `scale` source px from `start`."""

    start: float
    scale: float
    size: int


class _WiderSpan(NamedTuple):
    """More than an `_Axis` asks for, so that a filter can read around it.

    lead: output px before the first one that was asked for. corner: where they begin, source px.
    made: output px in all. read: source px that they are made from.
    """

    lead: int
    corner: float
    made: int
    read: int


def crop_planes(
    planes: Planes, window: Window, out_w: int, out_h: int, area: tuple[int, int, int, int] | None = None
) -> Planes:
    """Crop a 4:2:0 frame.

    planes: Y (H, W), U and V (ceil(H/2), ceil(W/2)) uint8. window: xyxy in luma px. area: the part of the frame that
    may be read, xyxy in luma px, from an even corner to even or last ones; beyond it, its edge is repeated.
    Returns Y (out_h, out_w), U and V (out_h/2, out_w/2) uint8, contiguous; out_w and out_h are even.
    """
    if area is not None:
        planes, window = _within(planes, window, area)
    chroma = _chroma_window(window, out_w)
    return (
        crop_plane(planes[0], window, out_w, out_h),
        crop_plane(planes[1], chroma, out_w // 2, out_h // 2),
        crop_plane(planes[2], chroma, out_w // 2, out_h // 2),
    )


def crop_plane(plane: Plane, window: Window, out_w: int, out_h: int) -> Plane:
    """The part `window` (xyxy, px, sub-pixel) of `plane` (H, W) uint8 as (out_h, out_w) uint8, contiguous.

    Area and band-limiting filters for shrinking, bicubic for enlarging, a windowed sinc for shifts. A window at whole
    coordinates and of the size of the output is copied exactly. Outside of the plane, its edge is repeated.

    Raises:
        ValueError: the window is empty.
    """
    x1, y1, x2, y2 = (float(v) for v in window)
    scale_x, scale_y = (x2 - x1) / out_w, (y2 - y1) / out_h
    if not (scale_x > 0 and scale_y > 0):
        raise ValueError(f"empty window {window}")
    if abs(scale_x - 1) < _EXACT and abs(scale_y - 1) < _EXACT:
        return _shifted(plane, x1, y1, out_w, out_h)
    reduction = max(int(min(scale_x, scale_y) + _EXACT), 1)
    if reduction > 1:
        plane, x1, y1 = _reduced(plane, (x1, y1, x2, y2), reduction)
        scale_x, scale_y = scale_x / reduction, scale_y / reduction
    across, down = _Axis(x1, scale_x, out_w), _Axis(y1, scale_y, out_h)
    if max(scale_x, scale_y) > 1:
        return _shrunk(plane, across, down)
    return _enlarged(plane, across, down)


def _within(planes: Planes, window: Window, area: tuple[int, int, int, int]) -> tuple[Planes, Window]:
    """Views of the planes that show `area` only, and the window in their coordinates."""
    left, top, right, bottom = area
    y, u, v = planes
    rows, columns = slice(top // 2, (bottom + 1) // 2), slice(left // 2, (right + 1) // 2)
    x1, y1, x2, y2 = (float(value) for value in window)
    parts = y[top:bottom, left:right], u[rows, columns], v[rows, columns]
    return parts, (x1 - left, y1 - top, x2 - left, y2 - top)


def _chroma_window(window: Window, out_w: int) -> Window:
    """The window in chroma px, for samples sited on the left luma sample and between two rows.

    That is the default siting of MPEG-2, MPEG-4 and H.264. The output has the same siting, so scaling moves the chroma
    window by a fraction of a pixel and cropping alone does not.
    """
    x1, y1, x2, y2 = (float(v) for v in window)
    shift = 0.25 * (1 - (x2 - x1) / out_w)
    return (x1 / 2 + shift, y1 / 2, x2 / 2 + shift, y2 / 2)


def _shifted(plane: Plane, x1: float, y1: float, columns: int, rows: int, *, copy: bool = True) -> Plane:
    """columns x rows px from the sub-pixel corner (x1, y1), unscaled; without `copy`, a view of scratch memory."""
    left, kernel_x = _shift_kernel(x1)
    top, kernel_y = _shift_kernel(y1)
    margin_x, margin_y = len(kernel_x) // 2, len(kernel_y) // 2
    source = _region(plane, left - margin_x, top - margin_y, left + columns + margin_x, top + rows + margin_y)
    if margin_x or margin_y:
        anchor = ((len(kernel_x) - 1) // 2, (len(kernel_y) - 1) // 2)
        # Converted to float and back here: the filter itself takes twice as long from bytes to bytes.
        smooth = _scratch("smooth", source.shape, np.float32)
        cv2.sepFilter2D(
            source, cv2.CV_32F, kernel_x, kernel_y, dst=smooth, anchor=anchor, borderType=cv2.BORDER_REPLICATE
        )
        cv2.threshold(smooth, 0, 0, cv2.THRESH_TOZERO, dst=smooth)
        source = np.asarray(cv2.convertScaleAbs(smooth, dst=_scratch("rounded", source.shape, np.uint8)), np.uint8)
    shifted = source[margin_y : margin_y + rows, margin_x : margin_x + columns]
    return np.array(shifted, np.uint8) if copy else shifted


@functools.lru_cache(maxsize=64)
def _shift_kernel(start: float) -> tuple[int, Kernel]:
    """Whole part of `start`, and the filter taps for a shift by its fraction.

    Lanczos with three lobes: about equally sharp at every phase, so the sharpness does not pulsate in a slow pan.
    """
    whole = math.floor(start + _EXACT)
    fraction = start - whole
    if abs(fraction) < _EXACT:
        return whole, np.ones(1, np.float32)
    x = np.arange(-2, 4) - fraction
    taps = np.sinc(x) * np.sinc(x / 3)
    return whole, np.asarray(taps / taps.sum(), np.float32)


def _enlarged(plane: Plane, across: _Axis, down: _Axis) -> Plane:
    """Enlarge from a whole corner; if none is near, shift before, at the small size."""
    # cv2.resize starts at the corner of its input, and bicubic reads two pixels around: the window is made wider by
    # whole output pixels, which are cut off again.
    x, y = _widened(across, 2), _widened(down, 2)
    source = _shifted(plane, x.corner, y.corner, x.read, y.read, copy=False)
    enlarged = _resized(source, across.scale, down.scale, x.made, y.made)
    return np.array(enlarged[y.lead : y.lead + down.size, x.lead : x.lead + across.size], np.uint8)


def _shrunk(plane: Plane, across: _Axis, down: _Axis) -> Plane:
    """Low-pass and shrink by less than two from a whole corner; if none is near, shift after, at the small size."""
    x, y = _widened(across, _MARGIN), _widened(down, _MARGIN)
    left, top = math.floor(x.corner), math.floor(y.corner)
    source = _region(plane, left, top, left + x.read, top + y.read)
    # From the blur of the small pixel, about 0.5-0.6 of its size, to that of the larger pixel.
    sigma_x, sigma_y = (0.6 * math.sqrt(max(axis.scale**2 - 1, 1e-4)) for axis in (across, down))
    blurred = _scratch("blurred", source.shape, np.uint8)
    size = (blur_taps(sigma_x), blur_taps(sigma_y))
    cv2.GaussianBlur(source, size, sigmaX=sigma_x, sigmaY=sigma_y, dst=blurred, borderType=cv2.BORDER_REPLICATE)
    small = _resized(blurred, across.scale, down.scale, x.made, y.made)
    x1, y1 = x.lead + (x.corner - left) / across.scale, y.lead + (y.corner - top) / down.scale
    return _shifted(small, x1, y1, across.size, down.size)


def _widened(axis: _Axis, margin_px: int) -> _WiderSpan:
    """The span of `axis`, wider by at least `margin_px` px of the source on both sides."""
    margin = math.ceil(margin_px / axis.scale)
    lead, corner = _lead(axis.start, axis.scale, margin)
    made, read = output_extent(axis.scale, lead + axis.size + margin)
    return _WiderSpan(lead, corner, made, read)


def blur_taps(sigma: float) -> int:
    """3 to 7 taps of a Gaussian: further ones would weigh less than a thousandth of the central one."""
    return 2 * max(math.ceil(math.sqrt(2 * math.log(1000)) * sigma) - 1, 1) + 1


@functools.lru_cache(maxsize=64)
def _lead(start: float, scale: float, least: int) -> tuple[int, float]:
    """How many output pixels before `start` to begin, at least `least`, and the source px of that corner.

    The source px is whole if one of the first `_LEAD` candidates is nearly so: an image that is resized from there
    needs no shift, which costs as much as the resizing. The error is below `_NEAR_WHOLE`.
    """
    for count in range(least, least + _LEAD):
        corner = start - count * scale
        if abs(corner - round(corner)) <= _NEAR_WHOLE:
            return count, float(round(corner))
    return least, start - least * scale


@functools.lru_cache(maxsize=64)
def output_extent(scale: float, least: int) -> tuple[int, int]:
    """How many output px, at least `least`, to make from how many source px.

    The source px are nearly a whole number if one of the first `TRAIL_PX` candidates is: resizing from one size to the
    other then misplaces no pixel by more than `_NEAR_WHOLE`, and in the same way while the window moves. (The place
    of the end in the source may not count: the image would swell and shrink, 3 % of the bytes of a slow pan.)
    """
    for count in range(least, least + TRAIL_PX):
        if abs(count * scale - round(count * scale)) <= _NEAR_WHOLE:
            return count, round(count * scale)
    return least, math.ceil(least * scale)


def _resized(source: Plane, scale_x: float, scale_y: float, width: int, height: int) -> Plane:
    """`source` from its corner, bicubic, one output pixel every (scale_x, scale_y) px: at least width x height px."""
    rows, columns = source.shape
    if max(abs(width * scale_x - columns), abs(height * scale_y - rows)) <= _NEAR_WHOLE:
        # For a scale that is not that of the sizes, OpenCV takes 1.4 times as long (an affine warp of IPP's).
        buffer = _scratch("resized", (height, width), np.uint8)
        resized = cv2.resize(source, (width, height), dst=buffer, interpolation=cv2.INTER_CUBIC)
        return np.asarray(resized, np.uint8)
    size = (max(round(columns / scale_x), 1), max(round(rows / scale_y), 1))
    if size == (columns, rows):  # cv2.resize would only copy, whatever the scale is
        matrix = np.array([[scale_x, 0, scale_x / 2 - 0.5], [0, scale_y, scale_y / 2 - 0.5]])
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(source, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)
    buffer = _scratch("resized", size[::-1], np.uint8)
    resized = cv2.resize(source, None, dst=buffer, fx=1 / scale_x, fy=1 / scale_y, interpolation=cv2.INTER_CUBIC)
    return np.asarray(resized, np.uint8)


def _reduced(plane: Plane, window: Window, factor: int) -> tuple[Plane, float, float]:
    """The surroundings of `window`, averaged over factor x factor px, and the corner of the window in them."""
    margin = _MARGIN * factor
    left, top = math.floor(window[0]) - margin, math.floor(window[1]) - margin
    columns = math.ceil((window[2] + margin - left) / factor)
    rows = math.ceil((window[3] + margin - top) / factor)
    region = _region(plane, left, top, left + columns * factor, top + rows * factor)
    small = cv2.resize(region, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), (window[0] - left) / factor, (window[1] - top) / factor


def _region(plane: Plane, left: int, top: int, right: int, bottom: int) -> Plane:
    """plane[top:bottom, left:right], with the edge repeated outside of the plane."""
    height, width = plane.shape
    inside = plane[
        min(max(top, 0), height - 1) : max(min(bottom, height), 1),
        min(max(left, 0), width - 1) : max(min(right, width), 1),
    ]
    missing = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
    if not any(missing):
        return inside
    buffer = _scratch("padded", (bottom - top, right - left), np.uint8)
    padded = cv2.copyMakeBorder(inside, *missing, dst=buffer, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8)


def _scratch(name: str, shape: tuple[int, ...], dtype: type[Scalar]) -> NDArray[Scalar]:
    """Reused memory of this thread: page faults of new memory would cost more than the arithmetic on it."""
    size = math.prod(shape)
    kept: NDArray[Scalar] | None = getattr(_buffers, name, None)
    if kept is None or kept.size < size:
        kept = np.empty(size, dtype)
        setattr(_buffers, name, kept)
    return kept[:size].reshape(shape)
