"""All evidence that two tracklets of one video show the same person, as one similarity.

Every kind of evidence is a log-odds: how much more likely what was seen is if both are one person than if they are
two. They add up, and a similarity of 0.5 is where they cancel out. The constants come from labelled clips by
`benchmarks.quality.evidence`, which also shows what each kind brings on clips that its constants have not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from core.models.model_spec import PairCurve, pair_curve_of
from core.models.similarity import weaker_focus
from core.types import FaceAnalysis, FloatArray, Tracklet
from processors.people.clothes_evidence import CURVE, ClothesCurve, clothes_log_odds
from processors.people.place_evidence import place_log_odds
from processors.people.tracklet_evidence import continuations, sample_cosines, sample_sharpness


@dataclass(frozen=True, slots=True)
class EvidenceWeights:
    """What the log-odds of faces and of clothes count where both are known.

    Less than 1, because light and blur change a face and its clothes together.
    """

    faces: float
    clothes: float


WEIGHTS = EvidenceWeights(faces=0.78, clothes=0.76)

_SPEAKS_FOR_ITSELF = 1.0
"""focus from which on the place in a set-up counts nothing, and 1 below which it counts in full: in the same place and
light a sharp face that is not much alike is another person, as in a studio where one after the other sits down"""

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
    return combined(weighted_evidence(tracklets, analysis).values())


def combined(evidence: Iterable[FloatArray]) -> FloatArray:
    """The similarity, (N, N) float32 in [0, 1], of log-odds that are added up."""
    log_odds = np.sum(list(evidence), axis=0) - _CAUTION
    return np.asarray((1 + np.tanh(log_odds / 2)) / 2, np.float32)


def weighted_evidence(
    tracklets: Sequence[Tracklet],
    analysis: FaceAnalysis,
    *,
    curve: PairCurve | None = None,
    clothes_curve: ClothesCurve = CURVE,
    weights: EvidenceWeights = WEIGHTS,
) -> dict[str, FloatArray]:
    """What "faces", "clothes" and "place" each add to the log-odds, (N, N) float32.

    Args:
        tracklets, analysis: as above.
        curve: how cosines are read; None: as is known of the analysis' embedder.
        clothes_curve, weights: how the other evidence is read.

    Raises:
        ModelError: the analysis names an embedder without calibration.
    """
    curve = curve or pair_curve_of(analysis.embedder)
    focus = weaker_focus(sample_sharpness(tracklets))
    faces = np.asarray(curve.log_odds(sample_cosines(tracklets), focus), np.float32)
    clothes, known = clothes_log_odds(tracklets, analysis.bounds_s, clothes_curve)
    faces[known] *= weights.faces
    place = place_log_odds(tracklets, analysis.video.width, analysis.video.height)
    place *= np.clip(_SPEAKS_FOR_ITSELF - focus, 0, 1)
    for link in continuations(tracklets, analysis.bounds_s):
        # A continuation is the same place a moment later, so the two are one kind of evidence.
        pair = [link.earlier, link.later]
        place[pair, pair[::-1]] = np.maximum(place[pair, pair[::-1]], link.log_odds)
    return {"faces": faces, "clothes": np.asarray(weights.clothes * clothes, np.float32), "place": place}
