"""Whether NVDEC decodes a video: only if the GPU is in use and a trial gives the first frame that software gives."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import av
import numpy as np
from av.codec.hwaccel import hwdevices_available
from numpy.typing import NDArray

from core.errors import DecodeError
from core.media.software_frame import SoftwareFrame
from core.media.video_frame import VideoFrame
from core.media.video_reader import VideoReader
from core.types import ByteArray, VideoInfo

if TYPE_CHECKING:
    from core.media.nvdec import Nvdec

logger = logging.getLogger(__name__)

MIN_PYAV = 18
"""the major version whose interface this is written against (`is_hw_owned`, DLPack, options of the CUDA context)"""

MAX_PLANE_ERROR = 2
"""most by which a sample of the first frame may differ: H.264, HEVC, VP9 and AV1 prescribe every bit, MPEG-2 and MPEG-4
leave the rounding of their transform open"""

TRIAL_SIZE = 128, 72
MAX_MEAN_RGB_ERROR = 4.0
"""mean difference of the first frame in RGB at `TRIAL_SIZE`, levels: swscale rounds down, which is 1 to 2 of them"""


def choose_nvdec(info: VideoInfo, device: str) -> Nvdec | None:
    """NVDEC for the video if it works for this stream on `device` (torch's name), else None: software decodes.

    On a GPU, a line of the log says why not.
    """
    if not device.startswith("cuda"):
        return None
    reason = _why_pyav_cannot(info.codec)
    if not reason:
        from core.media.nvdec import Nvdec

        nvdec = Nvdec(device)
        reason = why_not_alike(info, nvdec)
        if not reason:
            return nvdec
    logger.info("%s: decoded in software: %s", info.path.name, reason)
    return None


def _why_pyav_cannot(codec: str) -> str:
    """Empty if this build of PyAV and FFmpeg can hand the codec to NVDEC; whether the GPU can is not known yet."""
    if int(av.__version__.split(".")[0]) < MIN_PYAV:
        return f"PyAV {av.__version__} is too old for NVDEC"
    if "cuda" not in hwdevices_available():
        return "this build of FFmpeg has no CUDA"
    configs = av.Codec(codec, "r").hardware_configs
    if not any(config.device_type.name == "cuda" and config.is_supported for config in configs):
        return f"FFmpeg's decoder {codec} does not use NVDEC"
    return ""


def why_not_alike(info: VideoInfo, nvdec: Nvdec) -> str:
    """Empty if NVDEC and software decode the first frame alike, else what is different."""
    try:
        there = _first_frame(info, nvdec)
        here = _first_frame(info)
        if isinstance(there, SoftwareFrame):
            return "NVDEC does not decode this stream, or its frames need a filter"
        if there.pts != here.pts:
            return "NVDEC begins with another frame"
        for mine, wanted in zip(there.planes(), here.planes(), strict=True):
            if mine.shape != wanted.shape or _difference(mine, wanted).max() > MAX_PLANE_ERROR:
                return "NVDEC gives another image"
        if _difference(there.rgb(*TRIAL_SIZE), here.rgb(*TRIAL_SIZE)).mean() > MAX_MEAN_RGB_ERROR:
            return "colours are wrong on the GPU"
    except (RuntimeError, TypeError, ValueError, DecodeError) as error:
        cause = error.__cause__ or error
        return f"NVDEC does not work: {' '.join(str(cause).split())}"
    return ""


def _first_frame(info: VideoInfo, nvdec: Nvdec | None = None) -> VideoFrame:
    with VideoReader(info, threads=1, nvdec=nvdec) as reader:
        return next(reader.frames())


def _difference(a: ByteArray, b: ByteArray) -> NDArray[np.int16]:
    return np.asarray(np.abs(a.astype(np.int16) - b.astype(np.int16)))
