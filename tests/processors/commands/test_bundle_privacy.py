"""What a debug bundle must not tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.settings_file import load_settings
from processors.commands.bundle_privacy import (
    bundle_redactor,
    given_names,
    named_folders,
    redacted_log,
    without_folder,
)


def test_every_given_name_gets_a_number(tmp_path: Path) -> None:
    people = [
        {"name": "person_01", "known_as": "Anna"},
        {"name": "Bob", "match": {"suggestion": {"name": "Anna"}}},
        {"name": "person_02", "match": None},
    ]
    (tmp_path / "manifest.json").write_text(json.dumps({"people": people}))
    (tmp_path / "damaged.json").write_text('{"people": [3]}')
    files = [tmp_path / name for name in ("manifest.json", "damaged.json", "missing.json")]
    settings = load_settings(None, {"people": {"only": "Cleo, Bob", "no_gallery": True, "people": str(tmp_path)}})
    names = given_names(files, settings, tmp_path)
    assert [name for name in names if name in ("Anna", "Bob", "Cleo")] == ["Anna", "Bob", "Cleo"]
    assert not {"person_01", "person_02"} & names.keys()
    assert len(set(names.values())) == len(names)


def test_folders_are_called_by_their_purpose(tmp_path: Path) -> None:
    settings = load_settings(
        None,
        {
            "run": {"cache_dir": "/c", "scratch": "/s", "speech_weights": ["/w/a.model", "b.model"]},
            "people": {"gallery": "/g/all.db"},
            "analysis": {"cuts": "/lists/a.csv"},
        },
    )
    assert named_folders(settings, tmp_path) == {
        "output": tmp_path,
        "cache": Path("/c"),
        "scratch": Path("/s"),
        "gallery": Path("/g/all.db"),
        "cuts": Path("/lists"),
        "weights 1": Path("/w"),
    }


def test_a_log_is_redacted_line_by_line_whatever_is_in_it() -> None:
    redactor = bundle_redactor(
        [Path("/films/1/a.mp4")], Path("/b/x.zip"), {"output": Path("/out")}, {"Anna": "named_01"}
    )
    text = '{"message": "Anna in /films/1/a.mp4"}\nAnna at /out/a, \\ and no JSON\n'
    lines = redacted_log(text, redactor).splitlines()
    assert json.loads(lines[0]) == {"message": "named_01 in <input>/a.mp4"}
    assert lines[1] == "named_01 at <output>/a, \\ and no JSON"


@pytest.mark.parametrize(
    ("argument", "shown"),
    [("-q", "-q"), ("/films/a.mp4", "a.mp4"), ("a.mp4", "a.mp4"), ("--config=/x/c.toml", "--config=c.toml")],
)
def test_arguments_lose_their_folders(argument: str, shown: str) -> None:
    assert without_folder(argument) == shown


def test_a_folder_that_is_there_has_no_name(tmp_path: Path) -> None:
    assert (
        without_folder(str(tmp_path)) == "<folder>" and without_folder(f"--gallery={tmp_path}") == "--gallery=<folder>"
    )
