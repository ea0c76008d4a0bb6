"""Facts about networks that have to fit together."""

from __future__ import annotations

import pytest

from core.models.networks.model_spec import MODELS, ScoreScale, input_side, score_scale_of


def test_thresholds_of_a_score_scale_increase() -> None:
    with pytest.raises(ValueError, match="possible <= seen"):
        ScoreScale(possible=0.5, seen=0.4, calm=0.9, sure=0.95, sure_track=0.9)


def test_the_network_that_scores_detections_has_a_scale_and_others_have_none() -> None:
    assert score_scale_of("onet") is MODELS["onet"].score_scale
    with pytest.raises(ValueError, match="no score scale"):
        score_scale_of("dlib")


def test_a_network_of_any_input_size_has_no_side() -> None:
    assert input_side("onet") == 48
    with pytest.raises(ValueError, match="no fixed input size"):
        input_side("pnet")
