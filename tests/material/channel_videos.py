"""Small videos with a tone of its own in each audio channel, made by ffmpeg."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.media.audio_reader import PcmExcerpt
from tests.material.small_videos import run_ffmpeg

RATE_HZ = 48000
LEVEL = 0.1
"""amplitude of each channel's tone"""
CHAN_LABELS = {"FL": 1, "TFL": 13, "FR": 2, "FC": 3, "LFE": 4, "BL": 5, "BR": 6, "UNSD": 0, "UNK": 0xFFFFFFFF}
"""QuickTime channel labels by libav channel name"""
_ANCESTORS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"lpcm", b"sowt")


def tone_hz(channel: int) -> int:
    return 300 + 100 * channel


def tones_source(channels: int, seconds: float, layout: str = "") -> tuple[str, ...]:
    """ffmpeg input options: channel k is a sine of `tone_hz(k)`."""
    tones = "|".join(f"{LEVEL}*sin(2*PI*{tone_hz(k)}*t)" for k in range(channels))
    places = f":c='{layout}'" if layout else ""
    return ("-f", "lavfi", "-i", f"aevalsrc='{tones}'{places}:s={RATE_HZ}:d={seconds}")


def tone_video(
    path: Path,
    channels: int,
    *audio: str,
    layout: str = "",
    seconds: float = 1.5,
    late_s: float = 0,
    image_s: float = 0,
) -> Path:
    """Write a video with one tone per channel.

    audio: ffmpeg's options for the audio encoder. late_s: when the audio begins. image_s: length of the video
    stream, 0 for `seconds`.
    """
    codec = "mpeg2video" if path.suffix in (".mxf", ".mpg", ".vob", ".ts") else "mpeg4"
    source = ("-f", "lavfi", "-i", f"color=gray:s=64x64:r=25:d={image_s or seconds}")
    delay = ("-itsoffset", str(late_s)) if late_s else ()
    run_ffmpeg(
        *source,
        *delay,
        *tones_source(channels, seconds, layout),
        "-map",
        "0",
        "-map",
        "1",
        "-c:v",
        codec,
        *audio,
        str(path),
    )
    return path


def labelled_mov(path: Path, labels: Sequence[str]) -> Path:
    """PCM in QuickTime with one channel description per channel; libav reads it as a layout of custom order."""
    tone_video(path, len(labels), "-c:a", "pcm_s16le")
    data = bytearray(path.read_bytes())
    moov = data.rindex(b"moov")
    at = data.find(b"chan", moov)
    if at < 0:  # the muxer writes no labels for this many channels: append the box to the sample description
        entry = next(data.find(kind, moov) for kind in (b"lpcm", b"sowt") if data.find(kind, moov) > 0) - 4
        at = entry + struct.unpack_from(">I", data, entry)[0] + 4
        _grow(data, at - 4, 8 + 12)
        data[at - 4 : at - 4] = struct.pack(">I4s12x", 20, b"chan")
    end = at - 4 + struct.unpack_from(">I", data, at - 4)[0]
    described = struct.pack(">IIII", 0, 0, 0, len(labels))
    described += b"".join(struct.pack(">II12x", CHAN_LABELS[label], 0) for label in labels)
    _grow(data, at, len(described) + 8 - (end - at + 4))
    data[at - 4 : end] = struct.pack(">I4s", len(described) + 8, b"chan") + described
    path.write_bytes(data)
    return path


def _grow(data: bytearray, at: int, by: int) -> None:
    """Add `by` to the sizes of the boxes that contain byte `at`."""
    for name in _ANCESTORS:
        box = data.rfind(name, data.rindex(b"moov"), at)
        if box > 0 and box - 4 + struct.unpack_from(">I", data, box - 4)[0] >= at:
            struct.pack_into(">I", data, box - 4, struct.unpack_from(">I", data, box - 4)[0] + by)


def tones_of(excerpt: PcmExcerpt, pcm: bytes, channels: int) -> list[dict[int, float]]:
    """For each channel of the excerpt: the source channels in it, with their level in dB relative to `LEVEL`."""
    samples = np.frombuffer(pcm, "<i2").reshape(-1, excerpt.format.channels) / 32768
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))[:, None], axis=0)) * 4 / len(samples)
    bins = [round(tone_hz(k) * len(samples) / excerpt.format.sample_rate_hz) for k in range(channels)]
    found = []
    for column in spectrum.T:
        level_db = {k: 20 * np.log10(max(column[b], 1e-9) / LEVEL) for k, b in enumerate(bins) if b < len(column)}
        found.append({k: round(float(level), 1) + 0.0 for k, level in level_db.items() if level > -20})
    return found
