from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.robustness.media.atoms import (
    CENTRE,
    LEFT,
    RIGHT,
    UNUSED,
    atoms,
    find,
    replaced,
    rows_of,
    table,
    with_channels,
    with_table,
    without,
)
from benchmarks.robustness.media.audio_layouts import labelled_movie
from benchmarks.robustness.media.film import H264, MPEG4, Film, plain_video
from tests.benchmarks.robustness.media.streams import channels_of, packet_times


@pytest.mark.parametrize(
    ("labels", "layout"),
    [
        ((RIGHT, LEFT), "2 channels (FR+FL)"),
        ((LEFT, RIGHT, UNUSED, UNUSED), "4 channels (FL+FR+UNSD+UNSD)"),
        ((UNUSED, CENTRE, LEFT), "3 channels (UNSD+FC+FL)"),
        ((LEFT, RIGHT), "stereo"),
    ],
)
def test_labels_are_read_as_they_were_meant(tmp_path: Path, labels: tuple[int, ...], layout: str) -> None:
    assert channels_of(labelled_movie(tmp_path / "labels.mov", labels)) == layout


def test_a_tag_of_a_whole_layout_is_read(tmp_path: Path) -> None:
    path = labelled_movie(tmp_path / "tag.mov", (), channels=6, tag=124 << 16 | 6)
    assert channels_of(path) == "6 channels (FC+FL+FR+SL+SR+LFE)"


def test_sizes_follow_what_is_put_in(tmp_path: Path) -> None:
    path = plain_video(tmp_path, tmp_path / "plain.mov", Film(frames=6), *MPEG4, "-c:a", "pcm_s16le")
    data = path.read_bytes()
    changed = with_channels(data, [LEFT] * 2)
    ends = [atom.end for atom in atoms(changed) if not atom.parents]
    assert ends[-1] == len(changed)
    assert find(changed, b"stsd", b"soun").begin == find(data, b"stsd", b"soun").begin
    path.write_bytes(changed)
    assert len(packet_times(path, "v")) == 6


def test_tables_can_be_changed_and_taken_out(tmp_path: Path) -> None:
    path = plain_video(tmp_path, tmp_path / "plain.mp4", Film(frames=12), *H264, "-g", "4", audio=False)
    data = path.read_bytes()
    keys = rows_of(data, find(data, b"stss"), 1)
    assert [row[0] for row in keys] == [1, 5, 9]
    moved = with_table(data, b"stss", 1, lambda rows: [(n + 1,) for (n,) in rows])
    assert [row[0] for row in rows_of(moved, find(moved, b"stss"), 1)] == [2, 6, 10]
    with pytest.raises(ValueError, match="no stss"):
        find(without(data, b"stss"), b"stss", b"vide")
    index_first = data[find(data, b"moov").begin :] + data[: find(data, b"moov").begin]
    with pytest.raises(ValueError, match="before the media"):
        replaced(index_first, find(index_first, b"stss"), table(b"stss", ()))
