from pathlib import Path

import pytest

from core.media.scrambled_stream import scrambled_part, scrambled_share
from core.media.video_probe import probe_video
from tests.material.small_videos import gray_ramp, make_video

PID, OTHER = 0x100, 0x1FFE


def packet(pid: int, scrambled: bool) -> bytes:
    return bytes([0x47, pid >> 8, pid & 0xFF, 0xD0 if scrambled else 0x10]) + bytes(184)


@pytest.mark.parametrize(
    ("before", "behind", "lead"), [(b"", b"", b""), (bytes(4), b"", b""), (b"", bytes(16), b"x" * 70)]
)
def test_the_share_of_one_stream(tmp_path: Path, before: bytes, behind: bytes, lead: bytes) -> None:
    # Another stream of the same multiplex is scrambled throughout.
    kinds = [(PID, number >= 3000) for number in range(4000)] + [(OTHER, True)] * 4000
    mixed = [kinds[index] for pair in zip(range(4000), range(4000, 8000), strict=True) for index in pair]
    path = tmp_path / "a.ts"
    path.write_bytes(lead + b"".join(before + packet(*kind) + behind for kind in mixed))
    assert scrambled_share(path, PID) == pytest.approx(0.25, abs=0.02)
    assert scrambled_share(path, OTHER) == 1.0
    assert scrambled_share(path, 77) == 0.0


def test_a_recording_that_was_decoded_only_at_first(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.ts", gray_ramp(25, 320, 240), "-c:v", "mpeg2video", "-g", "1")
    assert scrambled_part(probe_video(path)) == 0.0
    data = bytearray(path.read_bytes())
    half = len(data) // 2 // 188 * 188
    for begin in range(half, len(data), 188):
        data[begin + 3] |= 0xC0
    path.write_bytes(data)
    assert scrambled_part(probe_video(path)) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("content", [b"", b"\x47", bytes(100_000), b"\x47" * 100])
def test_files_that_are_no_transport_stream(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes(content)
    assert scrambled_share(path, PID) == 0.0
