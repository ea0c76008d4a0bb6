"""A process of this machine that looks like one of another: they are told apart by what the files of leases say."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.lease_file import read_record


def of_another_machine(path: Path, **changes: str) -> None:
    """Rewrite the lease at `path` as if a process elsewhere held it; if it has heartbeats, they go on."""
    record = read_record(path)
    assert record is not None
    # In one step: a heartbeat that comes in between would find an empty file, or write the record that it has read.
    other = path.with_name(f"{path.name}.other")
    other.write_bytes(msgspec.structs.replace(record, host="node3", machine="another boot", **changes).content)
    other.replace(path)
