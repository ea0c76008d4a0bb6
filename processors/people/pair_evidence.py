"""All evidence that two tracklets of one video show the same person, as one similarity.

Every kind of evidence is a log-odds: how much more likely what was seen is if both are one person than if they are
two. They add up, and a similarity of 0.5 is where they cancel out. The constants come from labelled clips by
`benchmarks.quality.evidence`, which also shows what each kind brings on clips that its constants have not seen.

Faces in focus that are alike enough for a link between two videos are one person's here as well, whatever they wear: a
film may be cut from many days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.models.embedder_spec import PairCurve, link_curves_of, pair_curve_of
from core.models.link_curve import GOOD_QUALITY
from core.models.similarity import focus_of
from core.types import FaceAnalysis, FloatArray, Tracklet
from processors.people.clothes_evidence import CURVE, ClothesCurve, ClothesEvidence
from processors.people.place_evidence import PlaceEvidence
from processors.people.stranger_evidence import StrangerEvidence, blur_of
from processors.people.tracklet_evidence import Continuation, SampleCosines, continuations, sample_sharpness
from utils.numbers.pair_matrix import PairMatrix


@dataclass(frozen=True, slots=True)
class EvidenceWeights:
    """What the log-odds of faces and of clothes count where both are known.

    Less than 1, because light and blur change a face and its clothes together.
    """

    faces: float
    clothes: float


WEIGHTS = EvidenceWeights(faces=0.78, clothes=0.76)

KINDS = ("faces", "clothes", "place")
"""of evidence"""

_SPEAKS_FOR_ITSELF = 1.0
"""focus from which on the place in a set-up counts nothing, and 1 below which it counts in full: in the same place and
light a sharp face that is not much alike is another person, as in a studio where one after the other sits down"""

_CAUTION = 2.0
"""log-odds against every pair: most pairs of a video are two people, and two people in one folder are worse than one
person in two. From 1.5 to 3 the people of the labelled clips are the same"""

_MAX_BESIDE_FACES = 5.0
"""log-odds that clothes and place together count at most. Where colleagues in equal clothes take one seat after the
other, both kinds of evidence are at their greatest, and would outvote sharp faces that differ"""


@dataclass(frozen=True, slots=True, eq=False)
class ComparedTracklets:
    """Tracklets of one video, by their ids, and how alike every two of them are, in [0, 1]."""

    ids: tuple[int, ...]
    similarity: PairMatrix


class PairEvidence:
    """What is known of every two of N tracklets of one video, each of which needs embeddings."""

    def __init__(
        self,
        tracklets: Sequence[Tracklet],
        analysis: FaceAnalysis,
        *,
        links: Sequence[Continuation] | None = None,
        curve: PairCurve | None = None,
        clothes_curve: ClothesCurve = CURVE,
        weights: EvidenceWeights = WEIGHTS,
    ) -> None:
        """Prepare the comparison.

        Args:
            tracklets: N of them.
            analysis: of the video that they come from.
            links: which of them continues which, by their positions; None: as is found among all of them.
            curve: how cosines are read; None: as is known of the analysis' embedder.
            clothes_curve, weights: how the other evidence is read.

        Raises:
            ModelError: the analysis names an embedder without calibration.
        """
        self._curve = curve or pair_curve_of(analysis.embedder)
        self._weights = weights
        size = (analysis.video.width, analysis.video.height)
        self._focus = focus_of(sample_sharpness(tracklets))
        self._faces = SampleCosines(tracklets)
        self._link_curve = link_curves_of(analysis.embedder).same_kind
        self._quality = np.array([t.sample_quality.max() for t in tracklets], np.float32)
        self._clarity = (1 - blur_of(self._focus)) * np.minimum(self._quality / GOOD_QUALITY, 1)
        self._strangers: StrangerEvidence | None = None
        if self._curve.strangers is not None:
            self._strangers = StrangerEvidence(
                tracklets, analysis.bounds_s, size, self._focus, self._faces, self._curve.strangers
            )
        self._clothes = ClothesEvidence(tracklets, analysis.bounds_s, clothes_curve)
        self._places = PlaceEvidence(tracklets, *size)
        links = continuations(tracklets, analysis.bounds_s) if links is None else links
        self._linked = np.array([(a, b) for k in links for a, b in ((k.earlier, k.later), (k.later, k.earlier))])
        self._linked = self._linked.reshape(-1, 2).astype(np.int64)
        self._link_log_odds = np.repeat([k.log_odds for k in links], 2)

    def block(self, rows: slice, columns: slice) -> dict[str, FloatArray]:
        """What "faces", "clothes" and "place" each add to the log-odds of the tracklets of two slices with each other,
        (R, C) float32. The pair of a tracklet with itself means nothing."""
        return self._kinds(self._faces.block(rows, columns), rows, columns)

    def _kinds(self, cosines: FloatArray, rows: slice, columns: slice) -> dict[str, FloatArray]:
        """As `block`. cosines: (R, C) float32, of the faces."""
        focus = np.minimum(self._focus[rows, None], self._focus[columns])
        if self._strangers is not None:
            cosines = cosines - self._strangers.block(rows, columns)
        faces = np.asarray(self._curve.log_odds(cosines, focus), np.float32)
        clothes, known = self._clothes.block(rows, columns)
        faces[known] *= self._weights.faces
        place = self._places.block(rows, columns)
        place *= np.clip(_SPEAKS_FOR_ITSELF - focus, 0, 1)
        a, b = self._linked.T
        here = (a >= rows.start) & (a < rows.stop) & (b >= columns.start) & (b < columns.stop)
        # A continuation is the same place a moment later, so the two are one kind of evidence.
        pairs = (a[here] - rows.start, b[here] - columns.start)
        place[pairs] = np.maximum(place[pairs], self._link_log_odds[here])
        return {"faces": faces, "clothes": np.asarray(self._weights.clothes * clothes, np.float32), "place": place}

    def similarity(self, rows: slice, columns: slice, kinds: Sequence[str] = KINDS) -> FloatArray:
        """(R, C) float32 in [0, 1]: the evidence of some kinds that two tracklets are one person."""
        cosines = self._faces.block(rows, columns)
        found = self._kinds(cosines, rows, columns)
        log_odds = combined({kind: found[kind] for kind in kinds})
        if "faces" in kinds:
            quality = self._quality[rows, None], self._quality[columns]
            missing = np.maximum(self._link_curve.log_odds(cosines, quality).astype(np.float32) - log_odds, 0)
            log_odds += np.minimum(self._clarity[rows, None], self._clarity[columns]) * missing
        return np.asarray((1 + np.tanh(log_odds / 2)) / 2, np.float32)


def combined(evidence: Mapping[str, FloatArray]) -> FloatArray:
    """Kinds of evidence, log-odds of one shape by the names of `PairEvidence.block`, added up with the caution.

    Returns:
        log-odds, float32 (...). Kinds that are missing say nothing.
    """
    beside = np.sum([value for kind, value in evidence.items() if kind != "faces"], axis=0)
    return np.asarray(evidence.get("faces", 0) + np.minimum(beside, _MAX_BESIDE_FACES) - _CAUTION, np.float32)


def tracklet_similarity(
    tracklets: Sequence[Tracklet], analysis: FaceAnalysis, links: Sequence[Continuation] | None = None
) -> PairMatrix:
    """The evidence that two tracklets are one person, in [0, 1]; a tracklet with itself means nothing.

    Memory: 2 N^2 bytes, and some MB.

    Args:
        tracklets: N, each with embeddings.
        analysis: of the video that they come from.
        links: as of `PairEvidence`.

    Raises:
        ModelError: the analysis names an embedder without calibration.
    """
    return PairMatrix(len(tracklets), PairEvidence(tracklets, analysis, links=links).similarity)


TrackletSimilarity = Callable[[Sequence[Tracklet], FaceAnalysis, Sequence[Continuation]], PairMatrix]
"""how alike every two of some tracklets are, in [0, 1], by the analysis and by which of them continues which"""


def compare(
    evidence: Sequence[Tracklet],
    second: Sequence[Tracklet],
    analysis: FaceAnalysis,
    similarity: TrackletSimilarity = tracklet_similarity,
) -> ComparedTracklets:
    """Compare tracklets, all with embeddings and in time order.

    Args:
        evidence: those that tell who is who; they come first.
        second: second tracks on a face that is tracked already, for those who look through the unknown ones. They
            continue nobody.
        analysis: of the video that they come from.
        similarity: by which they are compared.

    Raises:
        ModelError: the analysis names an embedder without calibration.
    """
    everybody = [*evidence, *second]
    if not everybody:
        return ComparedTracklets((), PairMatrix.of(np.zeros((0, 0))))
    links = continuations(evidence, analysis.bounds_s)
    return ComparedTracklets(tuple(t.id for t in everybody), similarity(everybody, analysis, links))
