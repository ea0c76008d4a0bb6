"""The file of a lease."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.lease_file import LeaseRecord, create_lease, parse_record, read_record, remove_dead_lease

RECORD = LeaseRecord("0" * 32, "node3", "boot", 7, "1", work="interview.mp4", terms={"size": "512"})


def test_one_of_several_makes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    assert read_record(path) is None
    assert create_lease(path, RECORD.content)
    assert not create_lease(path, RECORD.next_beat.content)
    assert read_record(path) == RECORD


def test_a_heartbeat_changes_the_content_but_not_its_length() -> None:
    seen, record = set(), RECORD
    for _ in range(12):
        assert parse_record(record.content) == record and len(record.content) == len(RECORD.content)
        seen.add(record.content)
        record = record.next_beat
    assert len(seen) == 12


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"token": 3}', RECORD.content[:-5], RECORD.content.replace(b'"0000000000"', b'"-1"')],
)
def test_damaged_files_say_nothing(content: bytes) -> None:
    assert parse_record(content) is None


def test_only_the_lease_that_was_judged_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    create_lease(path, RECORD.next_beat.content)
    remove_dead_lease(path, RECORD.content)
    assert read_record(path) == RECORD.next_beat
    remove_dead_lease(path, RECORD.next_beat.content)
    remove_dead_lease(path, RECORD.next_beat.content)
    assert list(tmp_path.iterdir()) == []
