"""Videos that flash and beep at the same time, and functions that find flashes and beeps in their clips."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

FLASH_EVERY_S, FIRST_FLASH_S = 0.5, 0.4
BEEP_S = 0.1
END_S = 4.0
_BLOCK = 1024  # samples

Values = NDArray[Any]


def frame_times(
    rate: Fraction = Fraction(25), *, variable: bool = False, offset_s: float = 0.0, end_s: float = END_S
) -> list[float]:
    """Presentation times of the frames of a source, in seconds on the container's clock."""
    if not variable:
        return [offset_s + float(i / rate) for i in range(int(end_s * rate))]
    steps = np.random.default_rng(3).choice([0.033, 0.067], round(end_s * 50))
    times = np.concatenate([[0.0], np.cumsum(steps)])
    return [offset_s + float(t) for t in times if t < end_s]


def flash_frames(times: Sequence[float], from_s: float = 0.0) -> list[int]:
    """First frames of the flashes: one every half second, none earlier than `from_s` after the first frame."""
    wanted = np.arange(from_s + FIRST_FLASH_S, times[-1] - times[0], FLASH_EVERY_S)
    return [int(frame) for frame in np.searchsorted(times, wanted + times[0] - 1e-6)]


def write_video(
    path: Path,
    times: Sequence[float],
    *,
    size: tuple[int, int] = (160, 120),
    layout: str = "stereo",
    rate_hz: int = 48000,
    audio: tuple[float, float] | None = (0.0, END_S),
    offset_s: float = 0.0,
    flash_from_s: float = 0.0,
    decoy: bool = False,
) -> None:
    """Write a video with flashes and beeps.

    audio: start and end of the audio in seconds, relative to `offset_s`; None for no audio track.
    decoy: the first audio track has beeps at other times; the second is correct and flagged as default.
    """
    with av.open(str(path), "w", options={"avoid_negative_ts": "disabled"}) as out:
        video = out.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "12"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.time_base = Fraction(1, 90000)
        tracks = [] if audio is None else [out.add_stream("aac", rate=rate_hz, layout=layout) for _ in range(1 + decoy)]
        if decoy:
            tracks[0].disposition = Disposition(0)
            tracks[1].disposition = Disposition.default
        lit_at = [times[i] for i in flash_frames(times, flash_from_s)]
        lit = {i for i in range(len(times)) for f in lit_at if f <= times[i] < f + BEEP_S}
        for i, time in enumerate(times):
            luma = np.full((size[1], size[0]), 230 if i in lit else 30, np.uint8)
            luma[:8] = 16 + (i % 64) * 3  # identifies the frame
            image = np.concatenate([luma.ravel(), np.full(size[0] * size[1] // 2, 128, np.uint8)])
            frame = av.VideoFrame.from_ndarray(image.reshape(-1, size[0]), format="yuv420p")
            frame.pts, frame.time_base = round(time * 90000), Fraction(1, 90000)
            out.mux(video.encode(frame))
        for number, track in enumerate(tracks):
            wrong = 0.2 if number < len(tracks) - 1 else 0.0
            assert audio is not None
            _write_audio(out, track, audio, offset_s, rate_hz, [f + wrong for f in lit_at])
            out.mux(track.encode(None))
        out.mux(video.encode(None))


def _write_audio(
    out: Any, stream: Any, audio: tuple[float, float], offset_s: float, rate_hz: int, beeps: list[float]
) -> None:
    samples = round((audio[1] - audio[0]) * rate_hz)
    time = audio[0] + np.arange(samples) / rate_hz
    tone = np.zeros(samples, np.float32)
    for beep in beeps:
        on = slice(*np.searchsorted(time + offset_s, [beep, beep + BEEP_S]))
        tone[on] = 0.5 * np.sin(2 * np.pi * 1000 * time[on])
    channels = stream.codec_context.layout.nb_channels
    for begin in range(0, samples, _BLOCK):
        piece = np.tile(tone[begin : begin + _BLOCK], (channels, 1))
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="fltp", layout=stream.layout.name)
        frame.sample_rate = rate_hz
        frame.pts, frame.time_base = begin + round((audio[0] + offset_s) * rate_hz), Fraction(1, rate_hz)
        out.mux(stream.encode(frame))


def read_clip(path: Path) -> tuple[Values, Values, Values, Values]:
    """Frame times (N,) s, mean brightness of their lower part (N,), sample times (S,) s, and loudness (S,) of a clip.

    Without audio, S is 0.
    """
    times, light, samples, begin = [], [], [], None
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            times.append(float(frame.pts * frame.time_base))
            light.append(frame.to_ndarray()[frame.height // 4 : frame.height].mean())
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return np.array(times), np.array(light), np.zeros(0), np.zeros(0)
        rate = container.streams.audio[0].sample_rate
        for audio in container.decode(audio=0):
            begin = float(audio.pts * audio.time_base) if begin is None else begin
            samples.append(audio.to_ndarray()[0])
    heard = np.concatenate(samples)
    return np.array(times), np.array(light), (begin or 0.0) + np.arange(len(heard)) / rate, np.abs(heard)


def onsets(times: Values, values: Values, threshold: float, hold_s: float = 0.25) -> Values:
    """Times at which `values` rise above the threshold after at least `hold_s` below it."""
    found: list[float] = []
    last: float | None = None
    for time in times[values > threshold]:
        if last is None or time - last > hold_s:
            found.append(float(time))
        last = float(time)
    return np.array(found)
