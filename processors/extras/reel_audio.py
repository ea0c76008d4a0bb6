"""The sound of a reel: that of its clips one after the other, each fading into the next."""

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
class Part:
    """A stretch of a reel.

    clip: its film, None for the title. frames: how many pictures it lasts. overlap: how many of its last ones
    are shared with the part that follows.
    """

    clip: Path | None
    frames: int
    overlap: int


def reel_frames(parts: Sequence[Part]) -> int:
    """Pictures of the whole reel."""
    return sum(part.frames - part.overlap for part in parts)


def write_reel_sound(parts: Sequence[Part], rate: Fraction, target: Path, stop: threading.Event) -> PcmFormat | None:
    """Write the sound of all `parts` to the file `target` as raw PCM; None where no clip has any.

    rate: pictures per second. Long reels take room on the disk, not in memory.

    Raises:
        DecodeError, InvalidVideoError: a clip cannot be read. InterruptedRunError: `stop` was set.
        OSError: `target` cannot be written.
    """
    infos = [None if part.clip is None else probe_video(part.clip) for part in parts]
    heard = [info.default_audio for info in infos if info is not None and info.default_audio is not None]
    if not heard:
        return None
    pcm = pcm_format(heard[0])
    length = _sample(reel_frames(parts), rate, pcm)
    # A new file is all zeros, which is silence.
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
    part: Part,
    begin: int,
    fades: tuple[int, int],
    rate: Fraction,
    stop: threading.Event,
) -> None:
    """Mix a clip's sound in from sample `begin` on. fades: pictures at its start and end that it shares."""
    with tempfile.TemporaryFile(prefix=PARTIAL_PREFIX, dir=info.path.parent) as file:
        sound = read_audio(info, info.start_pts * info.time_base, Fraction(part.frames) / rate, file, stop=stop)
        file.flush()
        if sound is None or sound.samples == 0 or sound.format.channels != reel.shape[1]:
            return
        clip = np.memmap(file, np.int16, "r", shape=(sound.samples, sound.format.channels))
        count = min(len(clip), len(reel) - begin)
        rising, falling = (min(_sample(frames, rate, sound.format), count // 2) for frames in fades)
        reel[begin + rising : begin + count - falling] = clip[rising : count - falling]
        ramp = (np.arange(rising) + 0.5)[:, None] / max(rising, 1)
        reel[begin : begin + rising] += (clip[:rising] * ramp).astype(np.int16)
        ramp = (np.arange(falling)[::-1] + 0.5)[:, None] / max(falling, 1)
        reel[begin + count - falling : begin + count] += (clip[count - falling : count] * ramp).astype(np.int16)
        del clip


def _sample(frame: int, rate: Fraction, pcm: PcmFormat) -> int:
    return round(frame / rate * pcm.sample_rate_hz)
