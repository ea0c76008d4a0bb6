import struct
from pathlib import Path

import pytest

from core.media.containers.mp4_boxes import Box, end_of_fragments, top_level_boxes
from core.media.media_input import open_input
from core.media.video_probe import probe_video
from tests.material.small_videos import gray_ramp, make_video

FRAGMENTS = ("-g", "4", "-movflags", "frag_keyframe+empty_moov+default_base_moof")


@pytest.fixture(scope="module")
def fragmented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("boxes") / "film.mp4", gray_ramp(12, 64, 48), *FRAGMENTS)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def test_boxes_of_all_three_kinds_of_sizes(tmp_path: Path) -> None:
    file = tmp_path / "film.mp4"
    large = struct.pack(">I4sQ", 1, b"mdat", 16 + 5) + bytes(5)
    file.write_bytes(box(b"ftyp", b"isom") + large + struct.pack(">I4s", 0, b"free") + bytes(3))
    assert list(top_level_boxes(file)) == [
        Box(b"ftyp", 0, 12, True),
        Box(b"mdat", 12, 33, True),
        Box(b"free", 33, 44, True),
    ]


@pytest.mark.parametrize("size", [1, 2, 7])
def test_an_impossible_size_ends_the_list(tmp_path: Path, size: int) -> None:
    file = tmp_path / "film.mp4"
    file.write_bytes(box(b"ftyp", b"isom") + struct.pack(">I4s", size, b"moov") + bytes(8))
    assert [found.kind for found in top_level_boxes(file)] == [b"ftyp"]


def test_a_size_beyond_what_a_file_can_have(tmp_path: Path) -> None:
    file = tmp_path / "film.mp4"
    file.write_bytes(struct.pack(">I4sQ", 1, b"mdat", 2**64 - 1) + bytes(9))
    assert list(top_level_boxes(file)) == [Box(b"mdat", 0, 2**64 - 1, False)]


def test_a_recording_cut_off_in_the_header_of_a_fragment_keeps_the_fragments_before(
    tmp_path: Path, fragmented: Path
) -> None:
    last = [found for found in top_level_boxes(fragmented) if found.kind == b"moof"][-1]
    cut = tmp_path / "a, b.mp4"
    cut.write_bytes(fragmented.read_bytes()[: last.begin + 40])
    assert end_of_fragments(cut) == last.begin
    info = probe_video(cut)
    with open_input(cut, info.container) as container:
        assert sum(1 for _ in container.decode(video=0)) == 8


def test_complete_files_and_other_damage_end_nowhere(tmp_path: Path, fragmented: Path) -> None:
    assert end_of_fragments(fragmented) is None
    moov = next(found for found in top_level_boxes(fragmented) if found.kind == b"moov")
    cut = tmp_path / "no_index.mp4"
    cut.write_bytes(fragmented.read_bytes()[: moov.end - 10])
    assert end_of_fragments(cut) is None
