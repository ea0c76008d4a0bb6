"""How far fades around a flat image reach."""

from __future__ import annotations

import numpy as np
import pytest

from processors.shots.fade_course import with_fades
from processors.shots.shot_boundary import ShotBoundary, Span

WHOLE, OTHER = [50.0] * 20, [40.0] * 20
OUT, IN = [45.0, 35.0, 25.0, 15.0, 5.0, 0.5], [4.0, 12.0, 20.0, 28.0, 36.0]
COURSE = [*WHOLE, *OUT, *IN, *OTHER]
"""frames [20, 31) are faded, 25 is flat"""


def mixed(contrasts: list[float], span: Span | None, *others: ShotBoundary, frame: int = 25) -> Span | None:
    boundaries = [ShotBoundary(frame, "dissolve", span), *others]
    found = with_fades(boundaries, np.array(contrasts, np.float32), 25.0)
    return next(one.mixed for one in found if one.frame == frame)


@pytest.mark.parametrize("span", [(20, 25), (25, 31), (22, 29)])
def test_both_fades_are_mixed_frames_whichever_was_found(span: Span) -> None:
    assert mixed(COURSE, span) == (20, 31)


def test_the_flat_image_may_stay() -> None:
    assert mixed([*WHOLE, *OUT, *[0.5] * 8, *IN, *OTHER], (20, 25)) == (20, 39)


@pytest.mark.parametrize(
    ("contrasts", "why"),
    [
        ([*WHOLE, *OUT, *[0.5] * 40], "nothing comes out of it"),
        ([*WHOLE, *OUT, *[0.5] * 40, *IN, *OTHER], "it comes later"),
        ([*WHOLE, *OUT, *[3.0] * 30], "nothing but noise"),
    ],
)
def test_a_fade_out_alone_stays_as_it_is(contrasts: list[float], why: str) -> None:
    assert mixed(contrasts, (20, 25)) == (20, 25), why


def test_images_that_dissolve_are_not_flat() -> None:
    dissolve = [*WHOLE, 45.0, 35.0, 30.0, 34.0, 38.0, *OTHER]
    assert mixed(dissolve, (21, 24), frame=23) == (21, 24)


def test_a_dip_that_was_found_as_a_cut_is_mixed_and_a_cut_is_not() -> None:
    quick = [*WHOLE, 30.0, 10.0, 2.0, 12.0, 30.0, *OTHER]
    for cut in (21, 22, 23):
        assert mixed(quick, None, frame=cut) == (20, 25)
    for images in ([*WHOLE, *OTHER], [*WHOLE, *[0.5] * 20], [*[0.5] * 20, *OTHER], [*WHOLE, 25.0, *OTHER]):
        assert mixed(images, None, frame=20) is None


def test_neither_the_neighbouring_boundaries_nor_wipes_are_touched() -> None:
    assert mixed(COURSE, (25, 31), ShotBoundary(23, "cut")) == (25, 31)
    assert mixed(COURSE, (20, 25), ShotBoundary(28, "cut")) == (20, 25)
    wipe = ShotBoundary(25, "wipe", (24, 27))
    assert with_fades([wipe], np.array(COURSE, np.float32), 25.0) == [wipe]
