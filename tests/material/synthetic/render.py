"""Encodes a generated video."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import cv2
import imageio_ffmpeg
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from tests.material.synthetic.audio import SAMPLE_RATE_HZ, render_audio
from tests.material.synthetic.compositor import compose
from tests.material.synthetic.scenes import Film
from tests.material.synthetic.truth import Truth, film_truth

AUDIO_BITS_PER_S = 64_000
FRAME_DURATION_FLAG = 1 << 8
"""AV_CODEC_FLAG_FRAME_DURATION: the encoder passes the frames' durations on, the last one's included"""
BT709 = 1
"""number of the colour primaries and of the transfer curve in ffmpeg's tables"""


def render_video(path: Path, film: Film) -> Truth:
    """Write `film` to `path` (H.264, AAC; the extension chooses the container) and return its truth."""
    if not film.rotation:
        _encode(path, film)
        return film_truth(film)
    upright = path.with_name(f"unrotated-{path.name}")
    try:
        _encode(upright, film)
        _set_rotation(upright, path, film.rotation)
    finally:
        upright.unlink(missing_ok=True)
    return film_truth(film)


def _encode(path: Path, film: Film) -> None:
    pts = film.pts
    # bitexact leaves out the date and the library version: the same scenes give the same bytes.
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        video = container.add_stream(
            "libx264", rate=film.frame_rate, options={"crf": str(film.crf), "preset": film.preset}
        )
        width, height = _stored_size(film)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        context = video.codec_context
        context.time_base = film.time_base
        context.thread_count = 1
        context.flags |= FRAME_DURATION_FLAG
        context.sample_aspect_ratio = film.sample_aspect_ratio
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries = context.color_trc = BT709
        audio = (
            container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono", bit_rate=AUDIO_BITS_PER_S)
            if film.audio
            else None
        )
        samples = render_audio(film) if audio else np.zeros(0, np.float32)
        audio_start = round(float(pts[0] * film.time_base) * SAMPLE_RATE_HZ)
        written = 0
        reformatter = VideoReformatter()
        for number, image in enumerate(compose(film)):
            frame = reformatter.reformat(
                av.VideoFrame.from_ndarray(_stored_image(film, image, width, height), format="rgb24"),
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.MPEG,
            )
            frame.pts, frame.time_base = int(pts[number]), film.time_base
            frame.duration = int(pts[number + 1] - pts[number])
            container.mux(video.encode(frame))
            if audio:
                end = round(float((pts[number + 1] - pts[0]) * film.time_base) * SAMPLE_RATE_HZ)
                chunk = av.AudioFrame.from_ndarray(samples[None, written:end], format="fltp", layout="mono")
                chunk.sample_rate, chunk.time_base = SAMPLE_RATE_HZ, Fraction(1, SAMPLE_RATE_HZ)
                chunk.pts = audio_start + written
                container.mux(audio.encode(chunk))
                written = end
        container.mux(video.encode())
        if audio:
            container.mux(audio.encode())


def _stored_size(film: Film) -> tuple[int, int]:
    """Width and height of the stored frames: before rotation, in pixels of the sample aspect ratio, even."""
    width, height = (film.height, film.width) if film.rotation in (90, 270) else (film.width, film.height)
    return round(width / film.sample_aspect_ratio / 2) * 2, height


def _stored_image(film: Film, image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    stored = np.ascontiguousarray(np.rot90(image, film.rotation // 90))
    if stored.shape[:2] != (height, width):
        stored = cv2.resize(stored, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(stored, np.uint8)


def _set_rotation(source: Path, target: Path, clockwise: int) -> None:
    """Copy the streams and add the display matrix, which PyAV cannot write."""
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-display_rotation", str(-clockwise),
        "-copyts", "-i", f"file:{source.absolute()}", "-map", "0", "-c", "copy", "-copyts",
        "-fflags", "+bitexact", f"file:{target.absolute()}",
    ]  # fmt: skip
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
