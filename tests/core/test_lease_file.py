"""The file of a lease."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.lease_file import LeaseMark, create_lease, parse_mark, read_mark, remove_dead_lease

MARK = LeaseMark("0" * 32, "node3", "boot", 7, "1", work="interview.mp4", terms={"size": "512"})


def test_one_of_several_makes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    assert read_mark(path) is None
    assert create_lease(path, MARK.content)
    assert not create_lease(path, MARK.next_beat.content)
    assert read_mark(path) == MARK


def test_a_heartbeat_changes_the_content_but_not_its_length() -> None:
    seen, mark = set(), MARK
    for _ in range(12):
        assert parse_mark(mark.content) == mark and len(mark.content) == len(MARK.content)
        seen.add(mark.content)
        mark = mark.next_beat
    assert len(seen) == 12


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"token": 3}', MARK.content[:-5], MARK.content.replace(b'"0000000000"', b'"-1"')]
)
def test_damaged_files_say_nothing(content: bytes) -> None:
    assert parse_mark(content) is None


def test_only_the_lease_that_was_judged_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    create_lease(path, MARK.next_beat.content)
    remove_dead_lease(path, MARK.content)
    assert read_mark(path) == MARK.next_beat
    remove_dead_lease(path, MARK.next_beat.content)
    remove_dead_lease(path, MARK.next_beat.content)
    assert list(tmp_path.iterdir()) == []
