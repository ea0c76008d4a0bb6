"""Runs of frames that are mixtures, and runs that are not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core.types import FloatArray
from processors.shots.dissolve_fit import fit_dissolve
from processors.shots.gradual_run import GradualFit, gradual_run

RANDOM = np.random.RandomState(5)
OLD, NEW, OTHER = (RANDOM.uniform(0, 255, 1728).astype(np.float32) for _ in range(3))
RISE = [0.0, 0.0, 0.0, 0.1, 0.3, 0.45, 0.6, 0.8, 0.96, 1.0, 1.0, 1.0]


def fit(frames: Sequence[FloatArray]) -> GradualFit | None:
    run = gradual_run(frames)
    return None if run is None else fit_dissolve(run)


def mixtures(shares: Sequence[float], old: FloatArray = OLD, new: FloatArray = NEW) -> list[FloatArray]:
    return [((1 - share) * old + share * new).astype(np.float32) for share in shares]


def test_a_dissolve_is_put_where_more_of_the_new_image_shows() -> None:
    found = fit(mixtures(RISE))
    assert found is not None
    assert (found.first_trace, found.began, found.middle, found.settled, found.pure) == (3, 3, 6, 8, 9)
    assert found.residual == pytest.approx(0, abs=1e-4)


def test_a_fade_from_black_is_one_too() -> None:
    found = fit(mixtures(RISE, old=np.zeros_like(OLD)))
    assert found is not None and (found.middle, found.settled) == (6, 8)


def test_a_poor_fit_is_reported() -> None:
    """A tenth of another image is mixed into the frames between."""
    frames = [f + 0.1 * (OTHER - f) * (2 < i < 9) for i, f in enumerate(mixtures(RISE))]
    found = fit(frames)
    assert found is not None and 0.02 < found.residual < 0.2


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param(mixtures([0.0] * 6 + [1.0] * 6), id="a cut"),
        pytest.param(mixtures(np.linspace(0, 1, 12).tolist()), id="no stretches without change"),
        pytest.param(mixtures([*RISE[:5], 0.5, 0.35, 0.7, *RISE[8:]]), id="a step back"),
        pytest.param(mixtures(RISE, new=OLD + 1), id="two images that are almost the same"),
        pytest.param([*mixtures(RISE)[:5], OTHER, *mixtures(RISE)[6:]], id="an image of something else"),
        pytest.param([f + 0.5 * OTHER * (2 < i < 9) for i, f in enumerate(mixtures(RISE))], id="something in front"),
    ],
)
def test_what_is_not_a_dissolve(frames: list[FloatArray]) -> None:
    assert fit(frames) is None
