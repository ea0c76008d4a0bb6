"""The camera on made-up faces."""

import dataclasses
from fractions import Fraction
from typing import Literal

import numpy as np
import pytest
from scipy.ndimage import median_filter

from config import ClipSettings
from core.types import Segment
from processors.camera.framing import EYES_TO_CROWN, FACE_SHARES, Framing
from processors.crop_planner import CropPlanner
from tests.material import factories

RATE = 25
TICKS = 512


def boxes_of(x, y, height, noise=0.0, seed=0):
    """Boxes 0.8 times as wide as high; noise: standard deviation of each side, face heights."""
    height = np.broadcast_to(np.asarray(height, float), np.shape(x))
    boxes = np.stack([x - 0.4 * height, y - 0.5 * height, x + 0.4 * height, y + 0.5 * height], 1)
    return boxes + np.random.default_rng(seed).normal(0, noise, boxes.shape) * height[:, None]


def tracklet(boxes, frames=None, number=1):
    return factories.tracklet(number, range(len(boxes)) if frames is None else frames, boxes)


def plan(tracklets, n, width=1920, height=1080, settings=None, pts=None, active=None):
    rate, time_base = Fraction(RATE), Fraction(1, RATE * TICKS)
    video = factories.video_info(width=width, height=height, time_base=time_base, frame_rate=rate)
    analysis = factories.face_analysis(tracklets, n, video=video, pts=pts)
    shots = tuple(dataclasses.replace(shot, active=active) for shot in analysis.shots)
    analysis = dataclasses.replace(analysis, shots=shots)
    segment = Segment("person_01", 0, 0, n, tuple(t.id for t in tracklets))
    path = CropPlanner(settings or ClipSettings()).plan(segment, analysis)
    sizes = path.windows[:, 2:] - path.windows[:, :2]
    assert np.allclose(sizes[:, 0] / sizes[:, 1], path.width / path.height, rtol=1e-9)
    x1, y1, x2, y2 = active or (0, 0, width, height)
    assert (path.windows >= np.array([x1, y1] * 2) - 1e-9).all()
    assert (path.windows <= np.array([x2, y2] * 2) + 1e-9).all()
    assert path.visible == active
    return path


HEAD = FACE_SHARES["head"]


def crowns_inside(boxes, windows):
    """Share of the frames in which the hair is in the window; the eyes of `tracklet` are at 0.4 of the box."""
    heights = boxes[:, 3] - boxes[:, 1]
    return float((boxes[:, 1] + 0.4 * heights - EYES_TO_CROWN * heights >= windows[:, 1] - 1e-6).mean())


def centers(windows):
    return (windows[:, :2] + windows[:, 2:]) / 2


def acceleration(points):
    return float(np.sqrt((np.diff(points, 2, axis=0) ** 2).sum(1).mean()))


def reversals_per_s(points, least_px=0.02):
    count = 0
    for speed in np.diff(points, axis=0).T:
        signs = np.sign(speed[np.abs(speed) > least_px])
        count += int((np.diff(signs) != 0).sum())
    return count * RATE / len(points)


def inside(boxes, windows):
    return float(((boxes[:, :2] >= windows[:, :2] - 1e-6) & (boxes[:, 2:] <= windows[:, 2:] + 1e-6)).all(1).mean())


@pytest.mark.parametrize("noise", [0.01, 0.02])
def test_still_head(noise):
    boxes = boxes_of(np.full(500, 900.0), np.full(500, 500.0), 220.0, noise)
    path = plan([tracklet(boxes)], 500)
    assert acceleration(centers(path.windows)) <= 0.05
    assert reversals_per_s(centers(path.windows)) == 0
    sizes = path.windows[:, 3] - path.windows[:, 1]
    assert np.ptp(sizes) < 0.5 and sizes[0] == pytest.approx(220 / HEAD, rel=0.02)
    assert (path.width, path.height) == (512, 512)
    eyes = (500 - 0.1 * 220 - path.windows[:, 1]) / sizes
    assert np.abs(eyes - Framing(ClipSettings(), 1920, 1080).eye_line).max() < 0.02


@pytest.mark.parametrize("speed", [60, 150])
def test_walking_person(speed):
    t = np.arange(400) / RATE
    x = 300 + np.clip((t - 4) * speed, 0, 1200)
    boxes = boxes_of(x, 500 + 8 * np.sin(2 * np.pi * 1.8 * t), 150.0, 0.015)
    path = plan([tracklet(boxes)], 400)
    assert inside(boxes, path.windows) >= 0.995
    assert reversals_per_s(centers(path.windows)) <= 0.2
    by_median = median_filter((boxes[:, :2] + boxes[:, 2:]) / 2, (13, 1))
    assert acceleration(centers(path.windows)) * 3 <= acceleration(by_median)


