"""Probing an input: everything known about it before the analysis, or a one-line reason to refuse it."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import stat
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from core.errors import InvalidVideoError
from core.media.asf_header import claimed_length_s
from core.media.audio_probe import audio_tracks, complete_tracks, needs_long_probe
from core.media.decode_order import UNTIMED
from core.media.frame_filter import orientation
from core.media.frame_rate import RATE_PACKETS, nominal_rate, stated_rate
from core.media.frame_shape import container_aspect, sane_aspect, shown_size
from core.media.media_input import MAX_FRAME_PX, demux, open_input
from core.media.mp4_boxes import top_level_boxes
from core.media.tone_map_filter import SDR_COLOR, hdr_transfer
from core.media.video_frame import default_matrix
from core.types import LONGEST_HOLD_S, ColorInfo, VideoInfo

logger = logging.getLogger(__name__)

MIN_SIDE_PX, MAX_SIDE_PX = 16, 16384

_MAX_PROOF_PACKETS = 500
"""packets without a frame after which a stream counts as not decodable"""
_IMAGE_CODECS = ("mjpeg", "png", "bmp", "gif", "tiff", "webp")
_WEBP, _WEBP_IS_ANIMATED = b"WEBPVP8X", 0x02
"""what follows the size of an extended WebP file, and the flag in its first byte (WebP container specification)"""
_COVER_PACKETS, _FILM_PACKETS = 200, 50
"""of the video streams: how many are looked at for covers that are not marked as such, and how many of them a stream
needs to be the film that the cover belongs to"""
_NOT_VIDEO = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image

# ffmpeg's names, as its encoder options take them, by libavutil's numbers
_PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020",
    10: "smpte428", 11: "smpte431", 12: "smpte432", 22: "jedec-p22",
}  # fmt: skip
_TRANSFER = {
    1: "bt709", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100", 10: "log316",
    11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084",
    17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip
_MATRIX = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc", 10: "bt2020c"}
_RANGE = {1: "tv", 2: "pc"}


def probe_video(path: Path, video_stream: int = 0) -> VideoInfo:
    """Examine one input; its first frame is decoded as proof that decoding works.

    video_stream: number of the stream among those that show moving frames, from 1; 0: the one that a player would
        choose.

    `color` describes the frames as `VideoReader` delivers them: for stored frames that are not YUV, the matrix and
    range that they are converted to; for HDR, BT.709.

    Raises:
        InvalidVideoError: the input cannot be used; message and hint say why in one line.
    """
    size_bytes = _check_file(path)
    try:
        with open_input(path) as container:
            if not needs_long_probe(container, size_bytes):
                return _examine(path, container, size_bytes, video_stream)
            seen_audio = complete_tracks(container)
        with open_input(path, long_probe=True) as container:
            return _examine(path, container, size_bytes, video_stream, seen_audio)
    except InvalidVideoError:
        raise
    except (av.FFmpegError, OSError, ValueError) as error:
        raise _invalid(path, *_why_not_opened(path)) from error


def _invalid(path: Path, message: str, hint: str) -> InvalidVideoError:
    return InvalidVideoError(message, path=path, stage="probe", hint=hint)


def _why_not_opened(path: Path) -> tuple[str, str]:
    """(message, hint) for a file that libav refuses, by its first bytes."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        head = file.read(4096)
        text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        if text.startswith((b"<!doctype html", b"<html")):
            return "is a web page, not a video", "the download returned a web page instead of the file"
        if text.startswith((b"#extm3u", b"ffconcat")):
            return "is a playlist, not a video", "name the video files themselves"
        if head.startswith(b"RIFF") and head[8:16] == _WEBP and head[20:21] and head[20] & _WEBP_IS_ANIMATED:
            return "is an animated WebP image, which FFmpeg cannot decode", "convert it to APNG, GIF or MP4 first"
        if _lacks_index(path):
            hint = "copy or download it again, or let a repair program rebuild the index of a recording that broke off"
            return "is an incomplete video: its index (moov) is missing", hint
        if (
            head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide")
            or head.startswith((b"\x1a\x45\xdf\xa3", b"FLV\x01"))
            or (head.startswith(b"RIFF") and head[8:12] == b"AVI ")
            or head[0:376:188] == b"GG"
        ):
            return "is a damaged or incomplete video: its index cannot be read", "copy or download it again"
    return "is not a video in a supported container", "supported are mp4, mov, mkv, webm, avi, ts, mpg and others"


