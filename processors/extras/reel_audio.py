"""The audio of a reel: that of its clips one after the other, cross-faded."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from core.media.audio_reader import PcmFormat, pcm_format, read_audio
from core.media.video_probe import probe_video
from core.types import VideoInfo
from utils.files import PARTIAL_PREFIX


@dataclass(frozen=True, slots=True)
class ReelPart:
    """A clip of a reel, or its title.

    clip: its file, None for the title. frames: its length. overlap: how many of its last frames are cross-faded with
    the part that follows.
    """

    clip: Path | None
    frames: int
    overlap: int


def reel_frames(parts: Sequence[ReelPart]) -> int:
    """Length of the whole reel, frames."""
    return sum(part.frames - part.overlap for part in parts)


def write_reel_audio(
    parts: Sequence[ReelPart], rate: Fraction, target: Path, stop: threading.Event
) -> PcmFormat | None:
    """Write the audio of all `parts` to the file `target` as raw PCM; None if no clip has audio.

    rate: frames per second. The samples are kept in the file, not in memory.

    Raises:
        DecodeError, InvalidVideoError: a clip cannot be read. InterruptedRunError: `stop` was set.
        OSError: `target` cannot be written.
    """
    infos = [None if part.clip is None else probe_video(part.clip) for part in parts]
    tracks = [info.default_audio for info in infos if info is not None and info.default_audio is not None]
    if not tracks:
        return None
    pcm = pcm_format(tracks[0])
    length = _sample(reel_frames(parts), rate, pcm)
    # A new file is all zeros: silence.
    reel = np.memmap(target, np.int16, "w+", shape=(length, pcm.channels))
    begin, fade_in = 0, 0
    for part, info in zip(parts, infos, strict=True):
        if info is not None and info.default_audio is not None:
            _add(reel, info, part, _sample(begin, rate, pcm), (fade_in, part.overlap), rate, stop)
        begin, fade_in = begin + part.frames - part.overlap, part.overlap
    reel.flush()
    return pcm


def _add(
    reel: np.memmap[tuple[int, ...], np.dtype[np.int16]],
    info: VideoInfo,
    part: ReelPart,
    begin: int,
    fades: tuple[int, int],
    rate: Fraction,
    stop: threading.Event,
) -> None:
    """Mix in the audio of a clip from sample `begin` on. fades: frames of cross-fade at its start and end."""
    with tempfile.TemporaryFile(prefix=PARTIAL_PREFIX, dir=info.path.parent) as file:
        excerpt = read_audio(info, info.start_pts * info.time_base, Fraction(part.frames) / rate, file, stop=stop)
        file.flush()
        if excerpt is None or excerpt.samples == 0 or excerpt.format.channels != reel.shape[1]:
            return
        clip = np.memmap(file, np.int16, "r", shape=(excerpt.samples, excerpt.format.channels))
        count = min(len(clip), len(reel) - begin)
        rising, falling = (min(_sample(frames, rate, excerpt.format), count // 2) for frames in fades)
        reel[begin + rising : begin + count - falling] = clip[rising : count - falling]
        ramp = (np.arange(rising) + 0.5)[:, None] / max(rising, 1)
        reel[begin : begin + rising] += (clip[:rising] * ramp).astype(np.int16)
        ramp = (np.arange(falling)[::-1] + 0.5)[:, None] / max(falling, 1)
        reel[begin + count - falling : begin + count] += (clip[count - falling : count] * ramp).astype(np.int16)
        del clip


def _sample(frame: int, rate: Fraction, pcm: PcmFormat) -> int:
    return round(frame / rate * pcm.sample_rate_hz)
