"""Cuts on their exact frame and in time; no cut where only light, motion or a flash changes the image."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from core.types import Shot
from processors.shots.shot_detector import MAX_CUT_DELAY, MAX_GRADUAL_DELAY_S, ShotDetector

CLIPS = Path(__file__).resolve().parents[4] / "shared" / "clips"
CASES = CLIPS.parent / "cases" / "faces"
RATE = 25.0


def scene(seed: int, count: int, dx: float = 0.0, noise: float = 1.5) -> list[np.ndarray]:
    """(180, 320, 3) uint8 frames: soft blobs of colour that drift by dx px a frame, with grain."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(20, 236, (12, 40, 3)).astype(np.uint8)
    wide = cv2.GaussianBlur(cv2.resize(coarse, (1200, 180), interpolation=cv2.INTER_CUBIC), (0, 0), 2)
    frames = []
    for i in range(count):
        left = round(200 + dx * i)
        grain = rng.normal(0, noise, (180, 320, 3))
        frames.append(np.clip(wide[:, left : left + 320] + grain, 0, 255).astype(np.uint8))
    return frames


def run(frames: list[np.ndarray], rate: float = RATE) -> tuple[list[tuple[int, str]], list[int]]:
    """Boundaries as `shots` gives them, and by how many frames each was reported late."""
    detector = ShotDetector(rate)
    delays = []
    for index, frame in enumerate(frames):
        delays += [index - b.frame for b in detector.update(frame)]
    detector.finish()
    return [(s.start, s.transition) for s in detector.shots(len(frames))[1:]], delays


def blend(a: list[np.ndarray], b: list[np.ndarray], length: int) -> list[np.ndarray]:
    mixed = [
        cv2.addWeighted(x, 1 - (i + 1) / (length + 1), y, (i + 1) / (length + 1), 0)
        for i, (x, y) in enumerate(zip(a[-length:], b[:length], strict=True))
    ]
    return a[:-length] + mixed + b[length:]


def framed(frame: np.ndarray, high: float, wide: float, black: int) -> np.ndarray:
    """The image, smaller, between bars: their share of height and width, on each side."""
    height, width = frame.shape[:2]
    y, x = round(high * height), round(wide * width)
    result = np.full_like(frame, black)
    result[y : height - y, x : width - x] = cv2.resize(frame, (width - 2 * x, height - 2 * y))
    return result


def scaled(frames: list[np.ndarray], gain: float) -> list[np.ndarray]:
    return [cv2.convertScaleAbs(f, alpha=gain) for f in frames]


@pytest.mark.parametrize("dx", [0.0, 1.0, 6.0])
def test_hard_cuts_are_exact_and_in_time(dx: float) -> None:
    found, delays = run(scene(1, 20, dx) + scene(2, 9, -dx) + scene(3, 20, dx))
    assert found == [(20, "cut"), (29, "cut")]
    assert max(delays) <= MAX_CUT_DELAY


def test_cut_in_the_dark() -> None:
    found, _ = run(scaled(scene(1, 20) + scene(2, 20), 0.12))
    assert found == [(20, "cut")]


def test_cut_to_black_and_back() -> None:
    found, _ = run([*scene(1, 20), *[np.zeros((180, 320, 3), np.uint8)] * 10, *scene(1, 20)])
    assert found == [(20, "cut"), (30, "cut")]


def test_cut_in_the_last_frames_is_found_by_finish() -> None:
    detector = ShotDetector(RATE)
    for frame in scene(1, 20) + scene(2, 2):
        assert detector.update(frame) == []
    assert [(b.frame, b.transition) for b in detector.finish()] == [(20, "cut")]


def test_cut_behind_a_blended_frame_is_reported_once() -> None:
    a, b = scene(1, 20), scene(2, 20)
    found, _ = run([*a, cv2.addWeighted(a[-1], 0.5, b[0], 0.5, 0), *b])
    assert found in ([(20, "cut")], [(21, "cut")])


@pytest.mark.parametrize("pillars", [False, True])
def test_cut_between_similar_images(pillars: bool) -> None:
    """Same set, another person stands in the middle and the rest is a little brighter."""
    first, second = scene(1, 20), scene(1, 20)
    for frame, other in zip(second, scene(2, 20), strict=True):
        frame[40:170, 110:210] = other[40:170, 110:210]
    frames = first + [cv2.convertScaleAbs(f, beta=5) for f in second]
    if pillars:
        frames = [cv2.copyMakeBorder(f, 0, 0, 20, 20, cv2.BORDER_CONSTANT) for f in frames]
    assert run(frames)[0] == [(20, "cut")]


