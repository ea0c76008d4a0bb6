"""Dividing a tracklet: no row and no sample is lost, and each is in the part that its frame lies in."""

import numpy as np
import pytest

from core.types import Tracklet, TrackletDivision
from processors.people.tracklet_division import divided_analysis, divided_tracklet, nearest_division
from tests.material import factories


def whole(number: int = 4) -> Tracklet:
    frames = np.array([10, 11, 12, 15, 16, 20])
    return factories.tracklet(
        number,
        frames,
        np.arange(6)[:, None] + (0, 0, 40, 40),
        scores=[1, 0, 1, 1, 0, 1],
        sharpness=frames,
        embeddings=np.eye(4)[[0, 1, 2]],
        sample_frames=[15, 10, 20],
        sample_quality=[0.9, 0.8, 0.1],
        face_jpeg=b"jpeg",
    )


def test_every_row_and_sample_is_in_the_part_that_its_frame_lies_in():
    tracklet = whole()
    earlier, later = divided_tracklet(tracklet, 15, 9)
    assert (earlier.id, later.id, later.shot) == (4, 9, tracklet.shot)
    assert earlier.frames.tolist() == [10, 11, 12] and later.frames.tolist() == [15, 16, 20]
    for name in ("frames", "boxes", "scores", "landmarks", "sharpness"):
        both = np.concatenate([getattr(earlier, name), getattr(later, name)])
        assert (both == getattr(tracklet, name)).all(), name
    assert (earlier.sample_frames.tolist(), later.sample_frames.tolist()) == ([10], [15, 20])
    assert later.sample_quality.tolist() == pytest.approx([0.9, 0.1])
    assert (later.embeddings == tracklet.embeddings[[0, 2]]).all() and (earlier.embeddings == np.eye(4)[[1]]).all()
    # Whose portrait it was is not known.
    assert earlier.face_jpeg == later.face_jpeg == b""


def test_signals_are_divided_too():
    tracklet = whole()
    object.__setattr__(tracklet, "signals", {"speech": np.arange(6, dtype=np.float32)})
    earlier, later = divided_tracklet(tracklet, 16, 9)
    assert earlier.signals["speech"].tolist() == [0, 1, 2, 3] and later.signals["speech"].tolist() == [4, 5]


def test_the_frame_may_lie_in_a_pause_but_not_leave_a_part_without_frames():
    earlier, later = divided_tracklet(whole(), 14, 9)
    assert (earlier.end, later.start) == (13, 15)
    for frame in (3, 10, 21):
        with pytest.raises(ValueError, match="cannot be divided"):
            divided_tracklet(whole(), frame, 9)


@pytest.mark.parametrize(("frame", "nearest"), [(0, 11), (10, 11), (11, 11), (13, 15), (20, 20), (99, 20)])
def test_the_nearest_frame_leaves_both_parts_one(frame, nearest):
    assert nearest_division(whole(), frame) == nearest
    divided_tracklet(whole(), nearest, 9)


def test_a_single_frame_cannot_be_divided():
    assert nearest_division(factories.tracklet(0, [3]), 3) is None


def test_pieces_can_be_divided_again_and_nothing_else_changes():
    analysis = factories.face_analysis([factories.tracklet(0), whole(), factories.tracklet(7)], 30)
    found = divided_analysis(analysis, [TrackletDivision(4, 15, 8), TrackletDivision(8, 20, 9)])
    assert [t.id for t in found.tracklets] == [0, 4, 8, 9, 7]
    assert [t.frames.tolist() for t in found.tracklets[1:4]] == [[10, 11, 12], [15, 16], [20]]
    assert found.tracklets[0] is analysis.tracklets[0] and found.frame_pts is analysis.frame_pts
    assert divided_analysis(analysis, []) is analysis


@pytest.mark.parametrize("division", [TrackletDivision(3, 15, 8), TrackletDivision(4, 15, 0)])
def test_what_is_not_there_or_there_already_is_refused(division):
    analysis = factories.face_analysis([factories.tracklet(0), whole()], 30)
    with pytest.raises(ValueError, match="no such tracklet, or there is"):
        divided_analysis(analysis, [division])
