"""From the signals of a person's tracklets to turns and to the frames that lie in them."""

from __future__ import annotations

import dataclasses

import numpy as np

from core.types import FaceAnalysis, Tracklet
from processors.speech.person_turns import SPEECH_SIGNAL, is_speech_known, person_turns, speaking_mask
from tests.material.factories import face_analysis, tracklet


def speaking(number: int, frames: range, *spoken: range, shot: int = 0) -> Tracklet:
    """A tracklet whose face speaks in the frames `spoken` of the video."""
    found = tracklet(number, frames, shot=shot)
    said = np.isin(found.frames, [frame for piece in spoken for frame in piece])
    return dataclasses.replace(found, signals={SPEECH_SIGNAL: np.where(said, 3, -3).astype(np.float32)})


def spoken_video(*tracklets: Tracklet, frames: int = 500) -> FaceAnalysis:
    return face_analysis(tracklets, frames)


def test_turns_of_all_tracklets_of_a_person_are_joined_over_short_pauses() -> None:
    video = spoken_video(
        speaking(0, range(0, 100), range(50, 100)),
        speaking(1, range(102, 200), range(102, 125), range(150, 175)),
        speaking(2, range(0, 200), range(0, 200)),
    )
    found = person_turns(video, (0, 1))
    assert [(turn.start_s, turn.end_s) for turn in found] == [(2.0, 5.0), (6.0, 7.0)]
    assert all(turn.score == 3 for turn in found)


def test_masks_take_the_pauses_of_a_turn_with_them() -> None:
    one = speaking(0, range(0, 100), range(10, 30), range(33, 60))
    video = spoken_video(one)
    mask = speaking_mask(video, one, person_turns(video, (0,)))
    assert np.flatnonzero(mask).tolist() == list(range(10, 60))
    assert not speaking_mask(video, one, ()).any()


def test_speech_is_known_where_every_tracklet_has_the_signal() -> None:
    one = speaking(0, range(10), range(5))
    assert is_speech_known(spoken_video(one))
    assert not is_speech_known(spoken_video(one, tracklet(1, range(10))))
    assert not is_speech_known(spoken_video())
    assert person_turns(spoken_video(tracklet(1, range(10))), (1,)) == []