def jumped(weight: float) -> list[np.ndarray]:
    """A person, as opaque as `weight`, moves before a fixed set; at frame 20 some of the recording is left out."""
    frames = scene(1, 40)
    person = scene(2, 20, 1.0) + scene(3, 20, 1.0)
    for frame, other in zip(frames, person, strict=True):
        frame[:, :224] = cv2.addWeighted(frame[:, :224], 1 - weight, other[:, :224], weight, 0)
    return frames


def test_jump_cut_in_front_of_a_fixed_set() -> None:
    assert run(jumped(0.3))[0] == [(20, "cut")]


def test_cut_to_a_brighter_image_of_the_same_build() -> None:
    """More changes than the contrast explains, and a third of the structure: no switched light."""
    first, second = scaled(scene(1, 20, 1.0), 0.35), scene(1, 20, 1.0)
    for frame, other in zip(second, scene(2, 20), strict=True):
        frame[:, 110:230] = other[:, 110:230]
    assert run(first + second)[0] == [(20, "cut")]


def test_sensitivity_decides_about_a_doubtful_cut() -> None:
    frames = jumped(0.3)
    found = []
    for sensitivity in (0.0, 0.5, 1.0):
        detector = ShotDetector(RATE, sensitivity)
        for frame in frames:
            detector.update(frame)
        detector.finish()
        found.append(len(detector.shots(len(frames))) - 1)
    assert found == [0, 1, 1]


def test_the_last_frame_is_not_a_weak_cut() -> None:
    assert run(jumped(0.3)[:21])[0] == []
    assert run(jumped(0.3)[:22])[0] == [(20, "cut")]


def test_quick_zoom_is_not_a_dissolve() -> None:
    """Away from a head before a plain wall, with a stop before and after."""
    rng = np.random.default_rng(4)
    wall = np.full((360, 640, 3), 120, np.uint8)
    head = cv2.resize(rng.integers(20, 236, (8, 6, 3)).astype(np.uint8), (180, 260), interpolation=cv2.INTER_CUBIC)
    wall[50:310, 230:410] = head
    sizes = [0.5] * 15 + list(np.linspace(0.5, 0.8, 14)) + [0.8] * 15
    frames = []
    for size in sizes:
        w, h = round(640 * size), round(360 * size)
        x, y = 320 - w // 2, 180 - h // 2
        frames.append(np.asarray(cv2.resize(wall[y : y + h, x : x + w], (320, 180)), np.uint8))
    assert run(frames)[0] == []


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("lift", [60, 255])
def test_flash_is_not_a_cut(length: int, lift: int) -> None:
    frames = scene(1, 40)
    for i in range(15, 15 + length):
        frames[i] = cv2.add(frames[i], np.full_like(frames[i], lift))
    assert run(frames)[0] == []


@pytest.mark.parametrize("gain", [0.2, 0.5])
@pytest.mark.parametrize("up", [False, True])
def test_light_switched_is_not_a_cut(gain: float, up: bool) -> None:
    frames = scene(1, 40)
    frames = scaled(frames[:20], gain) + frames[20:] if up else frames[:20] + scaled(frames[20:], gain)
    assert run(frames)[0] == []


def test_light_that_clips_the_image_for_long_is_not_a_cut() -> None:
    frames = [frame[..., :1].repeat(3, 2) for frame in scene(1, 40)]
    for i in range(15, 23):
        frames[i] = cv2.convertScaleAbs(frames[i], alpha=4.0)
    assert run(frames)[0] == []


def test_slow_light_is_not_a_boundary() -> None:
    frames = scene(1, 60)
    frames = [cv2.convertScaleAbs(f, alpha=1 - 0.7 * i / 59) for i, f in enumerate(frames)]
    assert run(frames)[0] == []


def test_fast_pan_is_not_a_cut() -> None:
    """A third of the image per frame, far beyond the search for motion."""
    still, pan = scene(1, 20), scene(1, 7, 100)
    assert len(pan[-1][0]) == 320
    after = [pan[-1]] * 20
    assert run(still + [cv2.blur(f, (60, 1)) for f in pan[1:-1]] + after)[0] == []


