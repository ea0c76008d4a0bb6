"""RGB images: JPEG encoding, shrinking, conversion to YUV planes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def encode_jpeg(pixels: Image, quality: int) -> bytes:
    """JPEG of `pixels`, (H, W, 3) uint8 RGB. quality: 0 to 100."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


def decode_jpeg(data: bytes) -> Image | None:
    """(H, W, 3) uint8 RGB, or None if `data` is not an image."""
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    return None if bgr is None else np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def fit_within(pixels: Image, side_px: int) -> Image:
    """`pixels` shrunk so that neither side exceeds `side_px`; never enlarged."""
    scale = side_px / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def rgb_to_planes(pixels: Image) -> tuple[Image, Image, Image]:
    """Y (H, W), U and V (H/2, W/2) uint8 of an RGB image (H, W, 3) with even sides; BT.601, limited range."""
    height, width = pixels.shape[:2]
    packed = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_I420), np.uint8).ravel()
    luma, quarter = height * width, height * width // 4
    half = (height // 2, width // 2)
    return (
        packed[:luma].reshape(height, width),
        packed[luma : luma + quarter].reshape(half),
        packed[luma + quarter :].reshape(half),
    )
