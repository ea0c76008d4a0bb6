"""Which faces of a track are kept, and how they are cut out."""

from __future__ import annotations

import gc
import weakref
from typing import Any, cast

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.media.video_frame import VideoFrame
from core.models.face_verifier import VERIFIER_SIDE_PX
from core.types import ByteArray, FloatArray
from processors.faces.face_sampler import (
    PORTRAIT_MAX_PX,
    PORTRAIT_SCALE,
    FaceSample,
    FaceSampler,
    face_quality,
    least_worth,
    portrait_merit,
    verifier_transform,
)
from tests.material.scripted_faces import landmarks_in
from utils.images.face_alignment import FACE_TEMPLATE, similarity_transform, warp

SIDE = 150


class Embedder:
    """Aligns as dlib's does."""

    name, side = "dlib", SIDE

    def alignment(self, box: FloatArray, landmarks: FloatArray) -> NDArray[np.float64]:
        return similarity_transform(landmarks, FACE_TEMPLATE * SIDE)

    def embed(self, chips: ByteArray) -> FloatArray:
        raise AssertionError("sampling embeds nothing")


class Frame:
    """An array in place of a decoded image."""

    placed = None

    def __init__(self, index: int, image: ByteArray) -> None:
        self.index, self.image = index, image
        self.height, self.width = image.shape[:2]

    def planes(self) -> tuple[ByteArray]:
        return (np.ascontiguousarray(self.image[..., 1]),)

    def patch(self, box: FloatArray) -> tuple[ByteArray, int, int]:
        height, width = self.image.shape[:2]
        x0, y0 = int(np.clip(np.floor(box[0]), 0, width - 1)), int(np.clip(np.floor(box[1]), 0, height - 1))
        x1, y1 = int(np.clip(np.ceil(box[2]), x0 + 1, width)), int(np.clip(np.ceil(box[3]), y0 + 1, height))
        return np.ascontiguousarray(self.image[y0:y1, x0:x1]), x0, y0


def smooth_noise(height: int = 300, width: int = 400) -> ByteArray:
    noise = np.random.RandomState(0).randint(0, 256, (height, width, 3), np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 2), np.uint8)


IMAGE = smooth_noise()
BOX = np.array([150, 80, 250, 200], np.float32)
LOOK = np.zeros(576, np.float32)


def offer(
    sampler: FaceSampler, index: int, *, score: float = 1.0, sharp: float = 1e6, box: FloatArray = BOX, **options: Any
) -> None:
    image = options.get("image", IMAGE)
    frame = cast(VideoFrame, options.get("frame", Frame(index, image)))
    sampler.offer(frame, box, score, landmarks_in(box[None])[0], sharp, LOOK)


def new_sampler(capacity: int = 4) -> FaceSampler:
    return FaceSampler(Embedder(), capacity, 25.0)


def best_first(sampler: FaceSampler) -> list[FaceSample]:
    return sorted(sampler.samples, key=lambda s: (-s.quality, s.frame))


def portrait_of(sampler: FaceSampler, flags: int = cv2.IMREAD_COLOR) -> NDArray[Any]:
    assert sampler.portrait is not None
    decoded = cv2.imdecode(np.frombuffer(sampler.portrait.jpeg(), np.uint8), flags)
    assert decoded is not None
    return np.asarray(decoded)


def quality(*, box: FloatArray = BOX, score: float = 0.9, nose_px: float = 0.0, sharp: float = 60.0) -> float:
    landmarks = landmarks_in(box[None])[0]
    landmarks[2, 0] += nose_px
    return face_quality(box, score, landmarks, sharp)


def test_each_property_of_a_good_face_counts() -> None:
    smaller = np.array([150, 80, 190, 128], np.float32)
    best = quality(score=1.0)
    assert best > quality(score=0.8)
    assert best > quality(score=1.0, nose_px=25)
    assert best > quality(score=1.0, sharp=10)
    assert best > quality(score=1.0, box=smaller)


def test_quality_lies_between_nothing_and_one() -> None:
    perfect = quality(score=1.0, sharp=1e9, box=np.array([0, 0, 900, 1200], np.float32))
    worst = quality(score=-0.1, sharp=0, nose_px=500)
    assert 0 <= worst < 0.01 and 0.95 < perfect <= 1


def test_no_more_faces_are_kept_than_asked_for() -> None:
    sampler = new_sampler(3)
    for index in range(50):
        offer(sampler, index, score=0.7 + 0.006 * index)
    assert len(sampler.samples) == 3
    one = new_sampler(1)
    for index in range(5):
        offer(one, index, score=0.7 + 0.05 * index)
    assert len(one.samples) == 1


def test_samples_are_in_order_of_time() -> None:
    sampler = new_sampler(6)
    for index, score in enumerate((0.8, 0.95, 0.9, 0.95, 0.7)):
        offer(sampler, 10 * index, score=score)
    assert [s.frame for s in sampler.samples] == [0, 10, 20, 30, 40]