def test_repeated_frames_are_no_cuts() -> None:
    frames = scene(1, 20, 6.0)
    assert run([f for f in frames for _ in range(3)])[0] == []


def test_a_stalled_stream_that_goes_on_is_no_cut_and_a_cut_out_of_a_freeze_is_one() -> None:
    frames = scene(3, 45, 4.0)
    stalled = frames[:20] + [frames[19]] * 8
    assert run(stalled + frames[28:])[0] == []
    assert run(stalled + scene(4, 20, 4.0))[0] == [(28, "cut")]


def bobbing(reach: int) -> list[np.ndarray]:
    """(72, 128, 3) uint8 frames: what fills most of the image goes up and down by `reach` px in 30 frames."""
    rng = np.random.default_rng(9)

    def texture(seed: int, height: int, width: int, coarseness: float) -> np.ndarray:
        grain = np.random.default_rng(seed).normal(0, 1, (height, width)).astype(np.float32)
        smooth = cv2.GaussianBlur(grain, (0, 0), coarseness)
        return np.asarray(smooth / smooth.std())

    wall, person = 110 + 30 * texture(0, 72, 128, 4), 120 + 50 * texture(1, 80 + 2 * reach, 90, 3)
    frames = []
    for i in range(80):
        up = reach * (1 + np.sin(2 * np.pi * i / 30))
        frame = wall.copy()
        frame[:, 19:109] = cv2.warpAffine(person, np.array([[1, 0, 0], [0, 1, -up]]), (90, 72))
        frame += rng.normal(0, 1.5, wall.shape).astype(np.float32)
        frames.append(np.repeat(np.clip(frame, 0, 255).astype(np.uint8)[..., None], 3, axis=2))
    return frames


@pytest.mark.parametrize(("reach", "every"), [(30, 6), (20, 5)])
def test_frames_that_a_lower_rate_leaves_out_make_no_cuts(reach: int, every: int) -> None:
    """As from 30 to 25 frames/s: what moves goes twice as far where a frame is missing."""
    frames = bobbing(reach)
    assert run(frames)[0] == []
    assert run([frame for i, frame in enumerate(frames) if i % every])[0] == []


@pytest.mark.parametrize("length", [8, 16, 30])
def test_dissolve_is_placed_in_its_middle(length: int) -> None:
    found, delays = run(blend(scene(1, 60, 0.3), scene(2, 60), length))
    assert [transition for _, transition in found] == ["dissolve"]
    assert abs(found[0][0] - (60 - length / 2)) <= 2
    assert max(delays) <= MAX_GRADUAL_DELAY_S * RATE


def shots_of(frames: list[np.ndarray]) -> tuple[Shot, ...]:
    detector = ShotDetector(RATE)
    for frame in frames:
        detector.update(frame)
    detector.finish()
    return detector.shots(len(frames))


@pytest.mark.parametrize("length", [8, 16, 30])
def test_the_frames_of_a_dissolve_show_two_shots(length: int) -> None:
    first, second = shots_of(blend(scene(1, 60, 0.3), scene(2, 60), length))
    assert abs(first.unmixed[1] - (60 - length)) <= 2 and first.unmixed[0] == first.start
    assert abs(second.unmixed[0] - 60) <= 2 and second.unmixed[1] == second.end


def test_all_mixed_frames_of_a_fade_from_black_belong_to_the_shot_that_it_shows() -> None:
    black = [np.zeros((180, 320, 3), np.uint8)] * 40
    first, second = shots_of(blend(black, scene(2, 50), 14))
    assert first.unmixed == (0, first.end) and abs(second.unmixed[0] - 40) <= 1 and second.unmixed[1] == second.end


@pytest.mark.parametrize("kind", ["down", "push"])
@pytest.mark.parametrize("length", [10, 20, 38])
def test_the_frames_of_a_wipe_show_two_shots(kind: str, length: int) -> None:
    first, second = shots_of(wipe(scene(5, 60, 0.1), scene(6, 60), length, kind))
    assert first.unmixed[0] == first.start and second.unmixed[1] == second.end
    assert -8 <= first.unmixed[1] - (60 - length) <= 0.2 * length, "up to 0.3 s more, where the image still moves"
    assert -0.2 * length <= second.unmixed[0] - 60 <= 8


