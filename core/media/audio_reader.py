"""The sound of an interval, sample-exact on the container's clock, as raw PCM."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import IO, Any, cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container import InputContainer

from core.errors import DecodeError, InterruptedRunError
from core.media.audio_layout import ChannelMixer, channel_mix, read_layout
from core.media.media_input import CLOCK_RESET_S, LONGEST_HOLE_S, demux, open_input
from core.types import AudioInfo, VideoInfo

logger = logging.getLogger(__name__)

AAC_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)

_WARM_UPS_S = (Fraction(1), Fraction(15))
"""how far before the interval reading starts: decoders need some packets, and seeks may land late"""
_RESYNC_S = 0.01
"""by which pts may differ from the count of samples before they win: times in files are rounded"""
_SILENCE_BLOCK = 65536  # samples
_MAX_CONSECUTIVE_FAILURES = 256
_CUT_PACKETS = 2
"""so many that fail where reading begins or the file ends are cut packets (of MPEG-PS, MPEG-TS), not damaged ones"""


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """Interleaved signed 16-bit little-endian PCM."""

    sample_rate_hz: int
    channels: int

    @property
    def layout(self) -> str:
        """libav's name of the channels' places."""
        return {1: "mono", 2: "stereo", 6: "5.1"}[self.channels]


@dataclass(frozen=True, slots=True)
class PcmExcerpt:
    """What `read_audio` wrote.

    samples: per channel. silent: how many of them no packet gave. damaged_packets: those of the interval that
        could not be decoded or converted.
    """

    format: PcmFormat
    samples: int
    silent: int
    damaged_packets: int


def pcm_format(audio: AudioInfo) -> PcmFormat:
    """The format in which a track is read: its own rate where AAC knows it; mono, stereo or 5.1, see `channel_mix`."""
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
    """Write the sound of [start_s, start_s + duration_s) on the container's clock to `target`.

    Exactly round(duration_s * rate) samples are written; where `VideoInfo.default_audio` has none (it starts
    later, ends sooner, has a hole or is damaged) they are silence. None, and nothing written, where the
    source has no sound that can be heard. clock_shifts: those of `FaceAnalysis`; where there are any, `start_s`
    is meant on the frames' clock, and the file is read from its beginning.

    Raises:
        DecodeError: the file cannot be opened any more.
        InterruptedRunError: `stop` was set meanwhile.
        OSError: `target` cannot be written.
    """
    audio = info.default_audio
    if audio is None:
        return None
    pcm = pcm_format(audio)
    writer = _PcmWriter(target, pcm, audio.layout, start_s, round(duration_s * pcm.sample_rate_hz))
    try:
        with open_input(info.path, info.container, long_probe=audio.late) as container:
            source = _PacketSource(container, audio.index)
            frames = source.frames()
            if clock_shifts:
                frames = _on_one_clock(frames, [shift * info.time_base for shift in clock_shifts])
            else:
                source.go_before(start_s)
            for frame in frames:
                if stop is not None and stop.is_set():
                    raise InterruptedRunError("stopped while reading sound", path=info.path, stage="decode")
                if not writer.add(frame, source.take_failures()):
                    break
            else:
                writer.end(source.take_failures())
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise DecodeError("cannot be opened for its sound", path=info.path, stage="decode") from error
    writer.finish()
    if writer.damaged:
        logger.debug("%s: %d damaged sound packets became silence", info.path.name, writer.damaged)
    return PcmExcerpt(pcm, writer.length, writer.silent, writer.damaged)


class _PacketSource:
    """Decoded frames of one sound track; damage is counted."""

    def __init__(self, container: InputContainer, index: int) -> None:
        stream = container.streams[index]
        if not isinstance(stream, AudioStream) or stream.time_base is None:
            raise ValueError(f"stream {index} is not sound")
        if isinstance(stream.codec_context, AudioCodecContext):
            read_layout(stream.codec_context)
        self._container = container
        self._stream = stream
        self._time_base: Fraction = stream.time_base
        self._pending: list[av.AudioFrame] = []
        self._packets: Iterator[av.Packet[AudioStream]] = demux(container, stream)
        self._failures = 0

    def take_failures(self) -> int:
        """Packets that could not be decoded since this was last asked."""
        failures, self._failures = self._failures, 0
        return failures

    def go_before(self, start_s: Fraction) -> None:
        """Seek so that decoding has begun when `start_s` comes."""
        first_s = (self._stream.start_time or 0) * self._time_base
        for warm_up_s in _WARM_UPS_S:
            if start_s - warm_up_s <= first_s:
                break
            if self._seek(int((start_s - warm_up_s) / self._time_base)):
                frame = next(self.frames(), None)
                if frame is not None and frame.pts is not None and frame.pts * self._time_base <= start_s:
                    self._pending = [frame]
                    return
        if not self._seek(int(first_s / self._time_base)):
            logger.debug("%s: the sound cannot be sought", self._container.name)
        self._failures = 0
        self._packets = demux(self._container, self._stream)

    def _seek(self, pts: int) -> bool:
        try:
            self._container.seek(pts, stream=self._stream, backward=True)
        except (av.FFmpegError, OSError):
            return False
        self._failures = 0
        self._packets = demux(self._container, self._stream)
        return True

    def frames(self) -> Iterator[av.AudioFrame]:
        """On from where reading is. An exception ends PyAV's generator, not the file: it is begun again."""
        failures = 0
        while failures < _MAX_CONSECUTIVE_FAILURES:
            yield from self._taken()
            packet: av.Packet[AudioStream] | None = None
            try:
                packet = next(self._packets)
                self._pending = list(packet.decode())
                failures = 0
            except (StopIteration, av.EOFError):
                return
            except (av.FFmpegError, ValueError) as error:
                logger.debug("sound packet: %s", error)
                self._failures += 1
                failures += 1
                if packet is None:
                    self._packets = demux(self._container, self._stream)

    def _taken(self) -> Iterator[av.AudioFrame]:
        pending, self._pending = self._pending, []
        yield from pending


