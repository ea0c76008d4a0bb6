"""Frames in, visible faces out, without a file, a thread or a decoder."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from config import AnalysisSettings
from core.types import ByteArray
from processors.tracking.box_trackers import CascadeFollower
from processors.tracking.face_stream import (
    DETECTION_MARGIN,
    MIN_SEARCHED_PX,
    FaceStream,
    FrameFaces,
    TrackingModels,
    smallest_searched_face,
)
from tests.material.scripted_faces import (
    HEIGHT_PX,
    PACE,
    RATE,
    Face,
    KnownImage,
    ScriptedDetector,
    both_searches,
    during,
    moving,
    outside,
    still,
)


class Player:
    """Feeds a stream of scripted faces; `seen` is what it gave for each frame."""

    def __init__(self, *faces: Face) -> None:
        self.detector = ScriptedDetector(*faces)
        detector: Any = self.detector
        models = TrackingModels(both_searches(detector), detector, CascadeFollower(detector))
        self.stream = FaceStream(models, AnalysisSettings(), RATE, height=HEIGHT_PX)
        self.seen: list[list[FrameFaces]] = []

    def play(self, frames: int, *, cuts: tuple[int, ...] = (), flickers: bool = True) -> list[list[FrameFaces]]:
        for frame in range(frames):
            image = self.detector.image(frame, 20 + 97 * frame % 230 if flickers else 20)
            self.seen.append(self.stream.update(frame, KnownImage(image), cut=frame in cuts))
        self.seen.append(self.stream.finish())
        return self.seen


def test_each_frame_that_is_looked_at_shows_its_faces() -> None:
    face = Face(moving(40, 120, 4))
    given = Player(face).play(30)[:-1]
    assert all(len(results) == 1 for results in given[PACE.calm_stride :]), (
        "a face that moves is looked at in every frame"
    )
    for frame, faces in enumerate(results[0] if results else None for results in given):
        if faces is None:
            continue
        assert faces.frame == frame
        (visible,) = faces.faces
        assert visible.track == 0 and np.allclose(visible.box, face.box(frame), atol=0.5)
        assert visible.landmarks.shape == (5, 2) and visible.score > 0.9


def test_calm_frames_are_skipped_and_foreseen() -> None:
    player = Player(Face(still(100, 100)))
    foreseen = []
    for frame in range(20):
        image = player.detector.image(frame, 20)
        was_expected = player.stream.expects_skip
        results = player.stream.update(frame, KnownImage(image), cut=False)
        foreseen.append((was_expected, results == []))
    assert sum(skipped for _, skipped in foreseen) > 20 * (1 - 1 / PACE.calm_stride) - 2
    assert all(expected for expected, skipped in foreseen if skipped)


class Counted(KnownImage):
    """Notes that somebody looked."""

    is_seen = False

    def __call__(self) -> ByteArray:
        self.is_seen = True
        return super().__call__()


def test_only_images_that_are_searched_are_converted_while_nobody_is_there() -> None:
    player = Player()
    images = [Counted(player.detector.image(frame, 20 if frame < 60 else 220)) for frame in range(75)]
    for frame, image in enumerate(images):
        player.stream.update(frame, image, cut=False)
    converted = [frame for frame, image in enumerate(images) if image.is_seen]
    assert converted == [frame for frame, _ in player.detector.searches]
    assert converted[0] == 0 and len(converted) == 2, "the first frame, and the one at which the change is noticed"


def test_frames_that_were_searched_are_marked() -> None:
    player = Player(Face(moving(40, 120, 4)))
    searched = [faces.frame for results in player.play(41)[:-1] for faces in results if faces.searched]
    assert searched == [frame for frame, _ in player.detector.searches if frame < 40]


def test_a_newcomer_in_the_last_frame_of_a_shot_is_given_once_the_shot_ends() -> None:
    player = Player(Face(still(100, 100), during(28, 30)))
    results = player.play(40, cuts=(30,))
    at_cut = results[30]
    assert [(faces.frame, len(faces.faces), faces.searched) for faces in at_cut] == [(29, 1, True), (30, 0, True)]


def test_finish_gives_the_last_frame_if_it_was_not_searched() -> None:
    player = Player(Face(still(100, 100), during(18, 20)))
    (last,) = player.play(20)[-1]
    assert last.frame == 19 and len(last.faces) == 1 and last.searched


def test_tracks_are_handed_out_once_when_they_have_ended() -> None:
    player = Player(Face(moving(40, 120, 2)))
    stream = player.stream
    for frame in range(30):
        image = player.detector.image(frame, 20)
        stream.update(frame, KnownImage(image), cut=frame == 12)
        ended = stream.take_ended()
        assert len(ended) == (1 if frame == 12 else 0)
        assert all((track.frames[0], track.frames[-1]) == (0, 11) for track in ended)
    stream.finish()
    (last,) = stream.take_ended()
    assert (last.frames[0], last.frames[-1]) == (12, 29)
    assert list(stream.take_ended()) == []


def test_a_stream_without_frames_gives_nothing() -> None:
    player = Player(Face(still(60, 60)))
    assert player.stream.finish() == [] and list(player.stream.take_ended()) == []


@pytest.mark.parametrize(("height", "smallest"), [(480, DETECTION_MARGIN * 24), (100, MIN_SEARCHED_PX)])
def test_the_smallest_face_searched_for(height: int, smallest: float) -> None:
    assert smallest_searched_face(0.05, height) == pytest.approx(smallest)


def test_it_knows_no_file_no_thread_and_no_decoder() -> None:
    """Importing it loads neither the readers nor the thread pool that the analysis uses around it."""
    code = "import sys, processors.tracking.face_stream; print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for module in (
        "core.media",
        "av",
        "processors.faces",
        "processors.tracking.proposal_prefetch",
        "utils.processes.prefetch",
    ):
        assert f"'{module}" not in loaded, module


@pytest.mark.parametrize("away", [40, 41, 42], ids=lambda frame: f"frame {frame}")
def test_a_face_that_is_not_in_a_frame_shown_for_long_is_gone(away: int) -> None:
    """A screen recording has one frame for seconds in which nothing changes; it may be one that no look is due at."""
    player = Player(Face(still(100, 100), outside(away, away + 1)))
    for frame in range(60):
        image = KnownImage(player.detector.image(frame, 20))
        tick = frame if frame <= away else frame + 3 * round(RATE)
        player.stream.update(frame, image, cut=False, tick=tick)
    player.stream.finish()
    assert sorted((t.frames[0], t.frames[-1]) for t in player.stream.take_ended()) == [(0, away - 1), (away + 1, 59)]


def test_a_face_in_a_frame_shown_for_long_stays_one_track() -> None:
    player = Player(Face(still(100, 100)))
    for frame in range(60):
        image = KnownImage(player.detector.image(frame, 20))
        player.stream.update(frame, image, cut=False, tick=frame if frame <= 40 else frame + 3 * round(RATE))
    player.stream.finish()
    assert [(t.frames[0], t.frames[-1]) for t in player.stream.take_ended()] == [(0, 59)]
