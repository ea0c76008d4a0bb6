"""Counts the frames in the fragments of an MP4 file: libav drops frames whose times collide with those of others."""

from __future__ import annotations

import contextlib
import hashlib
import struct
from pathlib import Path

import av

from core.media.containers.mp4_boxes import children, top_level_boxes
from core.media.media_input import open_input
from core.types import VideoInfo

_MAX_BYTES = 2**22
"""of the header of a fragment; one of an hour at 240 frames/s has less"""
_HEAD_BYTES = 8
_NUMBER = struct.Struct(">I")
_FIRST_FIELD = 12
"""bytes from the start of a `tfhd` to its track, and of a `trun` to its number of samples (ISO/IEC 14496-12, 8.8)"""


def frames_in_fragments(video: VideoInfo) -> int:
    """Frames of the video stream that the headers of all fragments list; 0 where the file is not fragmented.

    A fragment that is there twice counts once. Files that have an index too are not looked at: it lists the frames of
    some fragments again.
    """
    with contextlib.suppress(av.FFmpegError, OSError, ValueError, IndexError):
        if video.container == "mov":
            with open_input(video.path, video.container) as container:
                stream = container.streams[video.stream_index]
                track, indexed = int(stream.id), stream.frames
            return 0 if indexed else fragment_samples(video.path, track)
    return 0


def fragment_samples(path: Path, track: int) -> int:
    """Samples of a track in the fragments of an MP4 file.

    Raises:
        OSError: the file cannot be read.
    """
    count = 0
    seen: set[bytes] = set()
    with path.open("rb", buffering=0) as file:
        for box in top_level_boxes(path):
            if box.kind == b"moof" and box.is_complete and box.end - box.begin <= _MAX_BYTES:
                file.seek(box.begin)
                header = file.read(box.end - box.begin)
                digest = hashlib.sha256(header).digest()
                if digest not in seen:
                    seen.add(digest)
                    count += _samples(header, track)
    return count


def _samples(fragment: bytes, track: int) -> int:
    count = 0
    for kind, begin, end in children(fragment, _HEAD_BYTES, len(fragment)):
        if kind == b"traf":
            fields = [
                (k, _NUMBER.unpack_from(fragment, b + _FIRST_FIELD)[0])
                for k, b, _ in children(fragment, begin + _HEAD_BYTES, end)
            ]
            if (b"tfhd", track) in fields:
                count += sum(number for k, number in fields if k == b"trun")
    return count
