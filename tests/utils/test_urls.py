"""Addresses mean the file and nothing else, whatever its name holds."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urljoin

import pytest

from utils.urls import href, url_from


def test_every_character_of_a_name_means_itself() -> None:
    assert href("a b/ü#?%.mp4") == "a%20b/%C3%BC%23%3F%25.mp4"
    assert href("javascript:alert(1)") == "javascript%3Aalert%281%29"
    assert href("bad\udcff.mp4") == "bad%FF.mp4"


def test_a_document_finds_a_file_of_any_other_folder(tmp_path: Path) -> None:
    video = tmp_path / "in put" / "100% #1.mp4"
    video.parent.mkdir()
    video.touch()
    for folder in (tmp_path / "out" / "100%", video.parent, tmp_path):
        folder.mkdir(parents=True, exist_ok=True)
        found = urljoin(folder.as_uri() + "/", url_from(folder, video))
        assert Path(unquote(found.removeprefix("file://"))).samefile(video)
    assert url_from(tmp_path / "out" / "100%", video) == "../../in%20put/100%25%20%231.mp4"


def test_a_folder_behind_a_link_leads_back_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "deep/er/out").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "deep/er/out")
    (tmp_path / "a.mp4").touch()
    assert (tmp_path / "out" / url_from(tmp_path / "out", tmp_path / "a.mp4")).exists()


def test_a_file_on_another_drive_is_named_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def other_drive(path: str, start: str) -> str:
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", other_drive)
    assert url_from(tmp_path, tmp_path / "a b.mp4") == (tmp_path.resolve() / "a b.mp4").as_uri()
