"""The one way in which the program opens media: a local file, as a real container, silently.

An input is hostile until proven otherwise: a playlist, a script or an address under a video's name
would make libav open other files or the network. So every open names the `file` protocol and a
fixed list of demuxers that read nothing but the file itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import av
import av.logging
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

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
"""libav's names of the demuxers that may be used; none of them opens a second file"""

RAW_FORMATS = frozenset({"mpegvideo", "h264", "hevc", "m4v", "mjpeg", "obu", "dv"})
"""demuxers whose average frame rate is an assumption or a count of ticks; what the stream's header says is better"""
_JPEG_START = b"\xff\xd8\xff"

CLOCK_RESET_S = 1
"""a step back in time that is larger is a new clock, not a disorder"""
LONGEST_HOLE_S = 3600
"""a step ahead that is larger is a new clock too, not a pause"""
MAX_FRAME_PX = 2**26
"""a frame with more pixels (8192x8192) is refused by the decoder before its memory is taken: a dozen are alive
at a time"""

USUAL_PROBE_BYTES, USUAL_PROBE_S = 5_000_000, 5
"""how far libav reads when it opens a file, to find its streams and their parameters (7 s in MPEG-TS and MPEG-PS)"""
_LONG_PROBE = {"probesize": str(64_000_000), "analyzeduration": str(600_000_000), "scan_all_pmts": "1"}
"""bytes and microseconds; the bytes are kept in memory until they are read. The last is for MPEG-TS whose list of
streams changes, and ignored by other containers"""

# Messages would go to stderr, in the middle of the progress bars; and libav's logging threads can
# deadlock with Python's when it is on.
av.logging.set_level(None)


def file_url(path: Path) -> str:
    """`path` as libav has to be given it, so that no name can be taken for an address or an option."""
    # absolute(), not resolve(): a link's target may have another extension, which libav looks at.
    return f"file:{path.absolute()}"


def decoded_pts(frame: av.VideoFrame, container_format: str) -> int | None:
    """When a freshly decoded frame is to be shown, in its stream's time base; None where nothing tells."""
    # AVI stores no presentation times; what libav guesses for it is wrong with B-frames, the order of
    # decoding, delayed as the decoder delays it, is not.
    return frame.dts if container_format == "avi" else frame.pts


def input_options() -> dict[str, str]:
    """What every open has to be told for an input to stay within its own file; libav's names."""
    return {"protocol_whitelist": "file", "format_whitelist": ",".join(CONTAINER_FORMATS)}


def open_input(path: Path, container_format: str | None = None, *, long_probe: bool = False) -> InputContainer:
    """Open a local media file for reading; close it by `with`.

    container_format: demuxer that must be used (`VideoInfo.container`); None lets libav choose among
        `CONTAINER_FORMATS`. long_probe: streams that begin late are searched for in more of the file.

    Raises:
        av.FFmpegError, OSError, ValueError: as PyAV has it; callers turn it into an error of ours.
    """
    return av.open(
        file_url(path),
        mode="r",
        format=container_format or _demuxer_for(path),
        # metadata is not always UTF-8, and nobody needs it to be
        metadata_errors="replace",
        # not `options`: those reach the decoders too, and old PyAV crashes on that (MPEG-TS, FLV)
        container_options=input_options() | (_LONG_PROBE if long_probe else {}),
    )


def _demuxer_for(path: Path) -> str | None:
    """The demuxer for a file that libav would take for something else, None where it may choose."""
    # A stream of JPEG frames passes for a single one.
    if path.suffix.lower() in (".mjpg", ".mjpeg"):
        with path.open("rb") as file:
            if file.read(len(_JPEG_START)) == _JPEG_START:
                return "mjpeg"
    return None


def demux(container: InputContainer, stream: _Stream) -> Iterator[av.Packet[_Stream]]:
    """The packets of `stream`, then an empty one, as PyAV has them.

    Raises:
        av.FFmpegError, OSError: reading failed; a new call goes on behind the fault.
    """
    while True:
        try:
            yield from container.demux(stream)
            return
        except IndexError:
            # PyAV stumbles over packets of a stream that damage makes appear in mid-file.
            logger.debug("%s: a packet of an unknown stream", container.name)
