from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import pytest

from benchmarks.robustness.media import ebml
from benchmarks.robustness.media.atoms import find, rows_of
from benchmarks.robustness.media.film import H264, MPEG4, Film, plain_video
from benchmarks.robustness.media.lying_indexes import AVI, CUES, FILM, FLAGS, LONG_GOP, SHORT_GOP, SYNC_TABLES, cases

SHORT = Film(frames=30)


def made(folder: Path, extension: str, *options: str) -> bytes:
    return plain_video(folder, folder / f"honest.{extension}", SHORT, *options, audio=False).read_bytes()


def said_to_be_keys(folder: Path, extension: str, data: bytes) -> list[bool]:
    path = folder / f"lying.{extension}"
    path.write_bytes(data)
    with av.open(str(path)) as container:
        return [packet.is_keyframe for packet in container.demux(video=0) if packet.size]


def test_key_frames_that_are_none_and_none_at_all(tmp_path: Path) -> None:
    data = made(tmp_path, "mp4", *MPEG4, *LONG_GOP, "-bf", "0")
    assert said_to_be_keys(tmp_path, "mp4", data) == [True] + [False] * 29
    for name in ("none", "every frame"):
        assert all(said_to_be_keys(tmp_path, "mp4", SYNC_TABLES[name](data)))
    empty = SYNC_TABLES["empty"](data)
    assert rows_of(empty, find(empty, b"stss"), 1) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("all key flags", lambda number: True),
        ("no key flags", lambda number: False),
        ("every fifth key flag", lambda number: number % 5 == 3),
    ],
)
def test_flags_of_blocks(tmp_path: Path, name: str, expected: Callable[[int], bool]) -> None:
    data = FLAGS[name](made(tmp_path, "mkv", *H264, *LONG_GOP))
    assert [is_key for _, is_key in ebml.key_flags(data)] == [expected(number) for number in range(30)]


@pytest.mark.parametrize("name", CUES)
def test_cues_are_others_and_the_blocks_are_not(tmp_path: Path, name: str) -> None:
    honest = made(tmp_path, "mkv", *H264, *SHORT_GOP, "-cluster_time_limit", "300")
    lying = CUES[name](honest)
    assert len(lying) == len(honest)
    cues = next(element for element in ebml.elements(honest) if element.identifier == ebml.CUES)
    assert lying[: cues.begin] == honest[: cues.begin] and lying[cues.end :] == honest[cues.end :]
    positions = [[value for _, value in ebml.numbers(data, ebml.CUE_CLUSTER)] for data in (honest, lying)]
    assert len(positions[0]) == 3
    if name == "no cues":
        assert positions[1] == []
    elif "point" in name:
        assert positions[0] != positions[1]
    else:
        assert positions[0] == positions[1]


@pytest.mark.parametrize(("name", "keys"), [("idx1 all key frames", 30), ("idx1 no key frames", 1)])
def test_flags_of_an_avi(tmp_path: Path, name: str, keys: int) -> None:
    path = tmp_path / "lying.avi"
    path.write_bytes(AVI[name](made(tmp_path, "avi", *MPEG4, *LONG_GOP)))
    with av.open(str(path)) as container:
        # Seeking goes by the index; its first entry counts as a key frame in any case.
        assert sum(entry.is_keyframe for entry in container.streams.video[0].index_entries) == keys


@pytest.mark.slow
def test_cases_hold_all_their_frames(tmp_path: Path) -> None:
    for case in list(cases(tmp_path))[::6]:
        case.write(case.path)
        with av.open(str(case.path)) as container:
            decoded = sum(1 for _ in container.decode(video=0))
        assert decoded >= FILM.frames - 1, case.name
