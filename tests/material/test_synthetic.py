"""The generator's own promises: what the truth says is what the file shows."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.material.synthetic.audio import SAMPLE_RATE_HZ
from tests.material.synthetic.compositor import compose_frame
from tests.material.synthetic.portraits import COLLINS, HOPPER
from tests.material.synthetic.render import render_video
from tests.material.synthetic.scenes import Actor, Film, Flash, Key, Motion, Occluder, Scene
from tests.material.synthetic.truth import DO_NOT_CARE, film_truth

STILL = Motion(keys=(Key(0, 0.5, 0.5, 0.4),))
SMALL: dict[str, Any] = {"width": 320, "height": 180}


def decode(path: Path) -> tuple[list[NDArray[np.uint8]], NDArray[np.float64], int]:
    """Frames as stored, their times in seconds, and the display rotation (counter-clockwise)."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [f.to_ndarray(format="rgb24") for f in frames], np.array([f.time for f in frames]), int(frames[0].rotation)


def test_a_still_face_has_its_box_where_the_keys_put_it() -> None:
    truth = film_truth(Film(scenes=(Scene(length=3, actors=(Actor(COLLINS, STILL),)),), width=640, height=360))
    frames, boxes = truth.track("collins")
    width = 144 * COLLINS.face_width / COLLINS.face_height
    assert frames.tolist() == [0, 1, 2]
    assert boxes[1] == pytest.approx([320 - width / 2, 108, 320 + width / 2, 252])


