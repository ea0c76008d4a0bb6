"""Which reels of finished results may be taken over."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from config import Settings
from core.types import Clip
from processors.extras.earlier_reels import EarlierReels, earlier_reels
from processors.results.existing_results import examine_folder
from tests.processors.results.test_output_folder import SOURCE, write_run

FIRST = Clip("Anna", "Anna/1.mp4", 0, 0, 10, 0.0, 0.4, 10, 512, 512, False, 1.0, recipe="one")
SECOND = replace(FIRST, file="Anna/2.mp4", start=20, end=30, recipe="two")
REELS = EarlierReels(Path("/out/film"), {"Anna": ("one", "two")}, {"Anna": b"jpeg"})


def test_a_reel_of_the_same_clips_face_and_name_is_taken_over() -> None:
    assert REELS.find("Anna", [FIRST, SECOND], b"jpeg", "Anna") == Path("/out/film/Anna/reel.mp4")


@pytest.mark.parametrize(
    ("name", "clips", "face", "drawn"),
    [
        ("Berta", [FIRST, SECOND], b"jpeg", "Berta"),
        ("Anna", [SECOND, FIRST], b"jpeg", "Anna"),
        ("Anna", [FIRST], b"jpeg", "Anna"),
        ("Anna", [FIRST, replace(SECOND, recipe="three")], b"jpeg", "Anna"),
        ("Anna", [FIRST, SECOND], b"another", "Anna"),
        ("Anna", [FIRST, SECOND], b"jpeg", "person_01"),
    ],
)
def test_any_difference_makes_it_again(name: str, clips: list[Clip], face: bytes, drawn: str) -> None:
    assert REELS.find(name, clips, face, drawn) is None


def test_clips_without_recipes_say_nothing() -> None:
    unknown = EarlierReels(Path("/out/film"), {"Anna": ("",)}, {"Anna": b""})
    assert unknown.find("Anna", [replace(FIRST, recipe="")], b"", "Anna") is None


def test_reels_in_a_folder_are_known_from_its_manifest(tmp_path: Path) -> None:
    write_run(tmp_path, {"person_01/2.mp4": "b", "person_01/1.mp4": "a", "person_01/reel.mp4": "reel"})
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    clips = {clip["file"]: clip for clip in manifest["clips"]}
    listed = [
        {**clips["person_01/2.mp4"], "start": 90, "end": 95, "recipe": "two"},
        {**clips["person_01/1.mp4"], "start": 10, "end": 15, "recipe": "one"},
    ]
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "clips": listed}))

    def found() -> EarlierReels:
        return earlier_reels(examine_folder(tmp_path, SOURCE, Settings()))

    assert found() == EarlierReels(tmp_path, {"person_01": ("one", "two")}, {"person_01": b""})
    (tmp_path / "person_01/reel.mp4").write_text("changed")
    assert found() == EarlierReels(tmp_path, {}, {})
    (tmp_path / "person_01/reel.mp4").write_text("reel")
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "clips": listed, "format": 0}))
    assert found() == EarlierReels(tmp_path, {}, {})
    (tmp_path / "manifest.json").unlink()
    assert found() == EarlierReels()
