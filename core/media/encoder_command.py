"""The ffmpeg command that encodes raw frames as an MP4 clip of H.264 and AAC."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from config import EncodeSettings
from core.media.aac_encoder import AAC_CODER
from core.media.audio_reader import PcmFormat
from core.media.ffmpeg_tool import H264_ENCODER
from core.media.h264_encoder import encoder_options
from core.media.media_input import file_url
from core.types import ColorInfo

# The values that ffmpeg's setparams filter knows; all others stay untagged. "gbr" is left out: frames are YUV.
_PRIMARIES = {
    "bt709",
    "bt470m",
    "bt470bg",
    "smpte170m",
    "smpte240m",
    "film",
    "bt2020",
    "smpte428",
    "smpte431",
    "smpte432",
    "jedec-p22",
}
_TRANSFERS = {
    "bt709",
    "bt470m",
    "bt470bg",
    "smpte170m",
    "smpte240m",
    "linear",
    "log100",
    "log316",
    "iec61966-2-4",
    "bt1361e",
    "iec61966-2-1",
    "bt2020-10",
    "bt2020-12",
    "smpte2084",
    "smpte428",
    "arib-std-b67",
}
_MATRICES = {"bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "ycgco", "bt2020nc", "bt2020c"}
_RANGES = {"tv": "tv", "mpeg": "tv", "limited": "tv", "pc": "pc", "jpeg": "pc", "full": "pc"}
_TRANSFER_ALIASES = {"gamma22": "bt470m", "gamma28": "bt470bg"}

_TARGET, _AUDIO = "file:target", "file:audio"
"""stand for the files while ffmpeg-python builds the command: it cannot take paths that are not UTF-8"""

ClipAudio = tuple[Path, PcmFormat | None]
"""a file of raw PCM and its format; if the format is None, an MP4 whose AAC is copied"""


@dataclass(frozen=True, slots=True)
class ClipEncoding:
    """How the frames of one clip are encoded.

    width, height: even, px. rate: frames per second. color: tags of the frames, which are not converted. audio: of the
    length of the clip; None for none. encoder: of `choose_encoder`. timecode: of the first frame, for a timecode track
    (tmcd), counted at `rate`; "" for none.
    """

    width: int
    height: int
    rate: Fraction
    settings: EncodeSettings
    color: ColorInfo = field(default_factory=ColorInfo)
    audio: ClipAudio | None = None
    encoder: str = H264_ENCODER
    timecode: str = ""


def encoder_command(program: str, target: Path, encoding: ClipEncoding) -> tuple[str, ...]:
    """argv that encodes raw yuv420p frames from standard input to the MP4 file `target`.

    program: ffmpeg. With x264 the file is reproducible to the byte.
    """
    frames = ffmpeg.input(
        "pipe:0",
        format="rawvideo",
        pixel_format="yuv420p",
        video_size=(encoding.width, encoding.height),
        framerate=_rate(encoding),
        protocol_whitelist="pipe",
    )
    tags = color_tags(encoding.color)
    if tags:
        # Tags of the frames are only copied; as options of the encoder they could make ffmpeg convert.
        frames = frames.filter("setparams", **tags)
    streams = [frames]
    options = _video_options(encoding)
    files = {_TARGET: file_url(target)}
    if encoding.audio is not None:
        audio_file, pcm = encoding.audio
        streams.append(_audio_input(pcm))
        options |= _audio_options(pcm, encoding.settings)
        files[_AUDIO] = file_url(audio_file)
    command = ffmpeg.output(*streams, _TARGET, **options).overwrite_output()
    head = [program, "-hide_banner", "-loglevel", "warning", "-nostats", "-filter_threads", "1"]
    return tuple(files.get(argument, argument) for argument in command.compile(cmd=head))


def _rate(encoding: ClipEncoding) -> str:
    return f"{encoding.rate.numerator}/{encoding.rate.denominator}"


def _video_options(encoding: ClipEncoding) -> dict[str, Any]:
    """Options of the output that do not depend on the audio."""
    options = {
        **encoder_options(encoding.encoder, encoding.settings, encoding.width, encoding.height),
        "pix_fmt": "yuv420p",
        "r": _rate(encoding),
        "flags:v": "+bitexact",
        "fflags": "+bitexact",
        "map_metadata": -1,
        "movflags": "+faststart",
        "format": "mp4",
    }
    return {**options, "timecode": encoding.timecode} if encoding.timecode else options


def _audio_input(pcm: PcmFormat | None) -> Any:
    """The file of a `ClipAudio` as an input of ffmpeg-python."""
    if pcm is None:
        return ffmpeg.input(_AUDIO, format="mp4", protocol_whitelist="file")
    raw = {"ar": pcm.sample_rate_hz, "ac": pcm.channels}
    return ffmpeg.input(_AUDIO, format="s16le", **raw, protocol_whitelist="file")


def _audio_options(pcm: PcmFormat | None, settings: EncodeSettings) -> dict[str, Any]:
    if pcm is None:
        return {"acodec": "copy"}
    aac = {"acodec": "aac", "aac_coder": AAC_CODER, "b:a": f"{settings.audio_kbps}k"}
    return {**aac, "flags:a": "+bitexact"}


def color_tags(color: ColorInfo) -> dict[str, str]:
    """Options of ffmpeg's setparams filter for `color`; what the filter does not know is left out."""
    transfer = _TRANSFER_ALIASES.get(color.transfer, color.transfer)
    tags = {
        "color_primaries": color.primaries if color.primaries in _PRIMARIES else "",
        "color_trc": transfer if transfer in _TRANSFERS else "",
        "colorspace": color.matrix if color.matrix in _MATRICES else "",
        "range": _RANGES.get(color.range, ""),
    }
    return {name: value for name, value in tags.items() if value}