def _lacks_index(path: Path) -> bool:
    """Whether MP4 or QuickTime media have no index, which recorders write at the end."""
    kinds = {box.kind for box in top_level_boxes(path)}
    return b"mdat" in kinds and not kinds & {b"moov", b"moof"}


def _check_file(path: Path) -> int:
    """Size in bytes. The kind of file is checked before opening, because opening a fifo or a device would block."""
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and not os.access(path, os.R_OK):
            raise _invalid(path, "cannot be read: permission denied", "check the file's permissions")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _invalid(path, f"cannot be read: {reason.lower()}", "check the name and the permissions") from error
    if stat.S_ISDIR(status.st_mode):
        raise _invalid(path, "is a folder, not a video", "name the folder as an input to process its files")
    if not stat.S_ISREG(status.st_mode):
        raise _invalid(path, "is not a regular file", "pipes, sockets and devices are not read")
    if status.st_size == 0:
        raise _invalid(path, "is empty", "an interrupted copy or download?")
    return status.st_size


def _examine(
    path: Path,
    container: InputContainer,
    size_bytes: int,
    video_stream: int,
    seen_audio: frozenset[int] | None = None,
) -> VideoInfo:
    streams = _moving_streams(path, container)
    stream = _choose_stream(path, streams, video_stream)
    told_by_container = container_aspect(stream)
    frame, packet_pts, told = _first_frame(path, container, stream)
    time_base = _time_base(path, stream)
    geometry = _geometry(path, frame, sane_aspect(told_by_container, told))
    container_format = container.format.name.split(",")[0]
    start_pts = None if container_format in UNTIMED else frame.pts
    rate = nominal_rate(path.name, container_format, stream, packet_pts, time_base)
    duration_s = _duration_s(container, stream, time_base)
    if duration_s == 0 and container_format == "asf":
        duration_s = claimed_length_s(path)
    return VideoInfo(
        path=path,
        container=container_format,
        stream_index=stream.index,
        codec=stream.codec_context.name,
        pixel_format=frame.format.name,
        coded_width=frame.width,
        coded_height=frame.height,
        width=geometry.width,
        height=geometry.height,
        rotation=geometry.rotation,
        sample_aspect_ratio=geometry.aspect,
        time_base=time_base,
        frame_rate=rate,
        start_pts=stream.start_time or 0 if start_pts is None else start_pts,
        duration_s=duration_s,
        frame_count=stream.frames or round(duration_s * (stated_rate(stream) or rate)),
        interlaced=frame.interlaced_frame,
        color=_color(frame, stream, geometry.width, geometry.height),
        audio=audio_tracks(path, container, seen=seen_audio),
        size_bytes=size_bytes,
        video_number=streams.index(stream) + 1,
        video_streams=len(streams),
    )


@dataclass(frozen=True, slots=True)
class _Geometry:
    """How frames are shown. width, height: display px. rotation: degrees clockwise. aspect: of a stored pixel."""

    width: int
    height: int
    rotation: int
    aspect: Fraction


def _geometry(path: Path, frame: av.VideoFrame, aspect: Fraction) -> _Geometry:
    """Of a stored frame whose pixels have this aspect; refuses sizes that cannot be processed."""
    _check_size(path, frame.width, frame.height)
    rotation, _ = orientation(frame)
    width, height = shown_size(frame.width, frame.height, aspect, rotation)
    _check_size(path, width, height)
    return _Geometry(width, height, rotation, aspect)


def _time_base(path: Path, stream: VideoStream) -> Fraction:
    """Seconds per tick of the stream; one that is too coarse for frames is refused."""
    assert stream.time_base is not None
    if stream.time_base > LONGEST_HOLD_S:
        raise _invalid(path, f"has a time base of {float(stream.time_base):.0f} s", "a damaged header?")
    return stream.time_base


def _moving_streams(path: Path, container: InputContainer) -> list[VideoStream]:
    """The video streams that can be decoded and are no covers or thumbnails; at least one."""
    streams = [s for s in container.streams if s.type == "video"]
    moving = [s for s in streams if isinstance(s, VideoStream) and not s.disposition & _NOT_VIDEO]
    if not moving:
        if streams:
            raise _invalid(path, "has no video, only a cover image", "an audio file?")
        raise _invalid(path, "has no video stream", "an audio file?")
    known = [s for s in moving if s.codec_context is not None and s.time_base is not None]
    if not known:
        raise _invalid(path, "has video in a format that cannot be decoded", "convert it to H.264 first")
    covers = _unmarked_covers(path, known)
    return [s for s in known if s.index not in covers]


