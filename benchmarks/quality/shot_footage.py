"""What the cases of the shot benchmark are cut from: stretches of the development clips, and a camera over stills."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import matplotlib.cbook
import numpy as np
import skimage.data
from numpy.typing import NDArray

ByteArray = NDArray[np.uint8]
Frames = list[ByteArray]

WIDTH, HEIGHT = 432, 240
# Stretches of the clips without a cut, (file, first frame, frames).
PIECES = (
    ("hamilton_short.mp4", 84, 120),
    ("hamilton_short.mp4", 212, 60),
    ("pyfeat_noface_face.mov", 2, 90),
    ("pyfeat_noface_face.mov", 97, 70),
    ("facenet_video.mp4", 0, 100),
    ("visualvoice_interview.mp4", 30, 120),
    ("avobjects_demo.mp4", 100, 120),
    ("avi_billhyland.mp4", 0, 120),
    ("avi_billhyland.mp4", 300, 120),
    ("retalk_1.mp4", 0, 120),
    ("intel_car.mp4", 0, 120),
)
SAME_SET = tuple((f"people/intel_asl_{w}.mkv", 5, 50) for w in ("again", "book", "help", "milk", "walk", "want", "yes"))


def decode(
    path: Path, first: int = 0, count: int | None = None, size: tuple[int, int] | None = None
) -> Iterator[ByteArray]:
    """(h, w, 3) uint8 RGB of frames [first, first + count), at `size` or bounded by 854x480."""
    with av.open(f"file:{path}") as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index < first:
                continue
            if count is not None and index >= first + count:
                return
            scale = min(854 / frame.width, 480 / frame.height, 1.0)
            width, height = size or (round(frame.width * scale), round(frame.height * scale))
            yield frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="AREA")


def frame_rate(path: Path) -> float:
    with av.open(f"file:{path}") as container:
        return float(container.streams.video[0].average_rate or Fraction(25))


@functools.lru_cache(maxsize=32)
def piece(clips: Path, name: str, first: int, count: int) -> tuple[ByteArray, ...]:
    return tuple(decode(clips / name, first, count, (WIDTH, HEIGHT)))


@functools.lru_cache(maxsize=1)
def stills() -> tuple[ByteArray, ...]:
    hopper = _read_rgb(Path(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    images = [skimage.data.astronaut(), hopper]
    folder = Path(skimage.data.__file__).parent
    for name in ("coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png", "motorcycle_right.png"):
        if (folder / name).exists():
            images.append(_read_rgb(folder / name))
    return tuple(np.ascontiguousarray(image[..., :3]) for image in images)


def _read_rgb(path: Path) -> ByteArray:
    bgr = cv2.imread(str(path))
    if bgr is None:
        raise FileNotFoundError(path)
    return np.asarray(bgr[..., ::-1], np.uint8)


def camera(picture: ByteArray, xs: Any, ys: Any, zooms: Any, noise: float, rng: np.random.Generator) -> Frames:
    """A camera that moves over a still: centres as shares of the image; zoom 1 shows the largest 16:9 window."""
    height, width = picture.shape[:2]
    base = min(width, height * WIDTH / HEIGHT)
    frames = []
    for x, y, zoom in zip(xs, ys, zooms, strict=True):
        w = base / zoom
        h = w * HEIGHT / WIDTH
        cx = np.clip(x * width, w / 2, max(width - w / 2, w / 2))
        cy = np.clip(y * height, h / 2, max(height - h / 2, h / 2))
        matrix = np.array([[w / WIDTH, 0, cx - w / 2], [0, h / HEIGHT, cy - h / 2]])
        image = cv2.warpAffine(
            picture,
            matrix,
            (WIDTH, HEIGHT),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )
        grain = rng.normal(0, noise, image.shape) if noise else 0
        frames.append(np.clip(image + grain, 0, 255).astype(np.uint8))
    return frames