def test_the_drawn_face_lies_in_the_true_box() -> None:
    """Skin is where the box is: the frame differs from the empty scene there, and moves with the box."""
    motion = Motion(keys=(Key(0, 0.3, 0.5, 0.3), Key(10, 0.7, 0.4, 0.5, 12)), ease=False)
    with_actor = Film(scenes=(Scene(length=11, actors=(Actor(HOPPER, motion),)),), width=640, height=360)
    without = Film(scenes=(Scene(length=11),), width=640, height=360)
    for frame in (0, 5, 10):
        x1, y1, x2, y2 = np.round(film_truth(with_actor).track("hopper")[1][frame]).astype(int)
        change = np.abs(compose_frame(with_actor, frame).astype(int) - compose_frame(without, frame)).max(2) > 8
        assert (
            change[y1 + (y2 - y1) // 5 : y2 - (y2 - y1) // 5, x1 + (x2 - x1) // 5 : x2 - (x2 - x1) // 5].mean() > 0.95
        )
        assert not change[:, : max(x1 - 2 * (x2 - x1), 0)].any()


def test_hidden_and_leaving_faces_are_not_demanded() -> None:
    board = Occluder(Motion(keys=(Key(0, -0.3, 0.5, 1.0), Key(40, 1.3, 0.5, 1.0)), ease=False), aspect=0.3)
    leaving = Motion(keys=(Key(0, 0.5, 0.5, 0.4), Key(20, 1.3, 0.5, 0.4)), ease=False)
    hidden = film_truth(Film(scenes=(Scene(length=41, actors=(Actor(HOPPER, STILL),), occluders=(board,)),)))
    left = film_truth(Film(scenes=(Scene(length=21, actors=(Actor(HOPPER, leaving),)),)))
    frames = hidden.track("hopper")[0]
    assert 20 not in frames and {0, 40} <= set(frames.tolist())
    assert [f.visible for f in hidden.faces if f.person == DO_NOT_CARE]
    assert {f.frame for f in left.faces} == set(range(max(f.frame for f in left.faces) + 1))
    assert max(f.frame for f in left.faces) < 20
    assert all(f.box[2] <= 640 for f in left.faces)


def test_who_stands_in_front_hides_who_stands_behind() -> None:
    truth = film_truth(Film(scenes=(Scene(length=1, actors=(Actor(COLLINS, STILL), Actor(HOPPER, STILL))),)))
    assert truth.people == ("hopper",)


def test_cuts_dissolves_and_fades() -> None:
    def scene(transition: str, frames: int) -> Scene:
        return Scene(length=10, actors=(Actor(HOPPER, STILL),), transition=transition, transition_frames=frames)  # type: ignore[arg-type]

    truth = film_truth(Film(scenes=(scene("cut", 0), scene("cut", 0), scene("dissolve", 4), scene("fade", 3))))
    assert truth.cuts == (10,)
    assert truth.transitions == ((20, 24), (27, 33))
    ignored = {f.frame for f in truth.faces if f.person == DO_NOT_CARE}
    assert ignored == {*range(20, 24), *range(27, 33)}


def test_flash_exposure_and_fade_change_the_brightness() -> None:
    film = Film(
        scenes=(
            Scene(length=20, flashes=(Flash(5),), exposure=((10, 0.5),)),
            Scene(length=4, transition="fade", transition_frames=3),
        ),
        **SMALL,
    )
    light = [float(compose_frame(film, frame).mean()) for frame in range(film.frame_count)]
    assert light[5] > light[6] > light[7] > light[8] == pytest.approx(light[4], abs=1)
    assert light[10] == pytest.approx(light[9] / 2, rel=0.05)
    assert light[16] > light[17] > light[18] > light[19] and light[20] < light[21] < light[22] < light[23]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_times_are_kept(tmp_path: Path, suffix: str) -> None:
    film = Film(scenes=(Scene(length=12),), durations=(1, 2, 1.5), first_frame=21.25, audio=True, **SMALL)
    truth = render_video(tmp_path / f"film.{suffix}", film)
    images, times, _ = decode(tmp_path / f"film.{suffix}")
    assert len(images) == truth.frame_count == 12
    assert times == pytest.approx([float(p * truth.time_base) for p in truth.pts[:-1]], abs=0.0006)
    assert times[0] == pytest.approx(0.85, abs=0.0006)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotation_is_undone_by_the_metadata(tmp_path: Path, rotation: int) -> None:
    film = Film(scenes=(Scene(length=2, actors=(Actor(COLLINS, STILL),)),), rotation=rotation, crf=10, **SMALL)
    render_video(tmp_path / "film.mp4", film)
    images, _, counter_clockwise = decode(tmp_path / "film.mp4")
    shown = np.rot90(images[0], counter_clockwise // 90)
    assert counter_clockwise % 360 == -rotation % 360
    assert np.abs(shown.astype(int) - compose_frame(film, 0)).mean() < 8
    assert list(tmp_path.iterdir()) == [tmp_path / "film.mp4"]


def test_pixels_need_not_be_square(tmp_path: Path) -> None:
    render_video(tmp_path / "film.mp4", Film(scenes=(Scene(length=2),), sample_aspect_ratio=Fraction(4, 3), **SMALL))
    with av.open(str(tmp_path / "film.mp4")) as container:
        video = container.streams.video[0]
        assert (video.width, video.height, video.sample_aspect_ratio) == (240, 180, Fraction(4, 3))


def test_the_beep_sounds_with_its_frame(tmp_path: Path) -> None:
    film = Film(scenes=(Scene(length=30, beeps=(11,)),), durations=(1, 2), first_frame=10, audio=True, **SMALL)
    truth = render_video(tmp_path / "film.mp4", film)
    with av.open(str(tmp_path / "film.mp4")) as container:
        chunks = [(frame.time, frame.to_ndarray()[0]) for frame in container.decode(audio=0)]
    loud = [time + int(np.argmax(np.abs(x) > 0.2)) / SAMPLE_RATE_HZ for time, x in chunks if np.abs(x).max() > 0.2]
    assert loud[0] == pytest.approx(float(truth.pts[11] * truth.time_base), abs=0.003)


def test_the_same_film_gives_the_same_bytes(tmp_path: Path) -> None:
    film = Film(scenes=(Scene(length=4, actors=(Actor(COLLINS, STILL),), grain=2, voice_hz=150),), audio=True, **SMALL)
    for name in ("a.mp4", "b.mp4"):
        render_video(tmp_path / name, film)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_the_truth_file_names_every_frame(tmp_path: Path) -> None:
    truth = film_truth(Film(scenes=(Scene(length=4, actors=(Actor(COLLINS, STILL, start=2),)),)))
    truth.write_csv(tmp_path / "truth.csv")
    lines = (tmp_path / "truth.csv").read_text().splitlines()
    assert lines[:3] == ["frame,person,x1,y1,x2,y2", "0,,,,,", "1,,,,,"]
    assert [line.split(",")[:2] for line in lines[3:]] == [["2", "collins"], ["3", "collins"]]
