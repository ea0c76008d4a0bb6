from __future__ import annotations

import pytest

from core.models.embedder_spec import embedder_names, link_curves_of
from core.models.link_curve import GOOD_QUALITY, LinkCurve


def test_good_faces_are_read_by_the_cosine_alone() -> None:
    curve = LinkCurve(midpoint=0.4, slope=20.0, poorer=3.0, better=6.0)
    assert curve.log_odds(0.5, (GOOD_QUALITY, 1.0)) == pytest.approx(2.0)
    assert curve.least_cosine(2.0) == pytest.approx(0.5)


def test_what_the_poorer_or_the_better_side_lacks_is_taken_off() -> None:
    misled_by_one = LinkCurve(midpoint=0.4, slope=20.0, poorer=3.0)
    misled_by_two = LinkCurve(midpoint=0.4, slope=20.0, better=6.0)
    for quality in ((0.4, 1.0), (1.0, 0.4)):
        assert misled_by_one.log_odds(0.4, quality) == pytest.approx(-1.5)
        assert misled_by_two.log_odds(0.4, quality) == 0.0
    assert misled_by_one.log_odds(0.4, (0.4, 0.7)) == pytest.approx(-1.5)
    assert misled_by_two.log_odds(0.4, (0.4, 0.7)) == pytest.approx(-1.2)


@pytest.mark.parametrize("values", [(1.0, 20.0), (0.4, 0.0), (0.4, 20.0, -1.0), (0.4, 20.0, 0.0, -1.0)])
def test_curves_that_mean_nothing(values: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        LinkCurve(*values)


@pytest.mark.parametrize("embedder", embedder_names())
def test_every_embedder_has_one(embedder: str) -> None:
    curves = link_curves_of(embedder)
    for curve in (curves.same_kind, curves.photo_and_video):
        assert curve.log_odds(1.0, (1.0, 1.0)) > 2
    assert max(curves.same_kind.poorer, curves.same_kind.better) > 0
    assert curves.least_cosine(1.0) == curves.photo_and_video.least_cosine(1.0) <= curves.same_kind.least_cosine(1.0)