def test_what_can_best_be_done_without() -> None:
    assert least_worth([0, 10, 12, 20], [0.9, 0.9, 0.8, 0.9], 500) == 2
    assert least_worth([0, 10, 20], [0.9, 0.01, 0.9], 500) == 1


def test_a_face_that_is_embedded_already_is_kept_unless_others_are_much_better() -> None:
    for score, kept in ((0.8, [0, 20, 40]), (0.5, [0, 10, 40])):
        sampler = new_sampler(3)
        for index in (0, 10, 40):
            offer(sampler, index, score=0.9)
        compared = new_sampler(1)
        offer(compared, 20, score=score)
        compared.samples[0].embedding = np.ones(3, np.float32)
        sampler.keep(compared.samples)
        assert [s.frame for s in sampler.samples] == kept


def test_a_face_is_kept_once() -> None:
    sampler = new_sampler(3)
    offer(sampler, 0)
    sampler.keep(list(sampler.samples))
    assert len(sampler.samples) == 1


def test_two_stretches_become_one_with_the_best_of_both() -> None:
    first, second = new_sampler(3), new_sampler(3)
    for index in range(3):
        offer(first, index, score=0.7)
        offer(second, 100 + 10 * index, score=0.95)
    first.absorb(second)
    assert [s.frame for s in first.samples] == [0, 100, 120], "the best, spread over time"
    assert first.portrait is second.portrait
    first.absorb(new_sampler(3))
    assert len(first.samples) == 3


@pytest.mark.parametrize("seed", range(4))
def test_faces_about_equally_good_are_kept_from_the_whole_track(seed: int) -> None:
    random = np.random.RandomState(seed)
    sampler = new_sampler(5)
    for index in range(0, 400, 5):
        offer(sampler, index, score=0.9 + 0.1 * random.rand())
    frames = [s.frame for s in sampler.samples]
    assert frames[0] < 200 < frames[-1]
    assert frames[-1] - frames[0] > 200


def test_faces_exactly_equally_good_are_kept_from_the_whole_track() -> None:
    sampler = new_sampler(5)
    for index in range(0, 400, 5):
        offer(sampler, index)
    frames = [s.frame for s in sampler.samples]
    assert frames[-1] - frames[0] > 200


def test_a_good_moment_is_kept_among_many_bad_ones() -> None:
    sampler = new_sampler(3)
    for index in range(0, 200, 5):
        offer(sampler, index, score=0.99 if index == 100 else 0.6)
    assert best_first(sampler)[0].frame == 100


def test_the_chip_is_what_the_whole_image_would_give() -> None:
    sampler = new_sampler()
    offer(sampler, 0)
    (sample,) = sampler.samples
    matrix = Embedder().alignment(BOX, landmarks_in(BOX[None])[0])
    wanted = warp(IMAGE, matrix, SIDE)
    assert sample.chip.shape == (SIDE, SIDE, 3) and sample.chip.dtype == np.uint8
    assert np.abs(sample.chip.astype(int) - wanted).max() <= 2


def test_the_wide_crop_has_the_face_in_its_middle_half() -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    x1, y1, x2, y2 = BOX.astype(int)
    image[y1:y2, x1:x2] = 255
    sampler = new_sampler()
    offer(sampler, 0, image=image)
    wide = sampler.samples[0].wide
    assert wide.shape == (VERIFIER_SIDE_PX, VERIFIER_SIDE_PX, 3)
    rows, columns = np.nonzero(wide[..., 0] > 127)
    side = VERIFIER_SIDE_PX
    assert (rows.min(), rows.max() + 1) == pytest.approx((side / 4, 3 * side / 4), abs=2)
    assert columns.min() + columns.max() + 1 == pytest.approx(side, abs=2)


def test_the_wide_crop_of_a_tilted_face_is_turned() -> None:
    box = np.array([80, 80, 120, 120], np.float32)
    upright = landmarks_in(box[None])[0]
    lying = np.stack([200 - upright[:, 1], upright[:, 0]], 1)
    right_of_it = np.array([125, 100])
    # A square box is that of a larger face if the face is tilted.
    for landmarks, row, column in ((upright, 100, 100 + 25 * 2.5), (lying, 100 - 25 * 2.21, 100)):
        matrix = verifier_transform(box, landmarks)
        place = matrix[:, :2] @ right_of_it + matrix[:, 2]
        assert place[::-1] == pytest.approx((row, column), abs=1)


@pytest.mark.parametrize(
    "box", [(-40, -30, 60, 90), (360, 240, 460, 360), (-200, -200, -100, -80), (0, 0, 400, 300), (30, 30, 33, 34)]
)
def test_faces_over_the_edge_tiny_or_huge_are_cut_out_all_the_same(box: tuple[float, ...]) -> None:
    sampler = new_sampler()
    offer(sampler, 0, box=np.array(box, np.float32))
    samples = sampler.samples
    assert len(samples) <= 1 and bool(samples) == (sampler.portrait is not None)
    assert all(s.chip.shape == (SIDE, SIDE, 3) for s in samples)


