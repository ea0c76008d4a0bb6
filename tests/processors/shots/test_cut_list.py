"""Lists of cuts made by other programs, and the frames that they mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import SettingsError
from processors.shots.cut_list import cut_frames, is_cut_list, read_cut_list

HEADER = (
    "Scene Number,Start Frame,Start Timecode,Start Time (seconds),End Frame,End Timecode,End Time (seconds),"
    "Length (frames),Length (timecode),Length (seconds)"
)
SCENES = f"""\
Timecode List:,00:00:04.000,00:00:08.040
{HEADER}
1,1,00:00:00.000,0.000,100,00:00:04.000,4.000,100,00:00:04.000,4.000
2,101,00:00:04.000,4.000,201,00:00:08.040,8.040,101,00:00:04.040,4.040
3,202,00:00:08.040,8.040,300,00:00:12.000,12.000,99,00:00:03.960,3.960
"""
"""as PySceneDetect's list-scenes writes it: frames count from 1"""

EDL = """\
TITLE: film
FCM: NON-DROP FRAME

001  AX       V     C        00:00:00:00 00:00:04:00 00:00:00:00 00:00:04:00
* FROM CLIP NAME: a.mov
002  AX       AA    C        00:00:00:00 00:00:06:00 00:00:02:00 00:00:08:00
003  AX       V     C        00:00:04:00 00:00:08:01 00:00:04:00 00:00:08:01
004  AX       B     C        00:00:08:01 00:00:12:00 00:00:08:01 00:00:12:00
"""


def listed(folder: Path, text: str, name: str = "film.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_cut_list(path)


def test_a_scene_list_gives_frames(tmp_path: Path) -> None:
    cuts = listed(tmp_path, SCENES)
    assert cuts == "frames 0 100 201"
    assert cut_frames(cuts, 25.0) == cut_frames(cuts, 30.0) == [100, 201]


def test_the_row_of_all_cuts_may_be_missing_and_a_mark_precede(tmp_path: Path) -> None:
    assert listed(tmp_path, "\ufeff" + SCENES.partition("\n")[2]) == "frames 0 100 201"


def test_a_list_of_one_scene_is_a_list_without_cuts(tmp_path: Path) -> None:
    cuts = listed(tmp_path, "\n".join(SCENES.splitlines()[1:3]))
    assert cuts == "frames 0" and is_cut_list(cuts) and cut_frames(cuts, 25.0) == []
    assert listed(tmp_path, HEADER) == "frames"


@pytest.mark.parametrize(
    "rows",
    [
        "Start Time (seconds)\n0.0\n4.0\n8.04\n",
        "Scene Number,Start Timecode\n1,00:00:00.000\n2,0:0:4\n3,00:00:08.040\n",
    ],
)
def test_without_frames_times_count(tmp_path: Path, rows: str) -> None:
    cuts = listed(tmp_path, rows)
    assert is_cut_list(cuts)
    assert cut_frames(cuts, 25.0) == [100, 201]
    assert cut_frames(cuts, 50.0) == [200, 402]


def test_an_edl_gives_the_events_of_the_image(tmp_path: Path) -> None:
    cuts = listed(tmp_path, EDL, "film.edl")
    assert is_cut_list(cuts)
    assert cut_frames(cuts, 25.0) == [100, 201]
    assert cut_frames(cuts, 29.97) == [120, 241]


def test_a_programme_may_begin_at_one_o_clock(tmp_path: Path) -> None:
    later = EDL.replace(" 00:00:0", " 01:00:0").replace(" 00:00:1", " 01:00:1")
    assert cut_frames(listed(tmp_path, later, "film.edl"), 25.0) == [100, 201]


def test_a_dissolve_of_an_edl_counts_by_its_middle(tmp_path: Path) -> None:
    text = """\
001  AX  V  C        00:00:00:00 00:00:04:00 00:00:00:00 00:00:04:00
002  AX  V  C        00:00:04:00 00:00:04:00 00:00:04:00 00:00:04:00
002  BX  V  D    012 00:00:00:00 00:00:04:00 00:00:04:00 00:00:08:00
"""
    assert cut_frames(listed(tmp_path, text, "film.EDL"), 25.0) == [106]


def test_drop_frames_are_counted_as_they_are_shown(tmp_path: Path) -> None:
    """After a minute of 29.97 frames a second, 1800 frames have been shown; timecode leaves out ;00 and ;01."""
    text = """\
FCM: DROP FRAME
001  AX  V  C  00:00:00;00 00:01:00;02 00:00:00;00 00:01:00;02
002  AX  V  C  00:00:00;00 00:01:00;02 00:01:00;02 00:10:00;00
003  AX  V  C  00:00:00;00 00:01:00;02 00:10:00;00 00:10:10;00
"""
    assert cut_frames(listed(tmp_path, text, "film.edl"), 29.97) == [1800, 17982]


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("", "a.csv", "line 1: expected the header of a scene list, with a column 'Start Frame'"),
        ("100\n201\n", "a.csv", "line 1: expected the header"),
        (f"{HEADER}\n1,1\n2,x\n", "a.csv", "line 3: start frame is 'x', expected a whole number from 1"),
        (f"{HEADER}\n1,0\n", "a.csv", "line 2: start frame is '0', expected a whole number from 1"),
        (f"{HEADER}\n1\n", "a.csv", "line 2: start frame is '', expected a whole number"),
        (f"{HEADER}\n1,100\n2,50\n", "a.csv", "line 3: begins before the line above does"),
        ("Start Time (seconds)\n-1\n", "a.csv", "line 2: start time \\(seconds\\) is '-1', expected a number"),
        ("Start Timecode\n4 s\n", "a.csv", "line 2: start timecode is '4 s', expected HH:MM:SS.mmm"),
        ("", "a.edl", "it has no event for the image"),
        (SCENES, "a.edl", "it has no event for the image"),
        ("001 AX V C 00:00:00:00\n", "a.edl", "line 1: expected an event like"),
        ("\n001 AX V C 00:00:00:00 00:00:04:00 00:00:00:00 00:61:04:00\n", "a.edl", "line 2: expected an event like"),
        (EDL.replace("00:00:04:00 00:00:08:01\n", "00:00:09:00 00:00:12:00\n"), "a.edl", "line 8: begins before"),
    ],
)  # fmt: skip
def test_a_malformed_list_names_its_line(tmp_path: Path, text: str, name: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        listed(tmp_path, text, name)
    assert caught.value.path == tmp_path / name


def test_what_is_not_text_is_not_a_list(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\x00\xff\xfe\x80")
    with pytest.raises(SettingsError, match="not UTF-8 text"):
        read_cut_list(path)
    with pytest.raises(SettingsError, match="cannot read the cuts"):
        read_cut_list(tmp_path / "none.csv")


def test_a_file_name_is_not_a_list() -> None:
    assert not is_cut_list("cuts.csv") and not is_cut_list("/films/frames 3.csv")
