from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from benchmarks.robustness.media.clip_signs import clock, loudest, read_signs
from benchmarks.robustness.media.film import (
    NUMBERS,
    Film,
    film_frame,
    frame_times,
    plain_video,
    tone_hz,
    tones,
    write_y4m,
)
from tests.material.synthetic.portraits import HOPPER


@pytest.mark.parametrize("index", [0, 1, 7, 16, 31, 32, 45])
def test_the_clock_tells_the_number_of_a_frame(index: int) -> None:
    number, roundness = clock(film_frame(Film(first=3), index))
    assert abs((number - (3 + index) + NUMBERS / 2) % NUMBERS - NUMBERS / 2) < 0.3
    assert roundness == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("width", [200, 250, 400, 500])
def test_the_clock_tells_how_much_a_picture_is_squeezed(width: int) -> None:
    squeezed = cv2.resize(film_frame(Film(person=HOPPER), 5), (width, 240), interpolation=cv2.INTER_AREA)
    number, roundness = clock(squeezed)
    assert roundness == pytest.approx(width / 320, rel=0.07)
    assert number == pytest.approx(5, abs=0.5)


def test_a_broken_clock_tells_nothing() -> None:
    frame = film_frame(Film(), 5)
    frame[:, 150:] = 90
    assert np.isnan(clock(frame)[0])
    assert np.isnan(clock(np.full((192, 192, 3), 90, np.uint8))[1])


def test_each_channel_has_its_tone_in_the_bursts() -> None:
    times = frame_times(32)
    audio = tones(times, 1.28, 3, silent=[1])
    assert audio.shape == (61440, 3)
    assert not audio[:, 1].any()
    assert np.abs(audio[: 8 * 1920, 0]).max() > 6000
    assert not audio[8 * 1920 + 2 : 16 * 1920 - 2].any()
    assert np.abs(audio[16 * 1920 : 24 * 1920, 2]).max() > 6000


def test_pixels_that_are_not_square_are_reported(tmp_path: Path) -> None:
    film = Film(426, 240, frames=1, coded=(320, 240))
    path = write_y4m(tmp_path / "wide.y4m", film)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (320, 240)
        assert stream.sample_aspect_ratio == film.aspect
        assert float(film.aspect) == pytest.approx(426 / 320, rel=0.01)


def test_a_film_is_read_as_it_was_drawn(tmp_path: Path) -> None:
    path = plain_video(tmp_path, tmp_path / "plain.mp4", Film(frames=40, first=16), rate=Fraction(25))
    signs = read_signs(path)
    assert signs.is_readable.all()
    assert set(signs.steps()) == {1}
    assert signs.burst_times() == pytest.approx([0.64, 1.28])
    assert signs.heard_times()[-2:] == pytest.approx([0.64, 1.28], abs=0.03)
    assert signs.level_db(tone_hz(0)) == pytest.approx(0, abs=1.5)
    assert loudest([signs], tone_hz(5)) < -30
