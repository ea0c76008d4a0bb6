"""A file's fingerprint."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from utils.fingerprints import Fingerprint, fingerprint

KIB = 1024


@pytest.mark.parametrize("size", [0, 1, 64 * KIB, 64 * KIB + 1, 500_000, 1024 * KIB, 1024 * KIB - 1])
def test_up_to_one_mebibyte_every_byte_counts(tmp_path, size):
    path = tmp_path / "file"
    data = bytearray(size)
    path.write_bytes(data)
    before = fingerprint(path)
    assert before.size_bytes == size
    for place in {0, size // 3, size // 2, size - 1} if size else ():
        changed = bytearray(data)
        changed[place] ^= 1
        path.write_bytes(changed)
        assert fingerprint(path).sha256 != before.sha256, place
    path.write_bytes(data)
    assert fingerprint(path) == before


def test_of_a_large_file_beginning_middle_and_end_count(tmp_path):
    path = tmp_path / "file"
    size = 40 * 1024 * KIB
    path.write_bytes(bytes(size))
    before = fingerprint(path)
    for place in (0, size * 8 // 15, size - 1):
        with path.open("r+b") as file:
            file.seek(place)
            file.write(b"\x01")
        assert fingerprint(path).sha256 != before.sha256, place
        with path.open("r+b") as file:
            file.seek(place)
            file.write(b"\x00")
    assert fingerprint(path) == before


def test_a_longer_file_differs(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(10))
    before = fingerprint(path)
    path.write_bytes(bytes(11))
    assert fingerprint(path) != before


def test_a_file_of_the_kernel_that_claims_no_length_is_not_read(monkeypatch):
    # /proc/kmsg blocks whoever reads it until there is a message.
    class Endless(io.BytesIO):
        def read(self, size=-1):
            raise AssertionError("read")

    monkeypatch.setattr(Path, "open", lambda *_: Endless())
    assert fingerprint(Path("kmsg")) == Fingerprint(0, hashlib.sha256().hexdigest())
