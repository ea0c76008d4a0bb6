"""Which audio tracks an input has, which of them can be decoded, and whether a longer probe is needed to find them."""

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
from core.media.media_input import USUAL_PROBE_BYTES, USUAL_PROBE_S, file_url, input_options
from core.media.silent_tracks import silent_tracks
from core.types import IS_SILENT, AudioInfo

logger = logging.getLogger(__name__)

CANNOT_BE_DECODED, NOT_FOUND = "cannot be decoded", "was not found"
"""values of `AudioInfo.fault`, beside `IS_SILENT`"""

_STREAMS_IN_PACKETS = ("mpegts", "mpeg")
"""containers without a header that lists the streams: one that begins late is missed at first"""
_PROOF_PACKETS = 600
"""of all streams, within which a track has to show that it can be decoded"""
_FAILED_PACKETS = 20
"""a track with so many failures and no success cannot be decoded; fewer may be a damaged beginning"""
_NAMES_TIMEOUT_S = 10
_FFMPEG_AUDIO = re.compile(rb"Stream #0:(\d+)[^\n]*?: Audio: ([\w.-]+)(?:[^,\n]*\(([\w.-]+) / 0x)?")
_UNKNOWN_CODEC = "unknown format"


def needs_long_probe(container: InputContainer, size_bytes: int) -> bool:
    """Whether audio may begin after the part of the file that libav reads when it opens it.

    True if a declared track has no parameters yet; and, in containers that declare nothing, if no track was found in a
    file that is longer than that part.
    """
    tracks = [stream for stream in container.streams if isinstance(stream, AudioStream)]
    if any(isinstance(t.codec_context, AudioCodecContext) and not t.codec_context.sample_rate for t in tracks):
        return True
    if tracks or container.format.name not in _STREAMS_IN_PACKETS:
        return False
    length_s = (container.duration or 0) / av.time_base
    return size_bytes > USUAL_PROBE_BYTES or length_s > USUAL_PROBE_S


def complete_tracks(container: InputContainer) -> frozenset[int]:
    """Stream indexes of the audio tracks whose parameters are known."""
    tracks = [stream for stream in container.streams if isinstance(stream, AudioStream)]
    return frozenset(t.index for t in tracks if t.codec_context is not None and t.codec_context.sample_rate)


def audio_tracks(
    path: Path, container: InputContainer, *, seen: Collection[int] | None = None
) -> tuple[AudioInfo, ...]:
    """All audio tracks of an open container; `AudioInfo.fault` says which of them cannot be used, and why.

    seen: if the container was opened with the long probe, `complete_tracks` of the usual one; other tracks are late.
    If there are several tracks, each is tried and listened to, and the container's read position is undefined
    afterwards. If there is none, streams of which libav knows not even the type are taken for audio that cannot be
    decoded.
    """
    streams = [stream for stream in container.streams if isinstance(stream, AudioStream)]
    if not streams:
        return tuple(_unknown_track(stream.index) for stream in container.streams if stream.type == "unknown")
    tracks = [_track(stream, late=seen is not None and stream.index not in seen) for stream in streams]
    usable = [track.index for track in tracks if not track.fault]
    faults = dict.fromkeys(_failing(container, usable) if len(usable) > 1 else (), CANNOT_BE_DECODED)
    usable = [index for index in usable if index not in faults]
    faults |= dict.fromkeys(silent_tracks(container, usable) if len(usable) > 1 else (), IS_SILENT)
    nameless = [track.index for track in tracks if not track.codec]
    names = _codec_names(path) if nameless else {}
    return tuple(_completed(track, names.get(track.index, ""), faults.get(track.index, "")) for track in tracks)


def _unknown_track(index: int) -> AudioInfo:
    return AudioInfo(index, _UNKNOWN_CODEC, 0, 0, 0.0, fault=CANNOT_BE_DECODED)


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
    return replace(track, codec=track.codec or name or _UNKNOWN_CODEC, fault=track.fault or fault)


def _failing(container: InputContainer, tracks: Collection[int]) -> list[int]:
    """Those of `tracks` (stream indexes) whose packets do not decode; [] if those of no track do."""
    proven: set[int] = set()
    failed: Counter[int] = Counter()
    with contextlib.suppress(av.FFmpegError, OSError):
        container.seek(container.start_time or 0)
    # Errors in reading end the trial like the end of the file.
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
    """Names, by stream index, of codecs that PyAV does not name because it has no decoder for them."""
    options = [word for name, value in input_options().items() for word in (f"-{name}", value)]
    try:
        command = [find_ffmpeg(), "-hide_banner", "-nostdin", *options, "-i", file_url(path)]
        output = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_NAMES_TIMEOUT_S, check=False
        ).stderr
    except (OSError, subprocess.TimeoutExpired, ToolMissingError) as error:
        logger.debug("%s: names of its audio codecs: %s", path.name, error)
        return {}
    found = {int(match[1]): match[3] or match[2] for match in _FFMPEG_AUDIO.finditer(output)}
    return {index: name.decode("ascii", "replace") for index, name in found.items() if name != b"none"}
