"""Which of several streams is used, and what is said of the others."""

from __future__ import annotations

import dataclasses

import pytest

from core.errors import InvalidVideoError
from core.media.stream_choice import choose_audio, other_streams
from core.types import IS_SILENT, AudioInfo
from tests.material.factories import video_info


def track(index: int, language: str, **values: object) -> AudioInfo:
    return dataclasses.replace(AudioInfo(index, "aac", 48000, 2, 0.0, language=language), **values)  # type: ignore[arg-type]


THREE = video_info(audio=(track(1, "eng", default=True), track(2, "deu", fault="cannot be decoded"), track(4, "deu")))


@pytest.mark.parametrize(("wanted", "index"), [("", 1), ("1", 1), ("3", 4), ("deu", 4), ("DEU", 4), ("eng", 1)])
def test_the_audio_is_that_which_was_asked_for(wanted, index):
    used = choose_audio(THREE, wanted).default_audio
    assert used is not None and used.index == index


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("4", "no audio stream 4"),
        ("0", "no audio stream 0"),
        ("fra", "no audio stream fra"),
        ("2", "cannot be decoded"),
    ],
)
def test_audio_that_cannot_be_had_is_an_error_that_lists_what_there_is(wanted, message):
    with pytest.raises(InvalidVideoError, match=message) as caught:
        choose_audio(THREE, wanted)
    assert caught.value.hint == "--audio-stream takes 1 eng, 2 deu, 3 deu"


@pytest.mark.parametrize(("wanted", "index"), [("", 2), ("1", 1), ("deu", 3), ("eng", 1)])
def test_a_silent_track_is_used_only_if_it_is_asked_for_and_there_is_no_other(wanted, index):
    tracks = (track(1, "eng", fault=IS_SILENT), track(2, "fra"), track(3, "deu"))
    used = choose_audio(video_info(audio=(*tracks, track(4, "deu", fault=IS_SILENT))), wanted).default_audio
    assert used is not None and used.index == index


def test_a_silent_video_has_nothing_to_choose_from():
    assert choose_audio(video_info(), "deu").default_audio is None


def test_a_choice_is_forgotten_when_nothing_is_chosen_any_more():
    assert choose_audio(choose_audio(THREE, "3"), "") == THREE


def test_a_line_says_that_others_exist():
    assert other_streams(THREE) == "audio stream 1 eng of 1 eng, 2 deu, 3 deu (--audio-stream)"
    assert other_streams(choose_audio(THREE, "3")).startswith("audio stream 3 deu of")
    assert other_streams(video_info(audio=(track(1, "eng"),))) == ""
    two = video_info(video_number=2, video_streams=2)
    assert other_streams(two) == "video stream 2 of 2 (--video-stream)"


def test_nothing_is_missed_if_a_track_was_chosen():
    assert video_info(audio=THREE.audio[1:]).unheard_audio == THREE.audio[1]
    assert choose_audio(video_info(audio=THREE.audio[1:]), "2").unheard_audio is None
