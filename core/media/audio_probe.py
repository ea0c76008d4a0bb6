"""Which sound tracks an input has, which of them can be decoded, and whether the container shows them all at once."""

from __future__ import annotations

import contextlib
import itertools
import logging
import re
import subprocess
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.layout import AudioLayout
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from core.errors import ToolMissingError
from core.media.audio_layout import read_layout
from core.media.ffmpeg_tool import find_ffmpeg
from core.media.media_input import USUAL_LOOK_BYTES, USUAL_LOOK_S, file_url, input_options
from core.types import AudioInfo

logger = logging.getLogger(__name__)

CANNOT_BE_DECODED, NOT_FOUND = "cannot be decoded", "was not found"
"""values of `AudioInfo.fault`"""

_STREAMS_IN_PACKETS = ("mpegts", "mpeg")
"""containers without a header that lists the streams: one that begins late is not seen at first"""
_PROOF_PACKETS = 600
"""of all streams, within which a track has to show that it can be decoded"""
_FAILED_PACKETS = 20
"""so many, and not one that decodes, are a track that cannot be decoded rather than a damaged beginning"""
_NAMES_TIMEOUT_S = 10
_FFMPEG_AUDIO = re.compile(rb"Stream #0:(\d+)[^\n]*?: Audio: ([\w.-]+)(?:[^,\n]*\(([\w.-]+) / 0x)?")


def needs_long_probe(container: InputContainer, size_bytes: int) -> bool:
    """Whether sound may begin behind the part of the file that libav looks at when it opens it.

    True where a declared track has no parameters yet; and, in containers that announce nothing, where no track was
    seen in a file that is longer than that part.
    """
    tracks = [stream for stream in container.streams if isinstance(stream, AudioStream)]
    if any(isinstance(t.codec_context, AudioCodecContext) and not t.codec_context.sample_rate for t in tracks):
        return True
    if tracks or container.format.name not in _STREAMS_IN_PACKETS:
        return False
    length_s = (container.duration or 0) / av.time_base
    return size_bytes > USUAL_LOOK_BYTES or length_s > USUAL_LOOK_S


def complete_tracks(container: InputContainer) -> frozenset[int]:
    """Stream indexes of the sound tracks whose parameters are known."""
    tracks = [stream for stream in container.streams if isinstance(stream, AudioStream)]
    return frozenset(t.index for t in tracks if t.codec_context is not None and t.codec_context.sample_rate)


def audio_tracks(
    path: Path, container: InputContainer, *, seen: Collection[int] | None = None
) -> tuple[AudioInfo, ...]:
    """All sound tracks of an open container; `AudioInfo.fault` tells which of them cannot be had, and why.

    seen: where the container was opened with the longer look, `complete_tracks` of the usual one; the others are late.
    Where there are several tracks, each is tried: what is read next from the container is undefined then.
    """
    streams = [stream for stream in container.streams if isinstance(stream, AudioStream)]
    tracks = [_track(stream, late=seen is not None and stream.index not in seen) for stream in streams]
    usable = [track.index for track in tracks if not track.fault]
    faults = dict.fromkeys(_failing(container, usable) if len(usable) > 1 else (), CANNOT_BE_DECODED)
    nameless = [track.index for track in tracks if not track.codec]
    names = _codec_names(path) if nameless else {}
    return tuple(_completed(track, names.get(track.index, ""), faults.get(track.index, "")) for track in tracks)


def _track(stream: AudioStream, *, late: bool) -> AudioInfo:
    context = stream.codec_context
    language = stream.language or ""
    start_s = float(stream.start_time * stream.time_base) if stream.start_time and stream.time_base else 0.0
    layout = "" if not isinstance(context, AudioCodecContext) else read_layout(context)
    rate_hz = 0 if context is None else context.sample_rate
    fault = CANNOT_BE_DECODED if context is None else NOT_FOUND if not rate_hz else ""
    return AudioInfo(
        index=stream.index,
        codec="" if context is None else context.name,
        sample_rate_hz=rate_hz,
        channels=_channel_count(layout),
        start_s=start_s,
        language="" if language == "und" else language,
        default=bool(stream.disposition & Disposition.default),
        layout=layout,
        late=late,
        fault=fault,
    )


def _channel_count(layout: str) -> int:
    return AudioLayout(layout).nb_channels if layout else 0


def _completed(track: AudioInfo, name: str, fault: str) -> AudioInfo:
    return replace(track, codec=track.codec or name or "unknown format", fault=track.fault or fault)


def _failing(container: InputContainer, tracks: Collection[int]) -> list[int]:
    """Those of `tracks` (stream indexes) whose packets do not decode; none where no other track's do."""
    proven: set[int] = set()
    failed: Counter[int] = Counter()
    with contextlib.suppress(av.FFmpegError, OSError):
        container.seek(container.start_time or 0)
    # Anything else ends the trial as the end of the file does.
    with contextlib.suppress(av.FFmpegError, OSError, IndexError):
        for packet in itertools.islice(container.demux(), _PROOF_PACKETS):
            index = packet.stream.index
            if index not in tracks or index in proven or failed[index] >= _FAILED_PACKETS:
                continue
            try:
                if packet.decode():
                    proven.add(index)
            except (av.FFmpegError, ValueError):
                failed[index] += 1
            if all(i in proven or failed[i] >= _FAILED_PACKETS for i in tracks):
                break
    return [index for index in tracks if failed[index] and index not in proven] if proven else []


def _codec_names(path: Path) -> dict[int, str]:
    """Names by stream index of formats that PyAV has no decoder for and therefore does not name."""
    options = [word for name, value in input_options().items() for word in (f"-{name}", value)]
    try:
        command = [find_ffmpeg(), "-hide_banner", "-nostdin", *options, "-i", file_url(path)]
        told = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_NAMES_TIMEOUT_S, check=False
        ).stderr
    except (OSError, subprocess.TimeoutExpired, ToolMissingError) as error:
        logger.debug("%s: formats of its sound: %s", path.name, error)
        return {}
    found = _FFMPEG_AUDIO.finditer(told)
    return {int(match[1]): (match[3] or match[2]).decode("ascii", "replace") for match in found}
