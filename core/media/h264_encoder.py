"""Which H.264 encoder is used, and with which options: NVENC where a trial succeeds, else x264."""

from __future__ import annotations

import ctypes
import functools
import logging
import math
import subprocess
import sys
from typing import Any, Literal

from config import EncodeSettings
from core.errors import ToolMissingError
from core.media.ffmpeg_tool import H264_ENCODER, find_ffmpeg

logger = logging.getLogger(__name__)

NVENC = "h264_nvenc"

_PX_PER_THREAD, _MAX_THREADS = 2**18, 4
"""One x264 thread per this many pixels. A second one costs 12 % more CPU time for clips of 512x512 px, and other clips
are encoded at the same time. By size only, because the output of x264 depends on the number of its threads."""
_TRIAL_FRAMES = 4
_TRIAL_TIMEOUT_S = 30


def encoder_options(encoder: str, settings: EncodeSettings, width: int, height: int) -> dict[str, Any]:
    """Options of ffmpeg for `encoder`, its name among them. width, height: of the frames, px."""
    if encoder == NVENC:
        return {"vcodec": NVENC, "preset": "p5", "rc": "vbr", "cq": settings.quality, "b:v": 0}
    return {
        "vcodec": encoder,
        "preset": settings.preset,
        "crf": settings.quality,
        "threads:v": min(math.ceil(width * height / _PX_PER_THREAD), _MAX_THREADS),
    }


@functools.lru_cache(maxsize=16)
def choose_encoder(codec: Literal["auto", "x264", "nvenc"], width: int, height: int) -> str:
    """ffmpeg's name of the encoder for clips of this size, px. The choice and its reason are logged once.

    That ffmpeg lists NVENC is not enough: it needs a driver, a GPU with an encoder, a free session and a size that it
    supports. So a few frames are encoded on trial.

    Raises:
        ToolMissingError: ffmpeg is not installed, or `codec` is "nvenc" and the trial failed.
    """
    program = find_ffmpeg()
    if codec == "x264":
        return H264_ENCODER
    failure = missing_driver() or _trial(program, width, height)
    if not failure:
        log_once("clips are encoded on the GPU (NVENC)")
        return NVENC
    if codec == "nvenc":
        raise ToolMissingError(
            f"NVENC does not work here: {failure}", stage="encode", hint="--codec auto or x264 encodes on the CPU"
        )
    log_once(f"clips are encoded on the CPU (x264; no NVENC: {failure})")
    return H264_ENCODER


@functools.lru_cache(maxsize=16)
def log_once(line: str) -> None:
    """Log `line` unless it was logged before: with `--size source` or variants there are clips of many sizes."""
    logger.info("%s", line)


def missing_driver() -> str:
    """Why NVENC cannot work here; "" if only a trial can tell. A trial takes a tenth of the program's start time."""
    library = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}.get(sys.platform)
    if library is None:
        return f"not available on {sys.platform}"
    try:
        ctypes.CDLL(library)
    except OSError:
        return f"{library} cannot be loaded"
    return ""


def _trial(program: str, width: int, height: int) -> str:
    """Why NVENC cannot encode frames of this size; "" if it can."""
    options = encoder_options(NVENC, EncodeSettings(), width, height)
    command = [program, "-hide_banner", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p"]
    command += ["-video_size", f"{width}x{height}", "-framerate", "25", "-i", "pipe:0", "-c:v", options.pop("vcodec")]
    for name, value in options.items():
        command += [f"-{name}", str(value)]
    frames = bytes(width * height * 3 // 2) * _TRIAL_FRAMES
    try:
        done = subprocess.run(
            [*command, "-f", "null", "-"], input=frames, capture_output=True, timeout=_TRIAL_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{type(error).__name__} in a trial"
    messages = done.stderr.decode("utf-8", "replace").splitlines()
    return "" if done.returncode == 0 else _reason(messages)


def _reason(messages: list[str]) -> str:
    """The first message, without the address that ffmpeg puts before it."""
    first = messages[0] if messages else "the test encoding failed without a message"
    return first.rpartition("] ")[2]
