"""Tone mapping of HDR frames to BT.709 in libavfilter, with the curve of `utils.images.tone_map` as a lookup table."""

from __future__ import annotations

import functools
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import av
from av.sidedata.sidedata import Type as SideDataType

from core.media.side_data import side_data
from core.types import ColorInfo
from utils.images.tone_map import PEAK_NITS, HdrTransfer, sdr_table

SDR_COLOR = ColorInfo("bt709", "bt709", "bt709", "tv")
"""colour tags of tone-mapped frames"""

_TRANSFERS: dict[int, HdrTransfer] = dict(zip((16, 18), get_args(HdrTransfer), strict=True))
"""by libavutil's numbers"""
_TABLE_SIZE = 65
_MIN_PEAK_NITS, _MAX_PEAK_NITS = 400.0, 4000.0
"""limits for the peak in the file, which is not always plausible"""


def hdr_transfer(frame: av.VideoFrame) -> HdrTransfer | None:
    """Transfer function of an HDR frame, None for an SDR one."""
    return _TRANSFERS.get(int(frame.color_trc))


def peak_nits(frame: av.VideoFrame) -> float:
    """Peak brightness of the video in the file's metadata (MaxCLL), rounded to hundreds; 1000 if missing."""
    level = side_data(frame, SideDataType.CONTENT_LIGHT_LEVEL)
    if level is None or len(level) < 4:
        return PEAK_NITS
    (told,) = struct.unpack("=I", level[:4])
    return min(max(100.0 * round(told / 100), _MIN_PEAK_NITS), _MAX_PEAK_NITS) if told else PEAK_NITS


@contextmanager
def table_file(transfer: HdrTransfer, peak: float) -> Iterator[Path]:
    """A temporary .cube file, for the `lut3d` filter to read while its graph is configured."""
    with tempfile.TemporaryDirectory(prefix="tone-map-") as folder:
        path = Path(folder) / "table.cube"
        path.write_bytes(_cube(transfer, peak))
        yield path


@functools.lru_cache(maxsize=4)
def _cube(transfer: HdrTransfer, peak: float) -> bytes:
    table = sdr_table(transfer, _TABLE_SIZE, peak)
    rows = "%.5f %.5f %.5f\n" * (table.size // 3) % tuple(table.ravel())
    return f"LUT_3D_SIZE {_TABLE_SIZE}\n{rows}".encode("ascii")
