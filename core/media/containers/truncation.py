"""Files that end in the middle of a packet, a frame or their index, as after a broken download or a crash.

Their containers need not claim a length, and none of these formats ends like that if it is whole.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from pathlib import Path

from core.media.containers.mp4_boxes import top_level_boxes
from core.media.containers.ts_packets import TsFile

PACKET, FRAME, INDEX = "a packet", "a frame", "its index"
"""what the end of a file interrupts"""

_PS_TAIL, _MATROSKA_TAIL = 2**18, 2**24
"""bytes at the end of a file that hold at least one pack (2048 bytes in most files), and one cluster"""
_TS_PACKET = 188
_SYNC = b"\x47"
_DIF_SEQUENCE = 12000
"""bytes of a part of a DV frame, of which there are 10 or 12 (IEC 61834-2)"""
_PACK, _START_CODE, _END_CODE = b"\0\0\1\xba", b"\0\0\1", 0xB9
_MPEG2_PACK, _MPEG1_PACK = 14, 12
"""bytes of the head of a pack, in MPEG-2 without stuffing (ISO/IEC 13818-1, 2.5.3.3; 11172-1, 2.4.3.2)"""
_PACKET_HEAD = struct.Struct(">3sBH")
_CLUSTER, _FIRST_CHILDREN = b"\x1f\x43\xb6\x75", (0xE7, 0xBF)
"""of Matroska: a cluster begins with its time, or with a checksum in front of it"""
_INDEX_BOXES = (b"moov", b"moof")


def truncated_within(path: Path, container: str) -> str:
    """What the file ends in the middle of: `PACKET`, `FRAME`, `INDEX`, or "" if it does not, or if it is not known.

    container: `VideoInfo.container`. MPEG-TS, MPEG-PS, raw DV, Matroska and the indexes of MP4 are looked at.
    """
    check = _CHECKS.get(container)
    with contextlib.suppress(OSError):
        return "" if check is None else check(path)
    return ""


def _ts(path: Path) -> str:
    with TsFile(path) as file:
        if not file.count:
            return ""
        rest = (path.stat().st_size - file.begin) % file.size
    # Packets of 192 bytes begin with a time stamp, so of the last one only the packet itself follows.
    return PACKET if 0 < rest < _TS_PACKET and _tail(path, rest)[:1] == _SYNC else ""


def _ps(path: Path) -> str:
    tail = _tail(path, _PS_TAIL)
    at = tail.rfind(_PACK)
    if at < 0:
        return ""
    head = tail[at + len(_PACK) :]
    is_mpeg2 = bool(head) and head[0] >> 6 == 1
    size = _MPEG2_PACK if is_mpeg2 else _MPEG1_PACK
    if len(tail) - at < size:
        return PACKET
    at += size + (tail[at + size - 1] & 7 if is_mpeg2 else 0)
    while at < len(tail) and any(tail[at:]):
        if len(tail) - at < _PACKET_HEAD.size:
            # The mark of the end is a start code alone.
            return "" if tail[at:] == _START_CODE + bytes((_END_CODE,)) else PACKET
        start, kind, length = _PACKET_HEAD.unpack_from(tail, at)
        if start != _START_CODE or kind == _END_CODE:
            return ""
        at += _PACKET_HEAD.size + length
    return PACKET if at > len(tail) else ""


def _dv(path: Path) -> str:
    return FRAME if path.stat().st_size % _DIF_SEQUENCE else ""


def _matroska(path: Path) -> str:
    tail = _tail(path, _MATROSKA_TAIL)
    at = len(tail)
    while (at := tail.rfind(_CLUSTER, 0, at)) >= 0:
        children = _element(tail, at)
        if children is not None and children[0] < len(tail) and tail[children[0]] in _FIRST_CHILDREN:
            break
    while 0 <= at < len(tail) and any(tail[at : at + 8]):
        found = _element(tail, at)
        if found is None:
            return FRAME
        # Of a cluster of unknown size, the elements are read like those after it.
        content, size = found
        at = content if size is None else content + size
    return FRAME if at > len(tail) else ""


def _element(data: bytes, at: int) -> tuple[int, int | None] | None:
    """Where the content of an element of Matroska begins, and its size, None if unknown (RFC 8794, 5 and 6).

    None if the data end within its head.
    """
    at += 9 - data[at].bit_length()
    if at >= len(data):
        return None
    width = 9 - data[at].bit_length()
    if at + width > len(data):
        return None
    unknown = (1 << 7 * width) - 1
    size = int.from_bytes(data[at : at + width], "big") & unknown
    return at + width, None if size == unknown else size


def _mp4(path: Path) -> str:
    return INDEX if any(box.kind in _INDEX_BOXES and not box.is_complete for box in top_level_boxes(path)) else ""


def _tail(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - count))
        return file.read(count)


_CHECKS: dict[str, Callable[[Path], str]] = {
    "mpegts": _ts,
    "mpeg": _ps,
    "dv": _dv,
    "matroska": _matroska,
    "mov": _mp4,
}
