"""How the colours of a video are stored: primaries, transfer, matrix and range, by ffmpeg's names."""

from __future__ import annotations

import av
from av.video.stream import VideoStream

from core.media.tone_map_filter import SDR_COLOR, hdr_transfer
from core.media.video_frame import default_matrix
from core.types import ColorInfo

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


def stored_color(frame: av.VideoFrame, stream: VideoStream, width: int, height: int) -> ColorInfo:
    """The colours of the frames that `VideoReader` delivers, see `probe_video`.

    frame: a stored one. width, height: of frames as shown, which decide about the matrix of those that are not YUV.
    """
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