def test_zoom_follows_slowly_when_the_face_comes_closer():
    t = np.arange(500) / RATE
    height = 100 * np.exp(t / 20 * np.log(3))
    boxes = boxes_of(np.full(500, 900.0), np.full(500, 500.0), height, 0.015)
    path = plan([tracklet(boxes)], 500)
    share = height / (path.windows[:, 3] - path.windows[:, 1])
    assert (share > HEAD * 0.8).all() and (share < HEAD * 1.15).all()
    assert crowns_inside(boxes, path.windows) == 1
    sizes = path.windows[:, 3] - path.windows[:, 1]
    assert (np.diff(sizes) > -0.02).all()
    assert inside(boxes, path.windows) == 1


@pytest.mark.parametrize("x,y", [(60, 70), (1870, 1020), (960, 60), (40, 540)])
def test_face_at_the_edge(x, y):
    boxes = boxes_of(np.full(100, float(x)), np.full(100, float(y)), 100.0)
    path = plan([tracklet(boxes)], 100)
    seen = boxes.clip(0, [1920, 1080, 1920, 1080])
    assert inside(seen, path.windows) == 1
    height = path.windows[0, 3] - path.windows[0, 1]
    assert 0.75 * 100 / HEAD <= height <= 100 / HEAD + 1


def test_face_larger_than_the_frame_and_tiny_video():
    path = plan([tracklet(boxes_of(np.full(50, 320.0), np.full(50, 180.0), 500.0))], 50, 640, 360)
    assert np.allclose(path.windows, [140, 0, 500, 360])
    path = plan([tracklet(boxes_of(np.full(50, 8.0), np.full(50, 6.0), 3.0))], 50, 16, 12)
    assert np.allclose(path.windows[:, 3] - path.windows[:, 1], 12)


def test_gap_between_two_tracklets_is_crossed_smoothly():
    first = boxes_of(np.full(100, 700.0), np.full(100, 500.0), 150.0)
    second = boxes_of(np.full(100, 900.0), np.full(100, 500.0), 150.0)
    parts = [tracklet(first), tracklet(second, np.arange(120, 220), number=2)]
    path = plan(parts, 220)
    boxes = np.concatenate([first, np.linspace(first[-1], second[0], 22)[1:-1], second])
    assert inside(boxes, path.windows) == 1
    assert (np.diff(centers(path.windows)[:, 0]) > -0.3).all()


