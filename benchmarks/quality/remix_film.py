"""Writes the film of a plan: frames of the clips through their cameras, joined, encoded as H.264."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.remix_plan import RATE, Camera, Plan, Take
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from core.types import ByteArray, FloatArray

_SOFT_EDGE = 0.02
"""width of a wipe's edge, as a share of the frame"""
_GRAIN_SHIFT = 64
"""px by which the one field of noise moves from frame to frame at most"""


def write_film(plan: Plan, target: Path) -> None:
    """The film as MP4 without audio; the same plan gives the same bytes."""
    with av.open(f"file:{target}", "w", format="mp4") as container:
        # One thread, because the encoder divides its work by their number.
        options = {"crf": str(plan.crf), "preset": "veryfast", "threads": "1"}
        stream = container.add_stream("libx264", rate=Fraction(RATE), options=options)
        stream.width, stream.height, stream.pix_fmt = plan.width, plan.height, "yuv420p"
        for image in film_frames(plan):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def film_frames(plan: Plan) -> Iterator[ByteArray]:
    """(height, width, 3) uint8 RGB, each frame of the film."""
    rng = np.random.default_rng([plan.seed, 1])
    size = (plan.height + _GRAIN_SHIFT, plan.width + _GRAIN_SHIFT, 1)
    grain = np.rint(rng.normal(0, 100, size)).astype(np.int16).repeat(3, 2)
    left: list[ByteArray] = []
    for number, take in enumerate(plan.takes):
        following = plan.takes[number + 1].joint if number + 1 < len(plan.takes) else 0
        old, left = left, []
        for k, image in enumerate(_take_frames(take, plan, grain, rng)):
            if k < take.joint:
                image = blended(take.join, old[k], image, (k + 1) / (take.joint + 1))
            if k < take.length - following:
                yield image
            else:
                left.append(image)


def blended(join: str, old: ByteArray, new: ByteArray, share: float) -> ByteArray:
    """A frame of a gradual transition, of which `share` in (0, 1) is over."""
    height, width = old.shape[:2]
    if join == "push":
        x = round(share * width)
        return np.concatenate([old[:, x:], new[:, :x]], 1)
    weight: FloatArray | float = share
    if join != "dissolve":
        length = height if join == "down" else width
        places = (np.arange(length, dtype=np.float32) + 0.5) / length
        if join == "left":
            places = places[::-1]
        ramp = np.clip((share * (1 + _SOFT_EDGE) - places) / _SOFT_EDGE, 0, 1)
        weight = ramp[:, None, None] if join == "down" else ramp[None, :, None]
    return np.asarray(np.rint(old * (1 - weight) + new * weight), np.uint8)


def _take_frames(take: Take, plan: Plan, grain: NDArray[np.int16], rng: np.random.Generator) -> Iterator[ByteArray]:
    wanted = [take.frame_of(k) for k in range(take.length)]
    image: ByteArray | None = None
    position = 0
    with VideoReader(probe_video(take.source.path), threads=1) as reader:
        for frame in reader.frames():
            if frame.index < wanted[position]:
                continue
            rgb = frame.rgb(take.source.width, take.source.height)
            image = filmed(rgb, take.camera, plan.width, plan.height)
            while position < len(wanted) and wanted[position] <= frame.index:
                yield _with_grain(image, take.camera, grain, rng)
                position += 1
            if position == len(wanted):
                return
    # The clip has fewer frames than its header says: the last one stays.
    while image is not None and position < len(wanted):
        yield image
        position += 1


def filmed(image: ByteArray, camera: Camera, width: int, height: int) -> ByteArray:
    """A clip's frame, (h, w, 3) RGB, as (height, width, 3) of the film, without noise."""
    (x1, y1, x2, y2), (left, top, right, bottom) = camera.window, camera.picture
    size = (right - left, bottom - top)
    how = cv2.INTER_AREA if size[0] < x2 - x1 else cv2.INTER_CUBIC
    part = cv2.resize(image[y1:y2, x1:x2], size, interpolation=how)
    if camera.mirrored:
        part = part[:, ::-1]
    levels = np.arange(256) / 255
    table = np.clip(255 * np.clip(camera.gain * levels, 0, 1) ** camera.gamma, 0, 255).astype(np.uint8)
    part = cv2.LUT(np.ascontiguousarray(part), table)
    grey = cv2.cvtColor(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    part = cv2.addWeighted(part, camera.saturation, grey, 1 - camera.saturation, 0)
    if camera.jpeg < 100:
        _, data = cv2.imencode(".jpg", part, [cv2.IMWRITE_JPEG_QUALITY, camera.jpeg])
        part = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    frame = np.zeros((height, width, 3), np.uint8)
    frame[top:bottom, left:right] = part
    return frame


def _with_grain(image: ByteArray, camera: Camera, grain: NDArray[np.int16], rng: np.random.Generator) -> ByteArray:
    """grain: with a margin of `_GRAIN_SHIFT`, 100 times as strong as noise of 1."""
    if not camera.noise:
        return image
    x, y = rng.integers(0, _GRAIN_SHIFT, 2)
    left, top, right, bottom = camera.picture
    field = grain[y + top : y + bottom, x + left : x + right]
    noisy = np.array(image)
    noisy[top:bottom, left:right] = cv2.addWeighted(
        noisy[top:bottom, left:right], 1, field, camera.noise / 100, 0, dtype=cv2.CV_8U
    )
    return noisy
