from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.robustness.media.odd_containers import HEAD_BYTES, RARE, RAW, RENAMED, cases, recorder_head
from tests.benchmarks.robustness.media.streams import said_of

FORMATS = {
    ".h264": "h264", ".hevc": "hevc", ".ivf": "ivf", ".obu": "obu", ".mjpg": "jpeg", ".m2v": "mpegvideo",
    ".MOD": "mpeg", ".TOD": "mpegts", ".m2t": "mpegts", ".trp": "mpegts", ".qt": "mov,", ".f4v": "mov,",
    ".divx": "avi", ".insv": "mov,", ".nut": "nut", ".dv": "dv",
}  # fmt: skip


@pytest.mark.slow
def test_files_are_of_the_kind_that_they_are_made_for(tmp_path: Path) -> None:
    made = list(cases(tmp_path))
    for case in made:
        case.write(case.path)
    assert len(made) == len(RAW) + len(RENAMED) + len(RARE) + 4
    assert {case.path.parent for case in made} == {tmp_path / "odd"}
    assert {path.name for path in (tmp_path / "odd").iterdir()} == {case.path.name for case in made}
    contents = [case.path.read_bytes() for case in made]
    assert len(set(contents)) == len(contents)
    for case in made:
        if case.path.suffix in FORMATS:
            assert f"Input #0, {FORMATS[case.path.suffix]}" in said_of(case.path), case.path.name
        assert case.from_folder


def test_a_recorders_head_begins_nothing() -> None:
    for number in range(4):
        head = recorder_head(number)
        assert len(head) == HEAD_BYTES + 8
        assert b"\0\0\1" not in head and b"\x47" not in head
