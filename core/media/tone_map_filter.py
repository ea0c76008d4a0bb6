"""The filters that turn HDR frames into BT.709 ones: what `utils.tone_map` computes, as a table for libavfilter."""

from __future__ import annotations

import functools
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast, get_args

import av
from av.sidedata.sidedata import Type as SideDataType

from core.types import ColorInfo
from utils.tone_map import PEAK_NITS, HdrTransfer, sdr_table

SDR_COLOR = ColorInfo("bt709", "bt709", "bt709", "tv")
"""what tone-mapped frames are"""

_TRANSFERS: dict[int, HdrTransfer] = dict(zip((16, 18), get_args(HdrTransfer), strict=True))
"""libavutil's numbers"""
_TABLE_SIZE = 65
_LEAST_PEAK_NITS, _GREATEST_PEAK_NITS = 400.0, 4000.0
"""what a file says of its brightest pixel is not always sensible"""


def hdr_transfer(frame: av.VideoFrame) -> HdrTransfer | None:
    """How the light of an HDR frame is coded, None for an ordinary one."""
    return _TRANSFERS.get(int(frame.color_trc))


def peak_nits(frame: av.VideoFrame) -> float:
    """The brightest pixel of the whole video as the file has it (MaxCLL), in whole hundreds; else 1000."""
    # PyAV's stubs call this a dict of strings
    level = cast(Any, frame.side_data).get(SideDataType.CONTENT_LIGHT_LEVEL)
    if level is None or len(bytes(level)) < 4:
        return PEAK_NITS
    (told,) = struct.unpack("=I", bytes(level)[:4])
    return min(max(100.0 * round(told / 100), _LEAST_PEAK_NITS), _GREATEST_PEAK_NITS) if told else PEAK_NITS


@contextmanager
def table_file(transfer: HdrTransfer, peak: float) -> Iterator[Path]:
    """A .cube file that exists while a graph with `lut3d` is being configured."""
    with tempfile.TemporaryDirectory(prefix="tone-map-") as folder:
        path = Path(folder) / "table.cube"
        path.write_bytes(_cube(transfer, peak))
        yield path


@functools.lru_cache(maxsize=4)
def _cube(transfer: HdrTransfer, peak: float) -> bytes:
    table = sdr_table(transfer, _TABLE_SIZE, peak)
    rows = "%.5f %.5f %.5f\n" * (table.size // 3) % tuple(table.ravel())
    return f"LUT_3D_SIZE {_TABLE_SIZE}\n{rows}".encode("ascii")