def _on_one_clock(frames: Iterator[av.AudioFrame], shifts_s: Sequence[Fraction]) -> Iterator[av.AudioFrame]:
    """The frames on the clock of the frames, which goes on where the file's leaps for good; shifts_s: in order."""
    waiting = deque(shifts_s)
    shift_s, last_s = Fraction(0), None
    following: av.AudioFrame | None = None
    while (frame := following or next(frames, None)) is not None:
        following = None
        time_s = frame.time
        if last_s is not None and time_s is not None and waiting and _leaps(last_s, time_s):
            following = next(frames, None)
            after_s = None if following is None else following.time
            if after_s is None or not _leaps(last_s, after_s):
                time_s = frame.pts = None  # a single wrong time: nothing leaps
            else:
                shift_s = waiting.popleft()
        if time_s is not None and frame.pts is not None and frame.time_base is not None:
            last_s = time_s
            frame.pts += round(shift_s / frame.time_base)
        yield frame


def _leaps(before_s: float, after_s: float) -> bool:
    """Whether this is a new clock, by the measure of the frames."""
    return after_s < before_s - CLOCK_RESET_S or after_s > before_s + LONGEST_HOLE_S


@dataclass(slots=True)
class _Run:
    """Frames of one shape (format, layout, rate in Hz) that follow each other; `samples` so far, at their rate."""

    shape: tuple[str, str, int]
    begin_s: Fraction
    mixer: ChannelMixer
    samples: int = 0


class _PcmWriter:
    """Lays decoded frames end to end on a time line that begins at `start_s` and is `length` samples long."""

    def __init__(self, target: IO[bytes], pcm: PcmFormat, track_layout: str, start_s: Fraction, length: int) -> None:
        self._target = target
        self._pcm = pcm
        self._track_layout = track_layout
        self._start_s = start_s
        self._end_s = float(start_s) + length / pcm.sample_rate_hz
        self._run: _Run | None = None
        self._cursor = 0  # sample of the time line at which the resampler's next output belongs
        self._written = 0
        self.length = length
        self._lost = 0  # packets since the last frame whose time is known
        self.silent = 0
        self.damaged = 0

    def add(self, frame: av.AudioFrame, lost: int) -> bool:
        """False once the interval is full. lost: packets before this frame that could not be decoded."""
        self._lost += lost
        rate_hz, samples, pts, time_base = frame.sample_rate, frame.samples, frame.pts, frame.time_base
        if rate_hz <= 0 or samples <= 0:
            return True
        run = self._run
        # Fractions take ten times as long as floats, and samples depend on them only where a run begins.
        expected_s = None if run is None else float(run.begin_s) + run.samples / run.shape[2]
        if pts is not None and time_base is not None:
            time_s = pts * time_base.numerator / time_base.denominator
        elif expected_s is not None:
            time_s = expected_s
        else:
            return True  # neither pts nor a predecessor: nobody knows where it belongs
        # What was lost lies between the frame before, which did not end the interval, and this one.
        if time_s > self._start_s and (run is not None or self._lost > _CUT_PACKETS):
            self.damaged += self._lost
        self._lost = 0
        shape = (frame.format.name, frame.layout.name, rate_hz)
        if run is None or expected_s is None or abs(time_s - expected_s) > _RESYNC_S or shape != run.shape:
            exact_s = Fraction(time_s) if pts is None or time_base is None else pts * time_base
            run = self._begin_run(shape, exact_s)
        run.samples += samples
        frame.pts = None  # the resampler is to count samples
        self._push(frame)
        return self._written < self.length and time_s < self._end_s

    def end(self, lost: int) -> None:
        """The file has ended before the interval was full. lost: packets behind the last frame."""
        self._lost += lost
        if self._run is None or self._lost > _CUT_PACKETS:
            self.damaged += self._lost

    def finish(self) -> None:
        """Write what is under way, then silence to the end."""
        self._push(None)
        self._silence(self.length)

    def _begin_run(self, shape: tuple[str, str, int], time_s: Fraction) -> _Run:
        self._push(None)
        mixer = ChannelMixer(self._track_layout, self._pcm.layout, self._pcm.sample_rate_hz)
        self._run = _Run(shape, time_s, mixer)
        self._cursor = round((time_s - self._start_s) * self._pcm.sample_rate_hz)
        return self._run

    def _push(self, frame: av.AudioFrame | None) -> None:
        if self._run is None:
            return
        try:
            converted = self._run.mixer.convert(frame)
        except (av.FFmpegError, ValueError) as error:
            logger.debug("sound frame: %s", error)
            self.damaged += 1
            return
        for piece in converted:
            # Not `to_ndarray`, which takes as long as the decoding.
            data = np.frombuffer(cast(Any, piece.planes[0]), np.int16, piece.samples * self._pcm.channels)
            self._place(data.reshape(-1, self._pcm.channels).astype("<i2", copy=False))

    def _place(self, data: np.ndarray[tuple[int, ...], np.dtype[np.int16]]) -> None:
        begin, self._cursor = self._cursor, self._cursor + len(data)
        self._silence(min(begin, self.length))
        wanted = data[max(self._written - begin, 0) : max(self.length - begin, 0)]
        self._target.write(wanted.data)
        self._written += len(wanted)

    def _silence(self, until: int) -> None:
        while self._written < until:
            count = min(until - self._written, _SILENCE_BLOCK)
            self._target.write(bytes(2 * self._pcm.channels * count))
            self._written += count
            self.silent += count