def wipe(a: list[np.ndarray], b: list[np.ndarray], length: int, kind: str) -> list[np.ndarray]:
    """a, then b, which comes in over the last frames of a: behind an edge, out of an iris, or pushing a out."""
    ys, xs = np.mgrid[:180, :320]
    mixed = []
    for i, (x, y) in enumerate(zip(a[-length:], b[:length], strict=True)):
        share = (i + 1) / (length + 1)
        if kind == "push":
            moved = round(share * 320)
            mixed.append(np.concatenate([x[:, moved:], y[:, :moved]], axis=1))
            continue
        way = ys / 180 if kind == "down" else np.hypot(xs / 320 - 0.5, ys / 180 - 0.5) / 0.71
        mixed.append(np.where((way < share)[..., None], y, x))
    return a[:-length] + mixed + b[length:]


@pytest.mark.parametrize("kind", ["down", "iris", "push"])
@pytest.mark.parametrize("length", [10, 20, 38])
def test_wipe_is_placed_in_its_middle(kind: str, length: int) -> None:
    found, delays = run(wipe(scene(5, 60, 0.1), scene(6, 60), length, kind))
    assert [transition for _, transition in found] == ["wipe"]
    assert abs(found[0][0] - (60 - length / 2)) <= 0.2 * length
    assert max(delays) <= MAX_GRADUAL_DELAY_S * RATE


def test_short_soft_wipe_of_a_slow_video_is_one_boundary() -> None:
    """Four frames: its largest step looks like a cut."""
    first, second = scene(6, 30), scene(26, 30)
    ys, xs = np.mgrid[:180, :320]
    mixed = []
    for i, (a, b) in enumerate(zip(first[-4:], second[:4], strict=True)):
        share = np.clip(i / 4 * 2 - (xs / 320 + ys / 180) / 2, 0, 1)[..., None]
        share = share * share * (3 - 2 * share)
        mixed.append((a * (1 - share) + b * share).astype(np.uint8))
    assert run(first[:-4] + mixed + second[4:], 12.5)[0] == [(28, "dissolve")]


@pytest.mark.parametrize("seed", [6, 8])
def test_who_hides_the_image_in_passing_is_not_a_wipe(seed: int) -> None:
    """Somewhat wider than the image, so that for a frame or two nothing else is seen."""
    room, length, width = scene(seed, 60), 14, 360
    coat = cv2.GaussianBlur(cv2.resize(scene(9, 1)[0], (width, 180)), (0, 0), 6) // 2
    for i in range(length):
        left = round(-width + (320 + width) * (i + 0.5) / length)
        a, b = max(left, 0), min(left + width, 320)
        room[20 + i][:, a:b] = coat[:, a - left : b - left]
    assert run(room)[0] == []


def test_quick_pan_to_something_else_is_not_a_wipe() -> None:
    """By the width of the image and a little more, easing in and out, with motion blur."""
    rng = np.random.default_rng(7)
    wide = cv2.resize(rng.integers(20, 236, (9, 32, 3)).astype(np.uint8), (800, 180), interpolation=cv2.INTER_CUBIC)
    lefts = np.round(370 * (1 - np.cos(np.linspace(0, np.pi, 8))) / 2).astype(int)
    moving = [cv2.blur(wide[:, left : left + 320], (46, 1)) for left in lefts]
    assert run([wide[:, :320]] * 20 + moving + [wide[:, 370:690]] * 20)[0] == []


@pytest.mark.parametrize("level", [0, 255])
def test_fades_are_dissolves_and_belong_to_the_shot_that_they_show(level: int) -> None:
    flat = [np.full((180, 320, 3), level, np.uint8)] * 40
    found, _ = run(blend(blend(scene(1, 50), flat, 12), scene(2, 50), 14))
    assert [transition for _, transition in found] == ["dissolve", "dissolve"]
    assert abs(found[0][0] - 50) <= 1
    assert abs(found[1][0] - 64) <= 1


def test_a_title_is_an_image_like_others() -> None:
    """Text and face are mixed, so the shot begins in the middle."""
    title = np.zeros((180, 320, 3), np.uint8)
    cv2.putText(title, "CHAPTER ONE", (30, 100), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 255), 3)
    found, _ = run(blend([title] * 40, scene(2, 50), 14))
    assert len(found) == 1 and abs(found[0][0] - 33) <= 2


