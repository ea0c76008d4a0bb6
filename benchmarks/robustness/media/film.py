"""Self-describing test videos: a face, a clock that encodes the frame number, and a tone in each channel.

The clock is a green disc, round in the displayed frame, with a magenta dot that circles it once in 32 frames: the angle
is the frame number. Each channel has a tone of its own frequency, in bursts of eight frames that begin at every 16th
frame. So a clip shows by itself whether frames are intact, in order and undistorted, and whether each channel's audio
is there and in sync.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.material.fault_material import run_ffmpeg
from tests.material.synthetic.portraits import COLLINS, Portrait, cutout

NUMBERS = 32
"""frames in one turn of the dot"""
BURST_EVERY, BURST_FRAMES = 16, 8
RATE = Fraction(25)
SAMPLE_RATE_HZ = 48000
AMPLITUDE = 0.22
"""of each channel's tone, full scale 1"""
LOWEST_HZ, STEP_HZ = 400.0, 170.0

FACE_SHARE = 0.26
"""height of the face, share of the frame's shorter side"""
CLOCK_AT = (0.9, -0.2)
DISC_RADIUS, ORBIT, DOT_RADIUS = 0.18, 0.34, 0.09
"""position and sizes of the clock in face heights; the position is relative to the face's centre"""
GREEN, MAGENTA = (20, 200, 40), (230, 20, 210)
_SHIFT = 4  # fractional bits of OpenCV's coordinates

H264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "3", "-pix_fmt", "yuv420p")
MPEG4 = ("-c:v", "mpeg4", "-q:v", "3")
STEREO_AAC = ("-c:a", "aac", "-b:a", "128k")


@dataclass(frozen=True, slots=True)
class Film:
    """Description of the frames. width, height: as displayed, px. first: number of the first frame. absent: frames
    before the person appears. coded: stored size if pixels are not square. person: one of the two portraits."""

    width: int = 320
    height: int = 240
    frames: int = 50
    first: int = 0
    absent: int = 0
    coded: tuple[int, int] | None = None
    person: Portrait = COLLINS

    @property
    def aspect(self) -> Fraction:
        """Width of a stored pixel divided by its height."""
        if self.coded is None:
            return Fraction(1)
        return (Fraction(self.width, self.height) / Fraction(*self.coded)).limit_denominator(255)


def tone_hz(channel: int) -> float:
    """Frequency of a channel's tone."""
    return LOWEST_HZ + STEP_HZ * channel


def frame_times(count: int, rate: Fraction = RATE) -> list[float]:
    """Start times of the frames of a constant rate, seconds."""
    return [float(i / rate) for i in range(count)]


def film_frame(film: Film, index: int) -> NDArray[np.uint8]:
    """One displayed frame, (height, width, 3) uint8 RGB."""
    present = index >= film.absent
    frame = _still(film.width, film.height, film.person if present else None).copy()
    unit = FACE_SHARE * min(film.width, film.height)
    centre = np.array([0.40 * film.width, 0.45 * film.height]) + np.array(CLOCK_AT) * unit
    angle = 2 * np.pi * ((film.first + index) % NUMBERS) / NUMBERS
    dot = centre + ORBIT * unit * np.array([np.cos(angle), np.sin(angle)])
    for place, radius, colour in ((centre, DISC_RADIUS, GREEN), (dot, DOT_RADIUS, MAGENTA)):
        at = [round(float(v) * 2**_SHIFT) for v in place]
        cv2.circle(frame, (at[0], at[1]), round(radius * unit * 2**_SHIFT), colour, -1, cv2.LINE_AA, _SHIFT)
    return np.asarray(frame, np.uint8)


def write_y4m(path: Path, film: Film, rate: Fraction = RATE) -> Path:
    """Write the film uncompressed, 4:2:0."""
    width, height = film.coded or (film.width, film.height)
    with path.open("wb") as file:
        aspect = f"{film.aspect.numerator}:{film.aspect.denominator}"
        head = f"W{width} H{height} F{rate.numerator}:{rate.denominator} Ip A{aspect} C420jpeg"
        file.write(f"YUV4MPEG2 {head}\n".encode())
        for index in range(film.frames):
            frame = film_frame(film, index)
            if film.coded is not None:
                frame = np.asarray(cv2.resize(frame, film.coded, interpolation=cv2.INTER_AREA), np.uint8)
            file.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420).tobytes())
    return path


