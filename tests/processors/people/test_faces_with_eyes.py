"""Faces that the frame's edge cuts off above or below the eyes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from processors.people.faces_with_eyes import recognisable, samples_with_eyes
from processors.people.new_person_evidence import supports_new_person
from processors.people.tracklet_groups import TrackletGroups
from tests.material.factories import face_analysis, tracklet, video_info

SIZE = (640, 360)
WHOLE, NO_EYES, ONE_EYE, BELOW = (100, 50, 200, 170), (100, -80, 200, 40), (-40, 50, 60, 170), (100, 330, 200, 450)


def face(*boxes: tuple[int, ...], **columns: Any) -> Any:
    return tracklet(
        frames=range(len(boxes)), boxes=boxes, embeddings=np.eye(4)[: len(boxes)], sample_quality=0.8, **columns
    )


@pytest.mark.parametrize(("box", "has_eye"), [(WHOLE, True), (NO_EYES, False), (ONE_EYE, True), (BELOW, False)])
def test_an_eye_in_the_frame_is_enough(box: tuple[int, ...], has_eye: bool) -> None:
    assert samples_with_eyes(face(box), SIZE).tolist() == [has_eye]


def test_samples_without_eyes_do_not_count_beside_others() -> None:
    seen = recognisable(face(NO_EYES, WHOLE, NO_EYES, ONE_EYE), SIZE)
    assert seen.sample_frames.tolist() == [1, 3] and seen.embeddings.argmax(1).tolist() == [1, 3]
    assert len(seen.frames) == 4


def test_alone_they_have_no_quality_and_make_nobody() -> None:
    moment = face(*[NO_EYES] * 3)
    seen = recognisable(moment, SIZE)
    assert len(seen.embeddings) == 3 and not seen.sample_quality.any() and moment.sample_quality.all()
    bounds_s = np.arange(31) / 5.0
    assert supports_new_person([moment], bounds_s) and not supports_new_person([seen], bounds_s)


def test_a_whole_face_stays_as_it_is_and_so_does_one_without_samples() -> None:
    for one in (face(WHOLE, WHOLE), tracklet()):
        assert recognisable(one, SIZE) is one


def test_grouping_looks_at_faces_with_eyes() -> None:
    one = face(NO_EYES, WHOLE)
    film = face_analysis([one], video=video_info(width=640, height=360))
    groups = TrackletGroups([one], film)
    assert [t.sample_frames.tolist() for t in groups.tracklets] == [[1]]
