"""All evidence that two tracklets of one video show the same person, as one similarity.

Every kind of evidence is a log-odds: how much more likely what was seen is if both are one person than if they are
two. They add up, and a similarity of 0.5 is where they cancel out. The constants come from labelled clips by
`benchmarks.quality.evidence`, which also shows what each kind brings on clips that its constants have not seen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.models.model_spec import pair_curve_of
from core.models.similarity import pair_log_odds
from core.types import FaceAnalysis, FloatArray, Tracklet
from processors.people.clothes_evidence import clothes_log_odds
from processors.people.place_evidence import place_log_odds
from processors.people.tracklet_evidence import continuations, sample_cosines, sample_sharpness

_FACE_WEIGHT, _CLOTHES_WEIGHT = 0.7, 0.86
"""of both where both are known, from a logistic fit: light and blur change a face and its clothes together, so the two
say a little less than their sum"""

_CAUTION = 2.0
"""log-odds against every pair: most pairs of a video are two people, and two people in one folder are worse than one
person in two. From 1.5 to 3 the people of the labelled clips are the same"""


def tracklet_similarity(tracklets: Sequence[Tracklet], analysis: FaceAnalysis) -> FloatArray:
    """(N, N) float32 in [0, 1]: the evidence that two tracklets are one person. The diagonal means nothing.

    Args:
        tracklets: N, each with embeddings.
        analysis: of the video that they come from.

    Raises:
        ModelError: the analysis names an embedder without calibration.
    """
    log_odds = pair_log_odds(sample_cosines(tracklets), sample_sharpness(tracklets), pair_curve_of(analysis.embedder))
    clothes, known = clothes_log_odds(tracklets, analysis.bounds_s)
    log_odds[known] *= _FACE_WEIGHT
    log_odds += _CLOTHES_WEIGHT * clothes - _CAUTION
    place = place_log_odds(tracklets, analysis.video.width, analysis.video.height)
    for link in continuations(tracklets, analysis.bounds_s):
        # A continuation is the same place a moment later, so the two are one kind of evidence.
        pair = [link.earlier, link.later]
        place[pair, pair[::-1]] = np.maximum(place[pair, pair[::-1]], link.log_odds)
    log_odds += place
    return np.asarray((1 + np.tanh(log_odds / 2)) / 2, np.float32)