def tones(
    times: Sequence[float],
    end_s: float,
    channels: int = 2,
    *,
    begin_s: float = 0.0,
    rate_hz: int = SAMPLE_RATE_HZ,
    silent: Sequence[int] = (),
) -> NDArray[np.int16]:
    """Audio from `begin_s` to `end_s`, (samples, channels) int16.

    times: start times of the frames, seconds; the first frame's number is a multiple of 16.
    silent: channels without a tone.
    """
    moment = begin_s + np.arange(round((end_s - begin_s) * rate_hz)) / rate_hz
    frame = np.searchsorted(np.asarray(times), moment + 1e-9, side="right") - 1
    gate = (frame >= 0) & (frame % BURST_EVERY < BURST_FRAMES)
    audio = np.zeros((len(moment), channels))
    for channel in range(channels):
        if channel not in silent:
            audio[:, channel] = AMPLITUDE * np.sin(2 * np.pi * tone_hz(channel) * moment) * gate
    return np.round(audio * 32767).astype("<i2")


def audio_input(
    path: Path, audio: NDArray[np.int16], rate_hz: int = SAMPLE_RATE_HZ, layout: str = ""
) -> tuple[str, ...]:
    """ffmpeg options for `audio` as an input. layout: channel layout, default: the usual one for the count."""
    path.write_bytes(audio.tobytes())
    channels = ("-ch_layout", layout) if layout else ("-ac", str(audio.shape[1]))
    return "-f", "s16le", "-ar", str(rate_hz), *channels, "-i", str(path)


def film_input(folder: Path, film: Film, rate: Fraction = RATE) -> tuple[str, ...]:
    """ffmpeg options for the film as an input; it is drawn once and reused."""
    return "-i", str(_drawn(folder, film, rate))


@functools.cache
def _drawn(folder: Path, film: Film, rate: Fraction) -> Path:
    name = f"film-{film.width}x{film.height}-{film.frames}-{film.first}-{film.absent}-{film.person.name}"
    name += f"-{rate.numerator}-{rate.denominator}" + (f"-{film.coded[0]}x{film.coded[1]}" if film.coded else "")
    return write_y4m(folder / f"{name}.y4m", film, rate)


def plain_video(
    folder: Path,
    path: Path,
    film: Film = Film(),
    *options: str,
    rate: Fraction = RATE,
    audio: bool = True,
) -> Path:
    """`film` with two tones. options: for ffmpeg, default: H.264 and AAC."""
    inputs = film_input(folder, film, rate)
    if audio:
        end_s = float(film.frames / rate)
        heard = tones(frame_times(film.frames, rate), end_s)
        inputs = (*inputs, *audio_input(path.with_suffix(".s16"), heard))
    run_ffmpeg(path, *inputs, *(options or (*H264, *STEREO_AAC)))
    return path


@functools.cache
def _still(width: int, height: int, person: Portrait | None) -> NDArray[np.uint8]:
    """Background and person, without the clock."""
    y = np.linspace(150, 90, height)[:, None, None] + np.zeros((1, width, 1))
    noise = np.random.default_rng(4).normal(0, 5, (height, width, 1))
    frame: NDArray[Any] = y + cv2.GaussianBlur(noise, (0, 0), 1.0)[..., None] * 2 + np.array([-6.0, 0.0, 10.0])
    if person is not None:
        scale = FACE_SHARE * min(width, height) / person.face_height
        x, y0 = 0.40 * width - scale * person.centre[0], 0.45 * height - scale * person.centre[1]
        halvings = max(0, int(-np.log2(scale) + 0.25))
        warp = np.array([[scale * 2**halvings, 0, x], [0, scale * 2**halvings, y0]])
        layer = cv2.warpAffine(cutout(person, halvings), warp, (width, height), flags=cv2.INTER_LINEAR)
        layer = np.clip(layer, 0, 255)
        frame = frame * (1 - layer[..., 3:] / 255) + layer[..., :3]
    return np.asarray(np.clip(frame, 0, 255), np.uint8)
