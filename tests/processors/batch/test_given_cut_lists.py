"""Which list of cuts belongs to which input."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import AnalysisSettings, Settings
from core.errors import SettingsError
from processors.batch.batch_inputs import BatchInput
from processors.batch.given_cut_lists import with_cuts
from processors.video.analysis_key import analysis_key
from utils.fingerprints import Fingerprint

LIST = "Start Frame\n1\n101\n"


def inputs(*names: str) -> tuple[BatchInput, ...]:
    return tuple(BatchInput(Path(f"/films/{name}"), name) for name in names)


def write(path: Path, text: str = LIST) -> Path:
    path.write_text(text)
    return path


def test_a_file_is_for_the_only_video(tmp_path: Path) -> None:
    (source,) = with_cuts(inputs("a.mp4"), str(write(tmp_path / "any name.csv")))
    assert source.cuts == "frames 0 100"


def test_one_file_for_two_videos_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="one file for 2 videos"):
        with_cuts(inputs("a.mp4", "b.mp4"), str(write(tmp_path / "a.csv")))


def test_in_a_folder_every_video_has_its_own(tmp_path: Path) -> None:
    write(tmp_path / "a.csv")
    write(tmp_path / "b-Scenes.csv", "Start Frame\n1\n11\n")
    write(tmp_path / "c.edl", "001 AX V C 00:00:00:00 00:00:01:00 00:00:01:00 00:00:02:00\n")
    found = with_cuts(inputs("a.mp4", "b.mkv", "c.mov", "d.mp4"), str(tmp_path))
    assert [source.cuts for source in found] == ["frames 0 100", "frames 0 10", "timecodes 00:00:01:00", ""]


def test_a_folder_without_any_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"has no cuts of any input, e\.g\. a\.csv or a-Scenes\.csv or a\.edl"):
        with_cuts(inputs("a.mp4"), str(tmp_path))


def test_a_place_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file or folder"):
        with_cuts(inputs("a.mp4"), str(tmp_path / "none.csv"))


def test_settings_hold_the_cuts_not_their_file(tmp_path: Path) -> None:
    """So other cuts in the same file are another analysis, and the same cuts elsewhere are the same one."""
    settings = Settings(analysis=AnalysisSettings(cuts="some/file.csv"))
    first, second = (
        BatchInput(Path("a.mp4"), "a", cuts=cuts).settings_of(settings) for cuts in ("frames 5", "frames 6")
    )
    assert first.analysis.cuts == "frames 5"
    video = Fingerprint(3, "ab")
    assert analysis_key(video, first, "dlib") != analysis_key(video, second, "dlib")
    assert BatchInput(Path("a.mp4"), "a").settings_of(settings).analysis.cuts == ""
    assert BatchInput(Path("a.mp4"), "a").settings_of(Settings()) == Settings()


def test_the_sensitivity_is_part_of_the_key() -> None:
    keys = {
        analysis_key(Fingerprint(3, "ab"), Settings(analysis=AnalysisSettings(cut_sensitivity=value)), "dlib")
        for value in (0.5, 0.6)
    }
    assert len(keys) == 2


def test_lists_of_videos_inside_folders_lie_in_the_same_layout(tmp_path: Path) -> None:
    for number, day in enumerate(("mon", "tue"), 1):
        (tmp_path / day).mkdir()
        write(tmp_path / day / "a.csv", f"Start Frame\n{number}\n")
    found = with_cuts([BatchInput(Path(f"in/{day}/a.mp4"), f"{day}/a") for day in ("mon", "tue")], str(tmp_path))
    assert [source.cuts for source in found] == ["frames 0", "frames 1"]