def test_variable_frame_rate_gives_constant_rate_rows():
    steps = np.random.default_rng(0).choice([TICKS // 2, TICKS, 2 * TICKS], 199)
    pts = np.concatenate([[7000], 7000 + np.cumsum(steps)]).astype(np.int64)
    x = 600 + (pts - 7000) / TICKS * 2.0
    path = plan([tracklet(boxes_of(x, np.full(200, 500.0), 150.0))], 200, pts=pts)
    assert len(path.source_frames) == int((pts[-1] - 7000 + TICKS) / TICKS + 0.5)
    assert (np.diff(path.source_frames) >= 0).all()
    # Even motion in time stays even in the clip although the frames are not.
    assert acceleration(centers(path.windows)) < 0.05


def test_aspect_and_share_are_kept():
    boxes = boxes_of(np.full(100, 900.0), np.full(100, 500.0), 200.0, 0.01)
    path = plan([tracklet(boxes)], 100, settings=ClipSettings(size=640, face_share=0.8, aspect="9:16"))
    assert (path.width, path.height) == (360, 640)
    path = plan([tracklet(boxes)], 100, settings=ClipSettings(face_share=0.9))
    assert inside(boxes, path.windows) == 1


@pytest.mark.parametrize(("width", "height", "clips"), [(1920, 1080, (608, 1080)), (640, 361, (202, 360))])
def test_clips_may_be_as_high_as_their_video(width, height, clips):
    boxes = boxes_of(np.full(50, width / 2), np.full(50, height / 2), height / 4)
    path = plan([tracklet(boxes)], 50, width, height, ClipSettings(size="source", aspect="9:16"))
    same = plan([tracklet(boxes)], 50, width, height, ClipSettings(size=clips[1], aspect="9:16"))
    assert (path.width, path.height) == clips
    np.testing.assert_array_equal(path.windows, same.windows)


def test_single_frame_and_empty_segments():
    assert len(plan([tracklet(boxes_of(np.array([900.0]), np.array([500.0]), 100.0))], 1).windows) == 1
    with pytest.raises(ValueError, match="nothing to follow"):
        plan([], 3)


def test_a_face_stays_inside_for_a_long_segment():
    n = 3000
    x = 960 + 500 * np.sin(np.arange(n) / 200) + np.cumsum(np.random.default_rng(0).normal(0, 1, n))
    boxes = boxes_of(x, np.full(n, 500.0), 150.0, 0.015)
    path = plan([tracklet(boxes)], n)
    assert inside(boxes, path.windows) >= 0.995


def test_a_face_that_lunges_at_the_camera_keeps_its_hair():
    t = np.arange(250) / RATE
    height = 120 * np.exp(np.clip((t - 4) / 1.5, 0, 1) * np.log(2))
    boxes = boxes_of(np.full(250, 900.0), np.full(250, 600.0), height, 0.01)
    least_shares: dict[Literal["steady", "follow", "locked"], float] = {"steady": 1, "follow": 0.97, "locked": 1}
    for camera, least in least_shares.items():
        path = plan([tracklet(boxes)], 250, settings=ClipSettings(camera=camera))
        assert crowns_inside(boxes, path.windows) >= least, camera
        assert inside(boxes, path.windows) == 1, camera


@pytest.mark.parametrize("framing", FACE_SHARES)
@pytest.mark.parametrize("aspect", ["1:1", "9:16", "4:5", "16:9", "1:4", "4:1"])
def test_every_framing_in_every_shape_shows_the_whole_face(framing, aspect):
    boxes = boxes_of(np.full(150, 960.0), np.full(150, 540.0), 180.0, 0.01)
    settings = ClipSettings(framing=framing, aspect=aspect)
    path = plan([tracklet(boxes)], 150, settings=settings)
    assert inside(boxes, path.windows) == 1
    assert crowns_inside(boxes, path.windows) == 1
    ideal = Framing(settings, 1920, 1080).eye_line
    if framing != "face":
        assert ideal == pytest.approx(1 / 3, abs=0.005)  # the upper third
    eyes = (540 - 0.1 * 180 - path.windows[:, 1]) / (path.windows[:, 3] - path.windows[:, 1])
    assert np.abs(eyes - ideal).max() < 0.03


def test_small_faces_get_a_larger_window_instead_of_a_blurred_one():
    boxes = boxes_of(np.full(50, 900.0), np.full(50, 500.0), 30.0)
    limited = plan([tracklet(boxes)], 50, settings=ClipSettings(size=512, max_upscale=2)).windows[0]
    assert limited[3] - limited[1] == pytest.approx(256)
    free = plan([tracklet(boxes)], 50, settings=ClipSettings(size=512, max_upscale=16)).windows[0]
    assert free[3] - free[1] == pytest.approx(30 / HEAD, rel=0.01)
    # Where the video itself is too small there is no choice.
    tiny = plan([tracklet(boxes_of(np.full(50, 80.0), np.full(50, 60.0), 30.0))], 50, 160, 120)
    assert tiny.windows[0, 3] - tiny.windows[0, 1] == pytest.approx(120)


def test_locked_is_one_window_that_holds_all_of_a_walk():
    t = np.arange(250) / RATE
    boxes = boxes_of(500 + 60 * t, np.full(250, 500.0), 150.0, 0.01)
    path = plan([tracklet(boxes)], 250, settings=ClipSettings(camera="locked"))
    assert np.ptp(path.windows, axis=0).max() == 0
    assert inside(boxes, path.windows) == 1 and crowns_inside(boxes, path.windows) == 1


def test_locked_window_of_nearly_the_clips_size_is_a_plain_copy():
    boxes = boxes_of(np.full(50, 901.3), np.full(50, 503.7), 300 * HEAD * 1.01)
    window = plan([tracklet(boxes)], 50, settings=ClipSettings(size=300, camera="locked")).windows[0]
    assert (window % 2 == 0).all() and window[2] - window[0] == window[3] - window[1] == 300


def test_follow_stays_closer_than_steady_and_moves_without_delay():
    t = np.arange(300) / RATE
    x = 900 + 120 * np.sin(2 * np.pi * t / 6)
    boxes = boxes_of(x, np.full(300, 500.0), 150.0, 0.01)
    paths = {
        camera: centers(plan([tracklet(boxes)], 300, settings=ClipSettings(camera=camera)).windows)[:, 0]
        for camera in ("steady", "follow")
    }
    errors = {camera: np.abs(path - x).mean() for camera, path in paths.items()}
    assert errors["follow"] < errors["steady"]
    shifted = [np.abs(np.roll(paths["follow"], -lag) - x)[20:-20].mean() for lag in range(-6, 7)]
    assert abs(int(np.argmin(shifted)) - 6) <= 1
    assert acceleration(np.stack([paths["follow"]] * 2, 1)) < 0.5


def test_a_guessed_place_counts_less_than_a_seen_one():
    """A face hidden for two seconds, whose interpolation is far off: the camera stays."""
    x = np.full(200, 900.0)
    x[80:120] = 1000
    boxes = boxes_of(x, np.full(200, 500.0), 150.0)
    seen = tracklet(boxes)
    hidden = dataclasses.replace(seen, scores=np.where(x > 950, 0, 1).astype(np.float32))
    moved = {name: np.ptp(centers(plan([t], 200).windows)[:, 0]) for name, t in (("seen", seen), ("hidden", hidden))}
    assert moved["seen"] > 80 and moved["hidden"] < 20


LETTERBOX = (0, 138, 1920, 942)


@pytest.mark.parametrize("camera", ["steady", "follow", "locked"])
@pytest.mark.parametrize("y", [205, 540, 875])
def test_windows_stay_inside_the_active_picture(camera, y):
    boxes = boxes_of(np.full(100, 900.0), np.full(100, float(y)), 120.0)
    settings = ClipSettings(camera=camera)
    windows = plan([tracklet(boxes)], 100, settings=settings, active=LETTERBOX).windows
    assert inside(boxes, windows) == 1
    if y == 540:
        # Away from the bars they change nothing.
        assert np.allclose(windows, plan([tracklet(boxes)], 100, settings=settings).windows)


@pytest.mark.parametrize("camera", ["steady", "follow", "locked"])
def test_where_the_active_picture_is_small_the_window_is_the_largest_that_fits(camera):
    boxes = boxes_of(np.full(60, 960.0), np.full(60, 540.0), 500.0)
    path = plan([tracklet(boxes)], 60, settings=ClipSettings(camera=camera), active=(660, 0, 1260, 1080))
    assert np.allclose(path.windows[:, 2] - path.windows[:, 0], 600, atol=2)


@pytest.mark.parametrize("camera", ["steady", "follow", "locked"])
def test_planning_in_an_active_picture_is_planning_in_a_video_of_its_size(camera):
    t = np.arange(200) / RATE
    boxes = boxes_of(700 + 50 * t, np.full(200, 500.0), 150.0, 0.01)
    corner = np.array([300, 138] * 2)
    settings = ClipSettings(camera=camera)
    alone = plan([tracklet(boxes - corner)], 200, 1200, 804, settings=settings).windows
    within = plan([tracklet(boxes)], 200, settings=settings, active=(300, 138, 1500, 942)).windows
    assert np.allclose(within, alone + corner, atol=0.1)


def test_of_a_face_that_is_half_out_of_the_picture_the_visible_part_is_followed():
    """A detector's box goes on beyond the edge; the head that can be seen is a quarter of it further inside."""
    outside = boxes_of(np.full(80, 0.0), np.full(80, 540.0), 300.0)
    seen = outside.clip(0)
    settings = ClipSettings(camera="follow", max_upscale=16)
    half = plan([tracklet(outside)], 80, settings=settings).windows[0]
    whole = plan([tracklet(seen, number=2)], 80, settings=settings).windows[0]
    assert half == pytest.approx(whole, abs=0.5)


def test_a_face_cut_off_below_is_not_taken_for_a_smaller_one():
    outside = boxes_of(np.full(80, 900.0), np.full(80, 1080.0), 300.0)
    window = plan([tracklet(outside)], 80).windows[0]
    assert window[3] - window[1] == pytest.approx(0.8 * 300 / HEAD, rel=0.05)


def test_nobody_is_followed_out_of_the_picture():
    """A track goes on over a face that has left; the camera does not follow to where nobody is."""
    x = np.concatenate([np.full(100, 1500.0), np.linspace(1500, 2100, 40), np.full(40, 2100.0)])
    boxes = boxes_of(x, np.full(180, 500.0), 150.0)
    path = centers(plan([tracklet(boxes)], 180, settings=ClipSettings(aspect="9:16", size=640)).windows)[:, 0]
    # The centre of the box leaves the picture at 1920.
    gone = int(np.argmax(x > 1920))
    assert np.ptp(path[gone:]) < 30


def test_in_a_split_screen_the_window_stays_in_the_panel_of_the_face():
    left = tracklet(boxes_of(np.full(50, 880.0), np.full(50, 500.0), 200.0), number=1)
    right = tracklet(boxes_of(np.full(50, 1200.0), np.full(50, 500.0), 200.0), number=2)
    video = factories.video_info(width=1920, height=1080, time_base=Fraction(1, RATE * TICKS))
    analysis = factories.face_analysis([left, right], 50, video=video)
    shots = (dataclasses.replace(analysis.shots[0], seams_x=((955, 965),)),)
    analysis = dataclasses.replace(analysis, shots=shots)
    paths = [CropPlanner(ClipSettings()).plan(Segment("a", 0, 0, 50, (i,)), analysis) for i in (1, 2)]
    assert [path.visible for path in paths] == [(0, 0, 954, 1080), (966, 0, 1920, 1080)]
    assert paths[0].windows[:, 2].max() <= 954 and paths[1].windows[:, 0].min() >= 966