def test_the_portrait_is_the_best_face_in_its_own_colours() -> None:
    sampler = new_sampler()
    for index, colour in enumerate(((40, 40, 200), (200, 60, 30), (40, 200, 40))):
        offer(sampler, index, score=0.99 if index == 1 else 0.7, image=np.full((300, 400, 3), colour, np.uint8))
    portrait = portrait_of(sampler)
    assert portrait.mean((0, 1))[::-1] == pytest.approx((200, 60, 30), abs=4)


def drawn_face(*, open_eyes: bool, level: int = 150) -> ByteArray:
    """Skin with two eyes in `BOX`: white with a dark iris, or a dark line."""
    image = np.full((300, 400, 3), level, np.uint8)
    for x, y in landmarks_in(BOX[None])[0][:2].round().astype(int).tolist():
        if open_eyes:
            cv2.ellipse(image, (x, y), (9, 5), 0, 0, 360, (min(level + 80, 255),) * 3, -1)
            cv2.circle(image, (x, y), 4, (level // 5,) * 3, -1)
        else:
            cv2.line(image, (x - 9, y), (x + 9, y), (level // 5,) * 3, 2)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 0.8), np.uint8)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_portrait_has_open_eyes_if_there_are_any(order: tuple[int, int]) -> None:
    sampler = new_sampler()
    images = [drawn_face(open_eyes=False), drawn_face(open_eyes=True)]
    for index in order:
        offer(sampler, index, image=images[index])
    portrait = portrait_of(sampler)
    assert portrait.max() > 200


def test_a_well_lit_face_is_shown_rather_than_a_dark_or_a_burnt_out_one() -> None:
    landmarks = landmarks_in(BOX[None])[0]
    dark, good, burnt = (portrait_merit(drawn_face(open_eyes=True, level=v), landmarks) for v in (25, 150, 252))
    assert good > 1.1 * dark and good > 1.5 * burnt


def test_the_portrait_is_the_face_and_its_surroundings() -> None:
    image = np.full((300, 400, 3), 60, np.uint8)
    x1, y1, x2, y2 = BOX.astype(int)
    image[y1:y2, x1:x2] = 200
    sampler = new_sampler()
    offer(sampler, 0, image=image)
    portrait = portrait_of(sampler, cv2.IMREAD_GRAYSCALE)
    rows, columns = np.nonzero(portrait > 100)
    assert (rows.max() + 1 - rows.min()) / portrait.shape[0] == pytest.approx(1 / PORTRAIT_SCALE, abs=0.05)
    assert columns.min() + columns.max() + 1 == pytest.approx(portrait.shape[1], abs=4)


def test_the_portrait_ends_where_the_black_bars_begin() -> None:
    image = np.full((300, 400, 3), 16, np.uint8)
    image[60:240] = IMAGE[60:240] // 2 + 64
    offer(sampler := new_sampler(), 0, image=image)
    portrait = portrait_of(sampler, cv2.IMREAD_GRAYSCALE)
    # The square around the face would reach from 26 to 254.
    assert portrait.shape[0] == 238 - 62
    assert portrait.mean(1).min() > 50


def test_a_face_half_out_of_the_frame_is_worth_half() -> None:
    whole, half = np.array([0, 80, 100, 200], np.float32), np.array([-50, 80, 50, 200], np.float32)
    qualities = []
    for box in (whole, half):
        offer(sampler := new_sampler(), 0, box=box)
        qualities.append(sampler.samples[0].quality)
    assert qualities[1] == pytest.approx(qualities[0] / 2)


def test_the_portrait_of_a_huge_face_is_reduced() -> None:
    sampler = new_sampler()
    image = np.full((1500, 2000, 3), 90, np.uint8)
    offer(sampler, 0, image=image, box=np.array([300, 100, 1400, 1400], np.float32))
    portrait = portrait_of(sampler)
    assert max(portrait.shape[:2]) == PORTRAIT_MAX_PX and min(portrait.shape[:2]) > PORTRAIT_MAX_PX / 3


def test_even_the_worst_face_has_a_portrait() -> None:
    sampler = new_sampler()
    offer(sampler, 0, sharp=0.0)
    assert len(sampler.samples) == 1 and portrait_of(sampler).size


def test_without_faces_there_is_no_portrait() -> None:
    assert new_sampler().samples == [] and new_sampler().portrait is None


def test_decoded_frames_are_not_kept_alive() -> None:
    sampler = new_sampler()
    frame = Frame(0, smooth_noise())
    offer(sampler, 0, frame=frame)
    gone = weakref.ref(frame), weakref.ref(frame.image)
    del frame
    gc.collect()
    assert gone[0]() is None and gone[1]() is None
    assert len(sampler.samples) == 1


def test_the_best_few_are_good_and_from_all_of_the_time() -> None:
    sampler = new_sampler(6)
    for index, score in enumerate((0.95, 0.94, 0.7, 0.7, 0.9, 0.95)):
        offer(sampler, 10 * index, score=score)
    assert [sample.frame for sample in sampler.best(3)] == [0, 10, 50]
    assert [sample.frame for sample in sampler.best(2)] == [0, 50]
    assert len(sampler.samples) == len(sampler.best(9)) == 6
