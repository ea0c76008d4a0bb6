"""Whether an input is a file that may be opened, and why libav refused one that was.

Both are known without libav: from the file system, and from the first bytes of the file.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from core.errors import InvalidVideoError
from core.media.containers.mp4_boxes import top_level_boxes

_WEBP, _WEBP_IS_ANIMATED = b"WEBPVP8X", 0x02
"""what follows the size of an extended WebP file, and the flag in its first byte (WebP container specification)"""


def invalid_video(path: Path, message: str, hint: str) -> InvalidVideoError:
    """The error about an input that cannot be used."""
    return InvalidVideoError(message, path=path, stage="probe", hint=hint)


def size_of_regular_file(path: Path) -> int:
    """Size in bytes. The kind of file is checked before opening, because opening a fifo or a device would block.

    Raises:
        InvalidVideoError: it is no regular file, is empty, or cannot be read.
    """
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and not os.access(path, os.R_OK):
            raise invalid_video(path, "cannot be read: permission denied", "check the file's permissions")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise invalid_video(path, f"cannot be read: {reason.lower()}", "check the name and the permissions") from error
    if stat.S_ISDIR(status.st_mode):
        raise invalid_video(path, "is a folder, not a video", "name the folder as an input to process its files")
    if not stat.S_ISREG(status.st_mode):
        raise invalid_video(path, "is not a regular file", "pipes, sockets and devices are not read")
    if status.st_size == 0:
        raise invalid_video(path, "is empty", "an interrupted copy or download?")
    return status.st_size


def why_not_opened(path: Path) -> tuple[str, str]:
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
