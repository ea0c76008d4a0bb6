from dataclasses import replace

import numpy as np
import pytest

from core.types import FloatArray
from processors.people.tracklet_evidence import (
    SampleCosines,
    continuations,
    duplicate_tracklets,
    is_still,
    mean_embedding,
    replaced,
    seen_together,
)
from tests.material import factories

SECONDS = np.arange(500) / 25
SIZE = (640, 360)


def tracklet(number, frames, box=(0, 0, 40, 40), speed=(0.0, 0.0), shot=0, embeddings=None):
    shift = (np.array(frames) - frames[0])[:, None] * np.tile(speed, 2)
    return factories.tracklet(number, frames, np.asarray(box) + shift, shot=shot, embeddings=embeddings)


def test_seen_together_needs_a_common_frame():
    tracks = [tracklet(0, [0, 1, 5, 6]), tracklet(1, [2, 3, 4]), tracklet(2, [6, 7], box=(50, 0, 90, 40))]
    tracks.append(tracklet(3, [8]))
    assert seen_together(tracks, SIZE).tolist() == [[0, 2]]
    assert seen_together(tracks[::-1], SIZE).tolist() == [[1, 3]]
    assert seen_together([], SIZE).shape == (0, 2)


def test_a_hidden_face_is_not_seen_together_with_anybody():
    hidden = tracklet(0, range(10))
    hidden = replace(hidden, scores=np.where((hidden.frames >= 3) & (hidden.frames < 7), 0, 1).astype(np.float32))
    elsewhere, later = tracklet(1, range(3, 7), box=(200, 0, 240, 40)), tracklet(2, range(3, 8), box=(90, 0, 130, 40))
    assert seen_together([hidden, elsewhere, later], SIZE).tolist() == [[0, 2], [1, 2]]


def test_two_boxes_on_one_face_are_not_two_people_until_they_part():
    one, on_it = tracklet(0, range(10)), tracklet(1, range(5, 10), box=(4, 0, 44, 40))
    parting = tracklet(1, range(5, 10), box=(4, 0, 44, 40), speed=(10, 0))
    assert seen_together([one, on_it], SIZE).tolist() == []
    assert seen_together([one, parting], SIZE).tolist() == [[0, 1]]


def test_boxes_of_a_face_larger_than_the_frame_are_compared_where_the_frame_shows_them():
    # As the tracker followed one face in a close-up: both fill the frame, and have a third of their areas in common.
    whole, below = tracklet(0, range(20), box=(100, -60, 620, 700)), tracklet(1, range(20), box=(0, 0, 900, 1500))
    assert seen_together([whole, below], SIZE).tolist() == []
    assert duplicate_tracklets([whole, below], SIZE).tolist() == [False, True]


def test_a_box_that_has_left_the_frame_shows_nobody():
    face = tracklet(0, range(20), box=(100, -60, 400, 300))
    gone, leaving = tracklet(1, range(20), box=(500, -400, 2500, 2400)), tracklet(1, range(20), box=(540, 40, 740, 300))
    assert seen_together([face, gone], SIZE).tolist() == []
    assert seen_together([face, leaving], SIZE).tolist() == [[0, 1]], "half of a face is a face"


def twice(tracks):
    return duplicate_tracklets(tracks, SIZE).tolist()


def test_second_track_on_a_face_is_the_shorter_one():
    long, short = tracklet(0, range(50)), tracklet(1, range(10, 20), box=(5, 5, 45, 45))
    assert twice([long, short]) == [False, True]
    assert twice([short, long]) == [True, False]
    assert twice([long, tracklet(1, range(50))]) == [False, True]


def test_two_faces_side_by_side_and_a_short_overlap_are_not_one_face():
    assert twice([tracklet(0, range(50)), tracklet(1, range(10, 20), box=(20, 0, 60, 40))]) == [False, False]
    assert twice([tracklet(0, range(50)), tracklet(1, range(46, 60))]) == [False, False]
    assert twice([]) == []


def test_continuation_follows_the_motion():
    # At 3 px a frame it is 33 px further when it comes back 11 frames later: little overlap with the last box.
    before = tracklet(0, range(20), speed=(3, 0))
    after = tracklet(1, range(30, 40), box=(90, 0, 130, 40))
    (found,) = continuations([before, after], SECONDS)
    assert (found.earlier, found.later) == (0, 1)
    assert 3 < found.log_odds < 4
    assert continuations([before, tracklet(1, range(30, 40), box=(200, 0, 240, 40))], SECONDS) == []
    assert continuations([before, tracklet(1, range(30, 40), box=(90, 0, 130, 40), shot=1)], SECONDS) == []


def test_continuation_gap_is_inclusive():
    before = tracklet(0, range(20))
    assert len(continuations([before, tracklet(1, range(45, 50))], SECONDS)) == 1
    assert len(continuations([before, tracklet(1, range(46, 50))], SECONDS)) == 0
    assert len(continuations([before, tracklet(1, range(20, 50))], SECONDS)) == 1
    assert len(continuations([before, tracklet(1, range(19, 50))], SECONDS)) == 0


