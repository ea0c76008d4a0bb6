from pathlib import Path

import pytest

from core.media.containers.asf_header import claimed_length_s
from core.media.video_probe import probe_video
from tests.material.small_videos import gray_ramp, make_video

BROADCAST_FLAG_AT = 88
"""bytes from the begin of the file properties"""


def test_the_claim_of_a_file_that_was_cut_off(tmp_path: Path) -> None:
    """libav says nothing of the length then, so nobody noticed that frames were missing."""
    path = make_video(tmp_path / "a.wmv", gray_ramp(25, 64, 48) * 2, "-c:v", "wmv2")
    whole = path.read_bytes()
    assert claimed_length_s(path) == pytest.approx(probe_video(path).duration_s, abs=0.01)
    path.write_bytes(whole[: len(whole) // 2])
    assert claimed_length_s(path) == probe_video(path).duration_s == pytest.approx(2.0, abs=0.1)
    live = bytearray(whole)
    live[live.index(bytes.fromhex("a1dcab8c47a9cf11")) + BROADCAST_FLAG_AT] |= 1
    path.write_bytes(live)
    assert claimed_length_s(path) == 0


@pytest.mark.parametrize("content", [b"", bytes(200), bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")])
def test_files_without_a_claim(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.wmv"
    path.write_bytes(content)
    assert claimed_length_s(path) == 0
    assert claimed_length_s(tmp_path / "none.wmv") == 0
