"""Probing an input: everything known about it before the analysis, or a one-line reason to refuse it."""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from core.errors import InvalidVideoError
from core.media.audio_probe import audio_tracks, complete_tracks, needs_long_probe
from core.media.containers.asf_header import claimed_length_s
from core.media.decode_order import UNTIMED
from core.media.file_check import invalid_video, size_of_regular_file, why_not_opened
from core.media.frame_filter import orientation
from core.media.frame_rate import RATE_PACKETS, nominal_rate, stated_rate
from core.media.frame_shape import container_aspect, sane_aspect, shown_size
from core.media.media_input import MAX_FRAME_PX, demux, open_input
from core.media.stored_color import stored_color
from core.types import LONGEST_HOLD_S, VideoInfo

MIN_SIDE_PX, MAX_SIDE_PX = 16, 16384

_MAX_PROOF_PACKETS = 500
"""packets without a frame after which a stream counts as not decodable"""
_IMAGE_CODECS = ("mjpeg", "png", "bmp", "gif", "tiff", "webp")
_COVER_PACKETS, _VIDEO_PACKETS = 200, 50
"""of the video streams: how many are looked at for covers that are not marked as such, and how many of them a stream
needs to be the video that the cover belongs to"""
_NOT_VIDEO = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image


def probe_video(path: Path, video_stream: int = 0) -> VideoInfo:
    """Examine one input; its first frame is decoded as proof that decoding works.

    video_stream: number of the stream among those that show moving frames, from 1; 0: the one that a player would
        choose.

    `color` describes the frames as `VideoReader` delivers them: for stored frames that are not YUV, the matrix and
    range that they are converted to; for HDR, BT.709.

    Raises:
        InvalidVideoError: the input cannot be used; message and hint say why in one line.
    """
    size_bytes = size_of_regular_file(path)
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
        raise invalid_video(path, *why_not_opened(path)) from error


def _examine(
    path: Path,
    container: InputContainer,
    size_bytes: int,
    video_stream: int,
    seen_audio: frozenset[int] | None = None,
) -> VideoInfo:
    streams = _moving_streams(path, container)
    stream = _choose_stream(path, streams, video_stream)
    container_says = container_aspect(stream)
    frame, packet_pts, decoder_says = _first_frame(path, container, stream)
    time_base = _time_base(path, stream)
    geometry = _geometry(path, frame, sane_aspect(container_says, decoder_says))
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
        color=stored_color(frame, stream, geometry.width, geometry.height),
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
        raise invalid_video(path, f"has a time base of {float(stream.time_base):.0f} s", "a damaged header?")
    return stream.time_base


def _moving_streams(path: Path, container: InputContainer) -> list[VideoStream]:
    """The video streams that can be decoded and are no covers or thumbnails; at least one."""
    streams = [s for s in container.streams if s.type == "video"]
    moving = [s for s in streams if isinstance(s, VideoStream) and not s.disposition & _NOT_VIDEO]
    if not moving:
        if streams:
            raise invalid_video(path, "has no video, only a cover image", "an audio file?")
        raise invalid_video(path, "has no video stream", "an audio file?")
    known = [s for s in moving if s.codec_context is not None and s.time_base is not None]
    if not known:
        raise invalid_video(path, "has video in a format that cannot be decoded", "convert it to H.264 first")
    covers = _unmarked_covers(path, known)
    return [s for s in known if s.index not in covers]


def _unmarked_covers(path: Path, streams: list[VideoStream]) -> set[int]:
    """Indexes of the `streams` that hold a single image beside a video, although the file does not say so."""
    images = {s.index for s in streams if s.codec_context.name in _IMAGE_CODECS}
    if not images or len(streams) < 2:
        return set()
    packets: Counter[int] = Counter()
    # Its own container, because the read position of the other one has to stay.
    with contextlib.suppress(av.FFmpegError, OSError, ValueError, IndexError), open_input(path) as container:
        found = (packet for packet in container.demux(video=tuple(range(len(container.streams.video)))) if packet.size)
        packets.update(packet.stream.index for packet in itertools.islice(found, _COVER_PACKETS))
    has_video = any(packets[s.index] >= _VIDEO_PACKETS for s in streams)
    return {index for index in images if packets[index] == 1} if has_video else set()


def _choose_stream(path: Path, streams: list[VideoStream], number: int) -> VideoStream:
    if number > len(streams):
        hint = f"--video-stream takes 1 to {len(streams)}" if len(streams) > 1 else "it has one"
        raise invalid_video(path, f"has no video stream {number}", hint)
    if number:
        return streams[number - 1]
    return max(streams, key=lambda s: (bool(s.disposition & Disposition.default), s.width * s.height, -s.index))


def _first_frame(
    path: Path, container: InputContainer, stream: VideoStream
) -> tuple[av.VideoFrame, list[int], Fraction | None]:
    """The first frame that decodes, the times of the first packets, and the frame's pixel aspect."""
    stream.codec_context.options = {"max_pixels": str(MAX_FRAME_PX)}
    stated = stream.width, stream.height
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
        if stated[0] * stated[1] > MAX_FRAME_PX:
            _check_size(path, *stated)
        raise invalid_video(path, "none of its frames can be decoded", "damaged, incomplete or encrypted?") from failure
    return first, times, aspect


def _check_size(path: Path, width: int, height: int) -> None:
    if min(width, height) < MIN_SIDE_PX or max(width, height) > MAX_SIDE_PX or width * height > MAX_FRAME_PX:
        limits = f"sides of {MIN_SIDE_PX} to {MAX_SIDE_PX} px and {MAX_FRAME_PX / 1e6:.0f} megapixels can be used"
        raise invalid_video(path, f"has frames of {width}x{height} px", limits)


def _duration_s(container: InputContainer, stream: VideoStream, time_base: Fraction) -> float:
    if stream.duration is not None and stream.duration > 0:
        return float(stream.duration * time_base)
    return max(0.0, (container.duration or 0) / av.time_base)