def dip(a: list[np.ndarray], b: list[np.ndarray], out: int, into: int, level: int) -> list[np.ndarray]:
    """`a` fades to a flat image in `out` frames, `b` comes out of it in `into`, of which the first is flat."""
    flat = np.full_like(a[0], level)
    left = [cv2.addWeighted(f, 1 - (i + 1) / (out + 1), flat, (i + 1) / (out + 1), 0) for i, f in enumerate(a[-out:])]
    right = [cv2.addWeighted(f, i / into, flat, 1 - i / into, 0) for i, f in enumerate(b[:into])]
    return a[:-out] + left + right + b[into:]


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize(("out", "into"), [(2, 2), (3, 5), (5, 8)])
def test_quick_dip_is_one_boundary_where_the_image_is_flat(level: int, out: int, into: int) -> None:
    found, delays = run(dip(scene(1, 40, 0.3), scene(2, 40), out, into, level))
    assert found == [(40, "dissolve")]
    assert delays[0] <= MAX_GRADUAL_DELAY_S * RATE


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize(("out", "into"), [(3, 5), (5, 8), (12, 12), (9, 18)])
def test_all_faded_frames_of_a_dip_or_of_two_fades_are_mixed(level: int, out: int, into: int) -> None:
    first, *_, second = shots_of(dip(scene(1, 60, 0.3), scene(2, 60), out, into, level))
    assert abs(first.unmixed[1] - (60 - out)) <= 1 and first.unmixed[0] == 0
    assert abs(second.unmixed[0] - (60 + into)) <= 1 and second.unmixed[1] == second.end


@pytest.mark.parametrize("level", [0, 255, 128])
def test_light_that_blinks_in_one_shot_is_no_dip(level: int) -> None:
    frames = scene(1, 80, 0.3)
    assert run(dip(frames[:40], frames[40:], 4, 6, level))[0] == []


def test_quick_pan_over_a_blank_wall_is_no_dip() -> None:
    """The contrast falls and rises as in a dip, but the images leave and come sideways."""
    room, corner = scene(1, 20)[0], scene(2, 20)[0]
    long = np.concatenate([room, np.full((180, 640, 3), 128, np.uint8), corner], axis=1)
    pan = [cv2.blur(long[:, left : left + 320], (40, 1)) for left in (80, 240, 400, 560, 720, 880)]
    assert run([room] * 20 + pan + [corner] * 20)[0] == []


@pytest.mark.parametrize("bars", [(0.2, 0.0), (0.0, 0.3), (0.1, 0.1)], ids=["letterbox", "pillarbox", "window"])
@pytest.mark.parametrize("black", [0, 16])
def test_black_bars_hide_no_cut_and_make_none(bars: tuple[float, float], black: int) -> None:
    shots = [scaled(scene(11, 30), 0.4), scaled(scene(12, 30), 0.4), scaled(scene(13, 30), 0.4)]
    frames = [framed(np.maximum(frame, black), *bars, black) for shot in shots for frame in shot]
    assert run(frames)[0] == [(30, "cut"), (60, "cut")]


@pytest.mark.slow
def test_bars_that_come_and_go_are_cuts_where_the_image_changes() -> None:
    first, second, inserted, third = (scaled(scene(seed, 60), 0.4) for seed in (21, 22, 24, 23))
    frames = [*first, *(framed(np.maximum(frame, 16), 0.2, 0.0, 16) for frame in second + inserted), *third]
    assert run(frames)[0] == [(60, "cut"), (120, "cut"), (180, "cut")]


def test_slow_videos_may_move_further_from_frame_to_frame() -> None:
    rng = np.random.default_rng(5)
    wide = cv2.resize(rng.integers(20, 236, (20, 80, 3)).astype(np.uint8), (480, 180), interpolation=cv2.INTER_CUBIC)
    jerked = [wide[:, left : left + 320] for left in [0] * 20 + [27] * 20]
    assert run(jerked, 12.5)[0] == []
    assert run(jerked, 25.0)[0] == [(20, "cut")]


def test_shots_cover_everything() -> None:
    frames = scene(1, 20) + scene(2, 20)
    detector = ShotDetector(RATE)
    for frame in frames:
        detector.update(frame)
    detector.finish()
    assert [(s.index, s.start, s.end, s.transition) for s in detector.shots(40)] == [
        (0, 0, 20, "start"),
        (1, 20, 40, "cut"),
    ]
    assert [(s.start, s.end) for s in detector.shots(15)] == [(0, 15)]
    assert detector.shots(0) == ()


