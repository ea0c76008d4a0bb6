"""Opening media files: the only place in the program that does, restricted to local files and known containers.

Inputs are treated as hostile: a playlist, a script or a URL under a video's name would make libav open other files or
the network. So every open allows only the `file` protocol and a fixed list of demuxers that read nothing but the file.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import av
import av.logging
from av.audio.stream import AudioStream
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.video.stream import VideoStream

from core.media.containers.mp4_boxes import end_of_fragments

logger = logging.getLogger(__name__)

_Stream = TypeVar("_Stream", VideoStream, AudioStream)

CONTAINER_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska,webm",
    "avi",
    "mpegts",
    "mpeg",
    "mpegvideo",
    "flv",
    "asf",
    "ogg",
    "mxf",
    "gif",
    "apng",
    "yuv4mpegpipe",
    "rm",
    "wtv",
    "nut",
    "dv",
    "dhav",
    "h264",
    "hevc",
    "m4v",
    "mjpeg",
    "ivf",
    "obu",
)
"""libav's names of the demuxers that are allowed; none of them opens a second file"""

RAW_FORMATS = frozenset({"mpegvideo", "h264", "hevc", "m4v", "mjpeg", "obu", "dv"})
"""demuxers whose average frame rate is an assumption or a tick count; the stream header's rate is better"""
_QUICKTIME = "mov"
"""demuxer of MP4 and QuickTime: files with edit lists, or in fragments, which a recorder that stops suddenly cuts off
anywhere"""
_JPEG_START = b"\xff\xd8\xff"

CLOCK_RESET_S = 1
"""a larger step back in time is a new clock, not frames out of order"""
LONGEST_HOLE_S = 3600
"""a larger step ahead is a new clock, not a pause"""
MAX_FRAME_PX = 2**26
"""the decoder refuses larger frames (8192x8192) before it allocates them: a dozen are alive at a time"""

USUAL_PROBE_BYTES, USUAL_PROBE_S = 5_000_000, 5
"""how far libav reads on open to find streams and their parameters (7 s in MPEG-TS and MPEG-PS)"""
_LONG_PROBE = {"probesize": str(64_000_000), "analyzeduration": str(600_000_000), "scan_all_pmts": "1"}
"""bytes and microseconds; the bytes are kept in memory until they are read. `scan_all_pmts` is for MPEG-TS whose list
of streams changes; other containers ignore it"""

_FIRST_EDIT_ONLY = {"advanced_editlist": "0"}
"""libav shows nothing of an edit of duration 0, which players take as reaching to the end (in fragmented files it means
that, ISO/IEC 14496-12, 8.6.6). With this option edits only tell where a track begins"""

# libav's messages would go to stderr between the progress bars, and its logging can deadlock with Python's threads.
av.logging.set_level(None)


def file_url(path: Path) -> str:
    """`path` as a URL for libav, so that no name can be taken for another protocol or an option."""
    # absolute(), not resolve(): libav looks at the extension, and a link's target may have another one.
    return f"file:{path.absolute()}"


def input_options() -> dict[str, str]:
    """libav options for every open, which keep it from reading anything but the input file."""
    return {"protocol_whitelist": "file", "format_whitelist": ",".join(CONTAINER_FORMATS)}


def open_input(
    path: Path,
    container_format: str | None = None,
    *,
    long_probe: bool = False,
    exact_edits: bool = False,
    accelerator: HWAccel | None = None,
) -> InputContainer:
    """Open a local media file for reading; a context manager.

    container_format: the demuxer to use (`VideoInfo.container`); None lets libav choose among `CONTAINER_FORMATS`.
    long_probe: search more of the file for streams that begin late. exact_edits: frames keep their places in the edit
        of an MP4 file, and those in front of it are not marked. accelerator: the hardware that decodes.

    Raises:
        av.FFmpegError, OSError, ValueError: it cannot be opened; callers turn this into an error of the program.
    """
    url, demuxer = file_url(path), container_format or _demuxer_for(path)
    options = input_options() | (_LONG_PROBE if long_probe else {}) | (_FIRST_EDIT_ONLY if exact_edits else {})
    try:
        container = _open(url, demuxer, options, accelerator)
        if not _is_hidden_by_edit_list(container):
            return container
        container.close()
        logger.debug("%s: edits of no length, taken as reaching to the end of the media", path.name)
        return _open(url, demuxer, options | _FIRST_EDIT_ONLY, accelerator)
    except av.FFmpegError:
        if (end := _cut_off_at(path, demuxer)) is None:
            raise
    logger.debug("%s: cut off in the header of a fragment at byte %d", path.name, end)
    options["protocol_whitelist"] += ",subfile"
    return _open(f"subfile,,start,0,end,{end},,:{url}", _QUICKTIME, options, accelerator)


def _open(
    url: str, container_format: str | None, options: dict[str, str], accelerator: HWAccel | None
) -> InputContainer:
    return av.open(
        url,
        mode="r",
        format=container_format,
        # Metadata is not always UTF-8 and is not used.
        metadata_errors="replace",
        # Not `options`: those reach the decoders too, which crashes old PyAV (MPEG-TS, FLV).
        container_options=options,
        hwaccel=accelerator,
    )


def _is_hidden_by_edit_list(container: InputContainer) -> bool:
    """Whether a track has frames but its edit list shows none of them."""
    if container.format.name.split(",")[0] != _QUICKTIME:
        return False
    tracks = (*container.streams.video, *container.streams.audio)
    # An empty edit, which delays a track, counts as a part of its duration.
    return any(t.frames > 0 and t.duration is not None and t.duration <= max(0, t.start_time or 0) for t in tracks)


def _cut_off_at(path: Path, container_format: str | None) -> int | None:
    """Where a file ends that libav refuses because of its last fragment; None if that is not why."""
    if container_format not in (None, _QUICKTIME):
        return None
    with contextlib.suppress(OSError):
        return end_of_fragments(path)
    return None


def _demuxer_for(path: Path) -> str | None:
    """The demuxer for a file that libav would misdetect, else None."""
    # libav would take a stream of JPEG images for a single one.
    if path.suffix.lower() in (".mjpg", ".mjpeg"):
        with path.open("rb") as file:
            if file.read(len(_JPEG_START)) == _JPEG_START:
                return "mjpeg"
    return None


def demux(container: InputContainer, stream: _Stream) -> Iterator[av.Packet[_Stream]]:
    """The packets of `stream`, then an empty one that flushes the decoder.

    Raises:
        av.FFmpegError, OSError: reading failed; a new call continues after the fault.
    """
    while True:
        try:
            yield from container.demux(stream)
            return
        except IndexError:
            # PyAV fails on packets of a stream that damage makes appear in mid-file.
            logger.debug("%s: a packet of an unknown stream", container.name)
