"""The audio of an interval, sample-exact on the container's clock, as raw PCM."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import IO

import av

from core.errors import DecodeError, InterruptedRunError
from core.media.audio_layout import channel_mix
from core.media.audio_packets import AudioPackets
from core.media.avi_delay import encoder_delay_s
from core.media.clock_repair import ClockRepair, clock_limits, repaired
from core.media.containers.segment_index import has_false_index
from core.media.edit_offset import edit_offset_s
from core.media.media_input import open_input
from core.media.pcm_writer import PcmFormat, PcmWriter
from core.types import AudioInfo, VideoInfo

__all__ = ["AAC_RATES_HZ", "PcmExcerpt", "PcmFormat", "pcm_format", "read_audio"]

logger = logging.getLogger(__name__)

AAC_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)


@dataclass(frozen=True, slots=True)
class PcmExcerpt:
    """What `read_audio` wrote.

    samples: per channel. silent: how many of them no packet provided. damaged_packets: those of the interval that could
        not be decoded or converted.
    """

    format: PcmFormat
    samples: int
    silent: int
    damaged_packets: int


def pcm_format(audio: AudioInfo) -> PcmFormat:
    """The format in which a track is read: its own rate if AAC has it; mono, stereo or 5.1, see `channel_mix`."""
    rate = next((r for r in AAC_RATES_HZ if r >= audio.sample_rate_hz), AAC_RATES_HZ[-1])
    if audio.sample_rate_hz not in AAC_RATES_HZ:
        rate = 48000
    layout = audio.layout or (f"{audio.channels} channels" if audio.channels > 0 else "stereo")
    return PcmFormat(rate, channel_mix(layout).channels)


def read_audio(
    info: VideoInfo,
    start_s: Fraction,
    duration_s: Fraction,
    target: IO[bytes],
    *,
    clock_shifts: Sequence[int] = (),
    stop: threading.Event | None = None,
) -> PcmExcerpt | None:
    """Write the audio of [start_s, start_s + duration_s) on the container's clock to `target`.

    Exactly round(duration_s * rate) samples are written; where `VideoInfo.default_audio` has none (it starts later,
    ends sooner, has a hole or is damaged) they are silence. Returns None, and writes nothing, if the source has no
    audio that can be decoded. clock_shifts: those of `FaceAnalysis`; with any, `start_s` is on the clock of the video's
    repaired times, and the file is read from its beginning.

    Raises:
        DecodeError: the file cannot be opened any more.
        InterruptedRunError: `stop` was set meanwhile.
        OSError: `target` cannot be written.
    """
    audio = info.default_audio
    if audio is None:
        return None
    pcm = pcm_format(audio)
    start_s += encoder_delay_s(info) + edit_offset_s(info)
    writer = PcmWriter(target, pcm, audio.layout, start_s, round(duration_s * pcm.sample_rate_hz))
    try:
        with open_input(info.path, info.container, long_probe=audio.late) as container:
            packets = AudioPackets(container, audio.index)
            frames = packets.frames()
            if clock_shifts:
                frames = on_video_clock(frames, packets.time_base, [n * info.time_base for n in clock_shifts])
            elif not has_false_index(info):
                packets.go_before(start_s)
            for frame in frames:
                if stop is not None and stop.is_set():
                    raise InterruptedRunError("stopped while reading audio", path=info.path, stage="decode")
                if not writer.add(frame, packets.take_failures()):
                    break
            else:
                writer.end(packets.take_failures())
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise DecodeError("its audio cannot be opened", path=info.path, stage="decode") from error
    writer.finish()
    if writer.damaged:
        logger.debug("%s: %d damaged audio packets became silence", info.path.name, writer.damaged)
    return PcmExcerpt(pcm, writer.length, writer.silent, writer.damaged)


def on_video_clock(
    frames: Iterator[av.AudioFrame], time_base: Fraction, shifts_s: Sequence[Fraction]
) -> Iterator[av.AudioFrame]:
    """The frames with pts on the clock of the video, which continues where the file's restarts.

    shifts_s: what the video's times were shifted by after each restart.
    """
    shifts = tuple(round(shift_s / time_base) for shift_s in shifts_s)
    clock = ClockRepair(*clock_limits(time_base), interval=None, known_shifts=shifts)
    for frame, step in repaired(frames, lambda frame: frame.pts, clock):
        frame.pts = step.pts
        yield frame
