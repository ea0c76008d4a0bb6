"""File names of clips."""

from fractions import Fraction

import numpy as np
import pytest

from config import ClipSettings
from core.types import Segment
from processors.clips.clip_names import clip_files
from tests.material.factories import face_analysis, video_info

DEFAULT = ClipSettings().template


ANALYSIS = face_analysis(
    video=video_info("in\\ter\nview.mp4", time_base=Fraction(1, 12800)), pts=7000 + 512 * np.arange(2000)
)


def segment(person, start, end=None):
    return Segment(person, 0, start, start + 1 if end is None else end, ())


def test_clips_are_numbered_per_person_in_time_order():
    segments = [segment("person_02", 80), segment("person_01", 100), segment("person_01", 0)]
    assert clip_files(segments, ANALYSIS, DEFAULT) == (
        "person_02/person_02_clip_001_00-00-03.200.mp4",
        "person_01/person_01_clip_002_00-00-04.000.mp4",
        "person_01/person_01_clip_001_00-00-00.000.mp4",
    )


def test_all_fields():
    template = "$VIDEO_NAME $PERSON $SHOT_NUMBER $END_TIME $START_FRAME-$END_FRAME $START_PTS-$END_PTS"
    (name,) = clip_files([segment("person_01", 25, 50)], ANALYSIS, template)
    assert name == "person_01/in_ter_view person_01 001 00-00-02.000 25-50 19800-32600.mp4"


@pytest.mark.parametrize(
    "template", ["../../x", "/etc/passwd", "..", "\\\\server\\x", "a/b/$PERSON", "$PERSON/../..", "C:x", "\x00", "."]
)
def test_no_template_leads_out_of_the_folder(template):
    (name,) = clip_files([segment("person_01", 0)], ANALYSIS, template)
    folder, file = name.split("/")
    assert folder == "person_01" and file.endswith(".mp4") and not file.startswith(".")
    assert not set(file) & set('\\:*?"<>|\x00')


def test_equal_names_get_numbers_even_if_they_are_very_long():
    segments = [segment("person_01", i) for i in range(12)] + [segment("person_02", 0)]
    for template in ("same", "ä" * 300, "a" * 200 + "$START_FRAME"):
        names = clip_files(segments, ANALYSIS, template)
        assert len({n.casefold() for n in names}) == 13
        assert all(len(n.split("/")[1].encode()) <= 130 for n in names)
    assert clip_files(segments, ANALYSIS, "same")[:2] == ("person_01/same.mp4", "person_01/same_2.mp4")


def test_a_number_is_not_given_twice():
    # The frame number makes the second name look like the number of a copy.
    segments = [segment("p", 0), segment("p", 2)]
    assert clip_files(segments, ANALYSIS, "x_$START_FRAME") == ("p/x_0.mp4", "p/x_2.mp4")
    assert clip_files([*segments, segment("p", 2, 9)], ANALYSIS, "x_$START_FRAME")[2] == "p/x_2_2.mp4"


@pytest.mark.parametrize("template", ["reel", "REEL", "$PERSON"])
def test_no_clip_gets_the_name_of_the_reel(template):
    names = clip_files([segment("Reel", 0), segment("Reel", 50)], ANALYSIS, template)
    assert [name.split("/")[1].casefold() for name in names] == ["reel_2.mp4", "reel_3.mp4"]
