"""HDR videos as the reader delivers them: generated patches against what the recommendations say."""

from pathlib import Path

import av
import numpy as np
import pytest

from core.media.tone_map_filter import SDR_COLOR
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from utils.images.tone_map import HdrTransfer, to_sdr

PQ: HdrTransfer = "smpte2084"
HLG: HdrTransfer = "arib-std-b67"
PATCHES = np.array(
    [
        [(0.38,) * 3, (0.5807,) * 3, (0.0,) * 3, (0.75,) * 3],
        [(0.45, 0.38, 0.33), (0.30, 0.42, 0.35), (0.35, 0.33, 0.50), (0.55, 0.52, 0.40)],
    ]
)
"""R'G'B' of HDR: grey, reference white, black, bright; skin, leaf, jacket, sunlit wall"""
CELL = 32


def write(path: Path, transfer: int, codec: str, options: dict[str, str], *, full=False, matrix=9) -> Path:
    """PATCHES as 10-bit BT.2020."""
    rgb = np.kron(PATCHES, np.ones((CELL, CELL, 1)))
    height, width = rgb.shape[:2]
    y = rgb @ (0.2627, 0.6780, 0.0593)
    u, v = (rgb[..., 2] - y) / 1.8814, (rgb[..., 0] - y) / 1.4746
    luma, chroma, black = (1023, 1023, 0) if full else (876, 896, 64)
    planes = [black + luma * y, *(512 + chroma * c[::2, ::2] for c in (u, v))]
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = 9, transfer, matrix
        context.color_range = 2 if full else 1
        image = av.VideoFrame(width, height, "yuv420p10le")
        image.color_range, image.colorspace = context.color_range, matrix
        for plane, values in zip(image.planes, planes, strict=True):
            rows = np.zeros((values.shape[0], plane.line_size // 2), np.uint16)
            rows[:, : values.shape[1]] = np.clip(np.round(values), 0, 1023)
            plane.update(rows.tobytes())
        for i in range(3):
            image.pts = i
            out.mux(stream.encode(image))
        out.mux(stream.encode(None))
    return path


CODECS = {
    "hevc": ("libx265", {"preset": "ultrafast", "x265-params": "lossless=1:log-level=none"}, ".mp4"),
    "ffv1": ("ffv1", {}, ".mkv"),
    "avc": ("libx264", {"preset": "ultrafast", "qp": "0"}, ".mp4"),
}


@pytest.mark.parametrize(
    ("codec", "transfer", "full"),
    [("hevc", PQ, False), ("ffv1", PQ, False), ("ffv1", HLG, False), ("avc", HLG, False), ("avc", PQ, True)],
)
def test_patches_land_where_they_should(tmp_path, codec, transfer, full):
    name, options, suffix = CODECS[codec]
    path = write(tmp_path / f"hdr{suffix}", 16 if transfer == PQ else 18, name, options, full=full)
    info = probe_video(path)
    assert info.color == SDR_COLOR and info.pixel_format == "yuv420p10le"
    with VideoReader(info) as reader:
        frames = list(reader.frames())
    assert len(frames) == 3
    rgb = frames[0].rgb(info.width, info.height)
    found = rgb[CELL // 2 :: CELL, CELL // 2 :: CELL] / 255
    assert np.abs(found - to_sdr(PATCHES, transfer)).max() < 0.015
    # An 18 % grey card (BT.2408).
    assert found[0, 0] == pytest.approx([0.425] * 3, abs=0.015)


def test_an_untagged_matrix_is_bt2020s(tmp_path):
    name, options, suffix = CODECS["ffv1"]
    info = probe_video(write(tmp_path / f"hdr{suffix}", 16, name, options, matrix=2))
    with VideoReader(info) as reader:
        rgb = next(reader.frames()).rgb(info.width, info.height)
    found = rgb[CELL // 2 :: CELL, CELL // 2 :: CELL] / 255
    assert np.abs(found - to_sdr(PATCHES, PQ)).max() < 0.015
