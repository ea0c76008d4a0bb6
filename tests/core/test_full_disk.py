"""The hint of a full disk names a folder that the user can find."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from core.full_disk import full_disk_hint


@pytest.mark.parametrize(
    "file",
    ["out/clip.mp4", "out/.partial-film.ab-1/person_01/clip.mp4", "out/.partial-film.ab-1/.partial-tall/x/y.mp4"],
)
def test_temporary_folders_are_not_named(file: str) -> None:
    assert full_disk_hint(errno.ENOSPC, Path("/videos") / file) == "make room in /videos/out, or allow larger files"


@pytest.mark.parametrize("number", [None, errno.EACCES])
def test_other_errors_have_no_hint(number: int | None) -> None:
    assert full_disk_hint(number, Path("clip.mp4")) == ""
