"""The ffmpeg program that encodes the clips: where it is, and what its failures mean."""

from __future__ import annotations

import errno
import functools
import importlib.util
import logging
import os
import shutil
import signal
import subprocess
from pathlib import Path

from core.errors import ToolMissingError
from core.full_disk import FULL_DISK_ERRORS

logger = logging.getLogger(__name__)

H264_ENCODER = "libx264"
_ANSWER_TIMEOUT_S = 20


@functools.lru_cache(maxsize=1)
def find_ffmpeg() -> str:
    """Path of an ffmpeg that can encode H.264: the system's, else the one bundled with imageio-ffmpeg.

    Raises:
        ToolMissingError: neither exists.
    """
    for candidate in (shutil.which("ffmpeg"), bundled_ffmpeg()):
        if candidate is not None and _can_encode(candidate):
            logger.debug("encoding with %s", candidate)
            return candidate
    raise ToolMissingError(
        f"no ffmpeg with the encoder {H264_ENCODER}",
        stage="encode",
        hint="pip install imageio-ffmpeg, or install ffmpeg",
    )


def full_disk(exit_code: int | None, messages: str) -> int | None:
    """The `errno` of a full disk or a limit of file sizes if that is why ffmpeg ended, else None.

    messages: its standard error output.
    """
    # Windows has no such signal.
    if exit_code and exit_code == -getattr(signal, "SIGXFSZ", 0):
        return errno.EFBIG
    for number in FULL_DISK_ERRORS:
        # The exit code is the error, as a negative number, in 8 bits; older versions only report it.
        if exit_code == -number % 256 or os.strerror(number) in messages:
            return number
    return None


def bundled_ffmpeg() -> str | None:
    """Path of the ffmpeg that imageio-ffmpeg brings, or names; None if there is none."""
    return _file_of_wheel() or _ask_imageio()


def _file_of_wheel() -> str | None:
    """The program in the wheel of imageio-ffmpeg; None if it is not that simple.

    Importing the package and its own trial of the program would take three times as long as ours alone, before the
    first clip can begin.
    """
    if os.environ.get("IMAGEIO_FFMPEG_EXE"):
        return None
    package = importlib.util.find_spec("imageio_ffmpeg")
    folders = (package and package.submodule_search_locations) or ()
    found = [file for folder in folders for file in Path(folder).glob("binaries/ffmpeg-*") if os.access(file, os.X_OK)]
    return str(found[0]) if len(found) == 1 else None


def _ask_imageio() -> str | None:
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError, OSError) as error:
        logger.debug("imageio-ffmpeg has no ffmpeg: %s", error)
        return None


def _can_encode(program: str) -> bool:
    try:
        answer = subprocess.run(
            [program, "-hide_banner", "-loglevel", "error", "-encoders"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ANSWER_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.debug("%s does not answer: %s", program, error)
        return False
    return answer.returncode == 0 and H264_ENCODER.encode() in answer.stdout.split()
