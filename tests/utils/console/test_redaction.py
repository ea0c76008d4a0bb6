"""Texts without folders and names."""

from __future__ import annotations

from pathlib import Path

import pytest

from utils.console.redaction import Redactor


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot read /data/secret/film.mp4", "cannot read <input>/film.mp4"),
        ("'file:/data/secret/in ner/x'", "'file:<inner>/x'"),
        ("/data/secret", "<input>"),
        ("/data/secretly/x and /old/data/secret/x", "/data/secretly/x and /old/data/secret/x"),
        ("cuts/a.mp4 of shortcuts/a, 3 cuts", "<cuts>/a.mp4 of shortcuts/a, 3 cuts"),
        ("my films/of her -> done", "<hers> -> done"),
        ("/home/bob/x.mp4, /media/bob disk, C:\\Users\\bob\\x", "<elsewhere>/x.mp4, <elsewhere> disk, <elsewhere>\\x"),
        ("Anna/clip_Anna_01.mp4 of Annabel, Joanna", "named_01/clip_named_01_01.mp4 of Annabel, Joanna"),
        ("a\\nb/x", "<lines>/x"),
    ],
)
def test_folders_and_names_are_replaced(text: str, shown: str) -> None:
    folders = {
        Path("/data/secret"): "<input>",
        Path("/data/secret/in ner"): "<inner>",
        Path("cuts"): "<cuts>",
        Path("my films/of her"): "<hers>",
        Path("a\nb"): "<lines>",
        Path(): "<nothing>",
        Path("/"): "<nothing>",
    }
    assert Redactor(folders, {"Anna": "named_01"}).text(text) == shown


def test_links_are_known_by_both_names(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    redactor = Redactor({tmp_path / "link": "<input>"})
    assert redactor.text(f"{tmp_path}/link/x {tmp_path}/real/x") == "<input>/x <input>/x"


def test_values_are_gone_through(tmp_path: Path) -> None:
    value = {"a": [f"{tmp_path}/x", {"b": (1, None, str(tmp_path))}]}
    assert Redactor({tmp_path: "~"}).value(value) == {"a": ["~/x", {"b": [1, None, "~"]}]}


def test_nothing_to_replace() -> None:
    assert Redactor({}).text("all / of this. stays") == "all / of this. stays"