@pytest.mark.parametrize("rate", [1.0, 12.5, 60.0, 1000.0])
def test_any_frame_rate(rate: float) -> None:
    assert run(scene(1, 20) + scene(2, 20), rate)[0] == [(20, "cut")]


def test_no_frames() -> None:
    detector = ShotDetector(RATE)
    assert detector.finish() == []
    assert detector.shots(0) == ()


def test_same_input_same_output() -> None:
    frames = blend(scene(1, 50, 1.0), scene(2, 50), 10) + scene(3, 20)
    assert run(frames) == run(frames)


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="frame rate 0"):
        ShotDetector(0)
    with pytest.raises(ValueError, match=r"\(10, 10\)"):
        ShotDetector(RATE).update(np.zeros((10, 10), np.uint8))


@pytest.mark.clips
@pytest.mark.parametrize(
    ("name", "cuts"),
    [
        ("hamilton_short.mp4", [20, 82, 211]),
        ("pyfeat_noface_face.mov", [96, 168]),
        ("facenet_video.mp4", []),
        ("avobjects_demo.mp4", []),
        ("people/intel_asl_again.mkv", []),
    ],
)
def test_development_clips(name: str, cuts: list[int]) -> None:
    assert clip_cuts(name) == cuts


@pytest.mark.clips
@pytest.mark.parametrize(
    ("name", "cuts"),
    [
        ("grid_cuts.mp4", [*range(50, 500, 50)]),
        ("joined_signers.mp4", [66, 109, 201, 242, 291, 352, 427, 466]),
        ("jump_avi.mp4", [150, 270]),
        ("jump_vv.mp4", [100, 201]),
        ("zoominout.mp4", []),
        ("whippan2.mp4", []),
    ],
)
def test_cuts_between_similar_images_and_none_in_a_zoom(name: str, cuts: list[int]) -> None:
    assert clip_cuts(name, folder=CASES) == cuts


@pytest.mark.clips
def test_steps_of_a_slow_animation_are_no_cuts() -> None:
    assert clip_cuts("mask_output.gif", folder=CLIPS.parent / "who") == []


@pytest.mark.clips
def test_a_letterbox_hides_no_cut_of_a_dark_clip() -> None:
    assert clip_cuts("hamilton_short.mp4", lambda frame: framed(frame, 0.2, 0.0, 0)) == [20, 82, 211]


@pytest.mark.slow
@pytest.mark.clips
def test_a_car_at_half_the_rate_makes_no_cut() -> None:
    assert clip_cuts("intel_car.mp4", every=2) == []


def clip_cuts(
    name: str, change: Callable[[np.ndarray], np.ndarray] = lambda frame: frame, every: int = 1, folder: Path = CLIPS
) -> list[int]:
    path = folder / name
    if not path.exists():
        pytest.skip(f"{path} is missing")
    with av.open(f"file:{path}") as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        detector = ShotDetector(float(stream.average_rate or 25) / every)
        count = 0
        for frame in itertools.islice(container.decode(stream), 0, None, every):
            small = frame.to_ndarray(format="rgb24", width=480, height=270, interpolation="AREA")
            detector.update(change(small))
            count += 1
        detector.finish()
    return [s.start for s in detector.shots(count)[1:]]


def test_a_cut_that_is_known_is_reported_whatever_the_image_shows() -> None:
    detector = ShotDetector(RATE)
    reported = {}
    for index, image in enumerate(scene(1, 40)):
        for boundary in detector.update(image, is_cut=index == 17):
            reported[boundary.frame] = index
    assert reported == {17: 17 + MAX_CUT_DELAY} and detector.finish() == []
    assert [shot.start for shot in detector.shots(40)] == [0, 17]


@pytest.mark.parametrize("known", [19, 20, 21])
def test_a_known_cut_beside_a_visible_one_makes_one_shot(known: int) -> None:
    detector = ShotDetector(RATE)
    for index, image in enumerate(scene(1, 20) + scene(2, 20)):
        detector.update(image, is_cut=index == known)
    detector.finish()
    assert [shot.start for shot in detector.shots(40)] == [0, known]
