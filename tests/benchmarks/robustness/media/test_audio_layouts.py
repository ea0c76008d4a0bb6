from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from benchmarks.robustness.media import audio_layouts
from benchmarks.robustness.media.atoms import CENTRE, LEFT, RIGHT, UNUSED
from benchmarks.robustness.media.audio_layouts import LOUD_DB, ambisonic_opus, cases, expected_of
from benchmarks.robustness.media.film import tone_hz
from tests.benchmarks.robustness.media.streams import channels_of, said_of


def made(folder: Path, name: str) -> Path:
    case = next(case for case in cases(folder) if case.name == name)
    case.write(case.path)
    return case.path


def test_there_are_cases_of_all_counts_and_containers(tmp_path: Path) -> None:
    listed = list(cases(tmp_path))
    names = [case.name for case in listed]
    assert len(set(names)) == len({case.path for case in listed}) == len(names) > 120
    for extension, count in itertools.product(("mov", "mkv"), range(1, 17)):
        assert f"pcm of {count} in {extension}" in names
    assert {case.path.suffix for case in listed} >= {".mov", ".mkv", ".mxf", ".avi", ".mp4", ".ts", ".webm"}


@pytest.mark.parametrize("order", [1, 2])
def test_ambisonic_opus_is_ambisonic(tmp_path: Path, order: int) -> None:
    assert channels_of(ambisonic_opus(tmp_path / "ambisonic.mkv", order)) == f"ambisonic {order}"


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("pcm of 9 in mkv", "9 channels"),
        ("wave header of 9 in mkv", "9 channels"),
        ("pcm of 11 in mxf", "11 channels"),
        ("opus apart of 13 in mkv", "13 channels"),
        ("flac quad in mp4", "quad"),
        ("ac3 2.1 in ts", "2.1"),
        # a layout that only a programme config element can tell
        ("aac 7.0(front) in mp4", "7 channels (FL+FR+FC+BL+BR+FLC+FRC)"),
        ("aac quad as 2-0-0 in mp4", "4 channels (FL+FR+FLC+FRC)"),
        ("aac 6.1 as 1-0-3 in mp4", "7 channels (FC+LFE+BL+BR+BC+SL+SR)"),
    ],
)
def test_layouts_are_read_as_they_were_meant(tmp_path: Path, name: str, layout: str) -> None:
    assert channels_of(made(tmp_path, name)) == layout


@pytest.mark.parametrize("extension", ["mp4", "mov", "mkv"])
def test_an_unknown_codec_is_unknown(tmp_path: Path, extension: str) -> None:
    path = made(tmp_path, f"audio of an unknown codec in {extension}")
    assert "Audio: none" in said_of(path) or "Audio: ac4" in said_of(path)


def test_what_must_be_heard_follows_the_labels() -> None:
    assert expected_of((UNUSED, LEFT, UNUSED, RIGHT)).tones == (tone_hz(1), tone_hz(3))
    assert expected_of((UNUSED, LEFT, UNUSED, RIGHT)).level_db == LOUD_DB
    assert expected_of((CENTRE, RIGHT)).tones == (tone_hz(0), tone_hz(1))
    assert expected_of((UNUSED, 400, 401, 402)).tones == (tone_hz(1), tone_hz(2))
    assert expected_of((UNUSED, 400, 401, 402)).any_tone
    assert audio_layouts.LABELLED["L R"] == (LEFT, RIGHT)
