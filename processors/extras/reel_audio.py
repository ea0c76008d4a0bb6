"""The audio of a reel: that of its clips one after the other, cross-faded."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.media.audio_reader import PcmFormat, pcm_format, read_audio
from core.media.video_probe import probe_video
from core.types import VideoInfo
from utils.files import PARTIAL_PREFIX

Samples = NDArray[np.int16]


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
            with _audio_of(info, Fraction(part.frames) / rate, stop) as clip:
                if clip is not None and clip.shape[1] == pcm.channels:
                    fades = _sample(fade_in, rate, pcm), _sample(part.overlap, rate, pcm)
                    _mix_in(reel, clip, _sample(begin, rate, pcm), fades)
        begin, fade_in = begin + part.frames - part.overlap, part.overlap
    reel.flush()
    return pcm


@contextlib.contextmanager
def _audio_of(info: VideoInfo, length_s: Fraction, stop: threading.Event) -> Iterator[Samples | None]:
    """The first `length_s` seconds of a clip's audio, from a temporary file beside it; None if it has none."""
    with tempfile.TemporaryFile(prefix=PARTIAL_PREFIX, dir=info.path.parent) as file:
        excerpt = read_audio(info, info.start_pts * info.time_base, length_s, file, stop=stop)
        file.flush()
        if excerpt is None or excerpt.samples == 0:
            yield None
        else:
            yield np.memmap(file, np.int16, "r", shape=(excerpt.samples, excerpt.format.channels))


def _mix_in(reel: Samples, clip: Samples, begin: int, fades: tuple[int, int]) -> None:
    """Add `clip` to `reel` from sample `begin` on.

    reel, clip: (N, channels) int16. fades: how many samples at the start and at the end of the clip are cross-faded.
    """
    count = min(len(clip), len(reel) - begin)
    rising, falling = (min(fade, count // 2) for fade in fades)
    reel[begin + rising : begin + count - falling] = clip[rising : count - falling]
    ramp = (np.arange(rising) + 0.5)[:, None] / max(rising, 1)
    reel[begin : begin + rising] += (clip[:rising] * ramp).astype(np.int16)
    ramp = (np.arange(falling)[::-1] + 0.5)[:, None] / max(falling, 1)
    reel[begin + count - falling : begin + count] += (clip[count - falling : count] * ramp).astype(np.int16)


def _sample(frame: int, rate: Fraction, pcm: PcmFormat) -> int:
    return round(frame / rate * pcm.sample_rate_hz)