def _unmarked_covers(path: Path, streams: list[VideoStream]) -> set[int]:
    """Indexes of the `streams` that hold a single image beside a film, although the file does not say so."""
    images = {s.index for s in streams if s.codec_context.name in _IMAGE_CODECS}
    if not images or len(streams) < 2:
        return set()
    packets: Counter[int] = Counter()
    # Its own container, because the read position of the other one has to stay.
    with contextlib.suppress(av.FFmpegError, OSError, ValueError, IndexError), open_input(path) as container:
        found = (packet for packet in container.demux(video=tuple(range(len(container.streams.video)))) if packet.size)
        packets.update(packet.stream.index for packet in itertools.islice(found, _COVER_PACKETS))
    has_film = any(packets[s.index] >= _FILM_PACKETS for s in streams)
    return {index for index in images if packets[index] == 1} if has_film else set()


def _choose_stream(path: Path, streams: list[VideoStream], number: int) -> VideoStream:
    if number > len(streams):
        hint = f"--video-stream takes 1 to {len(streams)}" if len(streams) > 1 else "it has one"
        raise _invalid(path, f"has no video stream {number}", hint)
    if number:
        return streams[number - 1]
    return max(streams, key=lambda s: (bool(s.disposition & Disposition.default), s.width * s.height, -s.index))


def _first_frame(
    path: Path, container: InputContainer, stream: VideoStream
) -> tuple[av.VideoFrame, list[int], Fraction | None]:
    """The first frame that decodes, the times of the first packets, and the frame's pixel aspect."""
    stream.codec_context.options = {"max_pixels": str(MAX_FRAME_PX)}
    told = stream.width, stream.height
    first: av.VideoFrame | None = None
    aspect: Fraction | None = None
    times: list[int] = []
    failure: Exception | None = None
    try:
        for count, packet in enumerate(demux(container, stream)):
            time = packet.pts if packet.pts is not None else packet.dts
            if time is not None:
                times.append(time)
            if first is None:
                try:
                    first = next(iter(packet.decode()), None)
                    aspect = stream.codec_context.sample_aspect_ratio
                except (av.FFmpegError, ValueError) as error:
                    failure = error
            if count >= (_MAX_PROOF_PACKETS if first is None else RATE_PACKETS):
                break
    except (av.FFmpegError, OSError) as error:
        failure = error
    if first is None:
        if told[0] * told[1] > MAX_FRAME_PX:
            _check_size(path, *told)
        raise _invalid(path, "none of its frames can be decoded", "damaged, incomplete or encrypted?") from failure
    return first, times, aspect


def _check_size(path: Path, width: int, height: int) -> None:
    if min(width, height) < MIN_SIDE_PX or max(width, height) > MAX_SIDE_PX or width * height > MAX_FRAME_PX:
        limits = f"sides of {MIN_SIDE_PX} to {MAX_SIDE_PX} px and {MAX_FRAME_PX / 1e6:.0f} megapixels can be used"
        raise _invalid(path, f"has frames of {width}x{height} px", limits)


def _duration_s(container: InputContainer, stream: VideoStream, time_base: Fraction) -> float:
    if stream.duration is not None and stream.duration > 0:
        return float(stream.duration * time_base)
    return max(0.0, (container.duration or 0) / av.time_base)


def _color(frame: av.VideoFrame, stream: VideoStream, width: int, height: int) -> ColorInfo:
    if hdr_transfer(frame) is not None:
        return SDR_COLOR
    stored_as_yuv = not frame.format.is_rgb and len(frame.format.components) >= 3
    return ColorInfo(
        primaries=_PRIMARIES.get(int(stream.codec_context.color_primaries), ""),
        transfer=_TRANSFER.get(int(stream.codec_context.color_trc), ""),
        matrix=_MATRIX.get(int(frame.colorspace), "") if stored_as_yuv else default_matrix(width, height),
        range=_stored_range(frame) if stored_as_yuv else "tv",
    )


def _stored_range(frame: av.VideoFrame) -> str:
    # "yuvj" formats are full range by definition, tagged or not.
    return "pc" if frame.format.name.startswith("yuvj") else _RANGE.get(int(frame.color_range), "")
