import numpy as np
import pytest

from core.errors import ModelError
from core.models.embedder_spec import Calibration, calibration_of, embedder_names
from core.models.similarity import Similarity


@pytest.mark.parametrize("name", embedder_names())
def test_even_odds_at_the_midpoint_and_within_bounds(name):
    similarity = Similarity.for_embedder(name)
    midpoint = calibration_of(name).midpoint
    values = similarity.from_cosine(np.array([-1, midpoint - 0.05, midpoint, midpoint + 0.05, 1], np.float32))
    assert values[2] == pytest.approx(0.5, abs=1e-4)
    assert values.dtype == np.float32
    assert (np.diff(values) >= 0).all()
    assert values[0] >= 0
    assert values[-1] <= 1


def test_to_cosine_inverts():
    similarity = Similarity(Calibration(0.6, 12.0))
    for value in (0.1, 0.5, 0.93):
        assert float(similarity.from_cosine(similarity.to_cosine(value))) == pytest.approx(value, abs=1e-6)


def test_prior_evidence_is_added_as_log_odds():
    similarity = Similarity(Calibration(0.6, 10.0))
    assert float(similarity.from_cosine(0.5, log_odds=1.0)) == pytest.approx(0.5, abs=1e-6)


def test_unknown_embedder_and_bad_numbers():
    with pytest.raises(ModelError, match="'vgg' has no calibration"):
        Similarity.for_embedder("vgg")
    with pytest.raises(ValueError, match="slope -1"):
        Calibration(0.5, -1)