def test_a_face_that_replaces_another_one_continues_nobody() -> None:
    before, after = tracklet(0, range(20)), replace(tracklet(1, range(20, 50)), is_replacement=True)
    assert continuations([before, after], SECONDS) == []
    # Somebody else, who was seen there a moment earlier, may still be back.
    assert len(continuations([tracklet(0, range(10)), after], SECONDS)) == 1


def test_who_is_replaced_by_whom() -> None:
    before, elsewhere = tracklet(0, range(20)), tracklet(1, range(20), box=(200, 0, 240, 40))
    after = replace(tracklet(2, range(20, 50)), is_replacement=True)
    assert replaced([before, elsewhere, after]).tolist() == [[0, 2]]
    assert replaced([before, replace(after, is_replacement=False)]).tolist() == []
    assert replaced([before, replace(tracklet(2, range(22, 50)), is_replacement=True)]).tolist() == []
    assert replaced([]).shape == (0, 2)


def test_everyone_has_one_successor_the_best():
    before = tracklet(0, range(20))
    exact, beside = tracklet(1, range(22, 40)), tracklet(2, range(22, 40), box=(15, 0, 55, 40))
    found = continuations([beside, before, exact], SECONDS)
    assert [(c.earlier, c.later) for c in found] == [(1, 2)]


def sample_cosines(tracklets):
    everyone = slice(0, len(tracklets))
    return SampleCosines(tracklets).block(everyone, everyone)


def test_sample_cosines_are_half_means_half_best_pairs():
    x, y = np.eye(4)[:2]
    a = tracklet(0, [0, 1], embeddings=[x, y])
    b = tracklet(1, [2], embeddings=[x])
    found = sample_cosines([a, b])
    # means at 45 degrees; the best quarter of two pairs is the better one
    assert found[0, 1] == pytest.approx((np.sqrt(0.5) + 1) / 2, abs=1e-6)
    assert found[1, 1] == pytest.approx(1, abs=1e-6)
    assert found == pytest.approx(found.T)
    assert sample_cosines([]).shape == (0, 0)


def test_sample_cosines_are_those_of_every_pair_on_its_own():
    rng = np.random.default_rng(3)
    tracks = []
    for number in range(20):
        vectors = rng.standard_normal((1 + number % 6, 8))
        tracks.append(tracklet(number, range(10), embeddings=vectors / np.linalg.norm(vectors, axis=1, keepdims=True)))
    found = sample_cosines(tracks)
    for a, b in [(0, 1), (4, 5), (5, 11), (17, 2), (6, 6)]:
        pairs = np.sort((tracks[a].embeddings @ tracks[b].embeddings.T).ravel())[::-1]
        best = pairs[: max(round(0.25 * len(pairs)), 1)].mean()
        assert found[a, b] == pytest.approx(
            (mean_embedding(tracks[a]) @ mean_embedding(tracks[b]) + best) / 2, abs=1e-6
        )


def test_mean_of_no_samples():
    with pytest.raises(ValueError, match="tracklet 7 has no samples"):
        mean_embedding(tracklet(7, [0]))


def face_track(n, travel=0.0, growth=0.0, features=0.0, noise=0.003, size=60.0) -> tuple[FloatArray, FloatArray]:
    """A face of `size` px with sinusoidal motion; amplitudes in face sizes."""
    rng = np.random.default_rng(0)
    wave = np.sin(np.linspace(0, 4 * np.pi, n))
    centre = np.stack([200 + travel * size * wave, np.full(n, 150.0)], 1) + rng.normal(0, noise * size, (n, 2))
    half = (size * (1 + growth * wave) / 2)[:, None]
    shape = np.array([[-0.2, -0.1], [0.2, -0.1], [0, 0.05], [-0.15, 0.25], [0.15, 0.25]])
    landmarks = centre[:, None] + 2 * half[:, None] * shape + rng.normal(0, noise * size, (n, 5, 2))
    landmarks[:, 2, 0] += features * size * wave
    boxes = np.concatenate([centre - half, centre + half], 1)
    return boxes.astype(np.float32), landmarks.astype(np.float32)


def test_a_portrait_is_still():
    assert is_still(*face_track(150), life_s=6.0)
    assert is_still(*face_track(80), life_s=3.2)


def test_jitter_of_the_detector_is_not_life():
    assert is_still(*face_track(150, noise=0.008), life_s=6.0)


def test_one_bad_face_does_not_make_it_alive():
    boxes, landmarks = face_track(300)
    landmarks[70] += 30
    assert is_still(boxes, landmarks, life_s=12.0)


@pytest.mark.parametrize("motion", [{"travel": 0.1}, {"growth": 0.1}, {"features": 0.1}])
def test_a_face_that_moves_in_any_way_is_not(motion):
    assert not is_still(*face_track(150, **motion), life_s=6.0)


def test_a_short_life_proves_nothing():
    assert not is_still(*face_track(72), life_s=2.9)
