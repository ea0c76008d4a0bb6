"""What each kind of evidence brings to who is who, and the constants that the program uses.

    python -m benchmarks.quality.evidence [--embedder NAME] [--cache-dir DIR] [--json FILE]

First table: pairs of tracklets of one clip. Log-loss and rates are those of curves that were fitted without any pair of
the clip that they are judged on. Second table: the clips' people, grouped with some of the evidence, with the constants
in use and with constants fitted without the clip. Then the constants fitted to all clips. Tracklets whose labels name
two people are left out: they are the business of the tracker.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.known_clips import CLIPS
from benchmarks.quality.cosine_matrix import cosine_matrix
from benchmarks.quality.edited import b_cubed
from benchmarks.quality.known_cast import SHARED, labelled_faces
from benchmarks.quality.labelled_faces import ALONE, SIGNERS, person_of
from benchmarks.quality.people import find_clips, known_truth
from benchmarks.quality.run_settings import offline_settings
from benchmarks.quality.stored_analyses import analysed
from benchmarks.quality.verification import area_under_curve, true_positive_rate
from config import IdentitySettings
from core.model_manager import ModelManager
from core.models.embedder_spec import PairCurve, pair_curve_of
from core.models.similarity import focus_of
from core.types import FaceAnalysis, IntArray, Tracklet
from processors.people.clothes_evidence import ClothesCurve, WornColours, closeness
from processors.people.pair_evidence import KINDS, EvidenceWeights, PairEvidence
from processors.people.tracklet_evidence import Continuation, sample_sharpness
from processors.people.tracklet_grouping import group_tracklets
from tests.material.scoring import Labelled
from utils.files import write_json
from utils.numbers.pair_matrix import PairMatrix

PAIR_WEIGHTS = {"across": 0.2, "halves": 0.1, "other clip": 0.2, "two here": 0.35, "two elsewhere": 0.15}
"""share of each kind of pair in the fits: of one person in two tracklets of a clip, in halves of a tracklet, in two
clips; of two people in one clip and in two. They say nothing about how frequent such pairs are"""

_SETS: tuple[tuple[str, ...], ...] = (("faces",), ("faces", "place"), ("faces", "clothes"), KINDS)

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """people: true person of each tracklet, None where unknown. weight: labelled or seen frames of each."""

    name: str
    analysis: FaceAnalysis
    tracklets: tuple[Tracklet, ...]
    people: tuple[str | None, ...]
    weights: IntArray


@dataclass(frozen=True, slots=True)
class Constants:
    """What is fitted: the curves of faces and clothes, and what they count for where both are known."""

    faces: PairCurve
    clothes: ClothesCurve
    face_weight: float
    clothes_weight: float


@dataclass(frozen=True, slots=True, eq=False)
class KnownClip:
    """A shared clip whose people are known. alone: who it shows if that is one person; else truth: faces by frames."""

    path: Path
    analysis: FaceAnalysis
    alone: str | None
    truth: Mapping[int, Labelled]


def known_clips(settings: Any, models: ModelManager) -> Iterator[KnownClip]:
    """The shared clips whose people are known, analysed, in a fixed order."""
    labels = labelled_faces()
    paths = [path for _, path in find_clips(CLIPS) if path.is_relative_to(SHARED)]
    for path in [*paths, *sorted(SHARED / "who" / name for name in labels)]:
        alone, truth = (SIGNERS | ALONE).get(path.stem), labels.get(path.name) or known_truth(path)
        if alone is None and truth is None:
            continue
        yield KnownClip(path, analysed(path, settings, models)[0], alone, truth or {})


def labelled_clips(settings: Any, models: ModelManager) -> Iterator[Clip]:
    """The shared clips whose people are known, analysed; tracklets in time order."""
    for known in known_clips(settings, models):
        name = known.path.stem
        tracklets = tuple(sorted(known.analysis.tracklets, key=lambda t: (t.start, t.id)))
        if known.alone is not None:
            longest = max(tracklets, key=lambda t: len(t.frames))
            people = tuple(known.alone if t is longest else None for t in tracklets)
        else:
            people = tuple(person_of(t, known.truth, name) for t in tracklets)
        weights = np.array([sum(int(f) in known.truth for f in t.frames) for t in tracklets], np.int64)
        yield Clip(name, known.analysis, tracklets, people, weights)


class Pairs:
    """All pairs of labelled tracklets, cut into an earlier and a later half where they have samples enough."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        parts = [
            (half, person, clip.name, f"{clip.name} {tracklet.id}")
            for clip in clips
            for tracklet, person in zip(clip.tracklets, clip.people, strict=True)
            if person is not None and len(tracklet.embeddings)
            for half in halves(tracklet)
        ]
        tracklets = [part[0] for part in parts]
        person, clip, source = (np.array([part[k] for part in parts]) for k in (1, 2, 3))
        self.rows, self.columns = np.triu_indices(len(parts), 1)
        self.clip = clip
        self.same = person[self.rows] == person[self.columns]
        self.in_clip = clip[self.rows] == clip[self.columns]
        self.halves = source[self.rows] == source[self.columns]
        self.cosine = cosine_matrix(tracklets)[self.rows, self.columns].astype(np.float64)
        focus = focus_of(sample_sharpness(tracklets))
        self.focus = np.minimum(focus[self.rows], focus[self.columns]).astype(np.float64)
        worn, all_of_them = WornColours(tracklets), slice(0, len(tracklets))
        self.dressed = worn.known[self.rows] & worn.known[self.columns]
        likeness, colour = worn.likeness(all_of_them, all_of_them), worn.colour(all_of_them, all_of_them)
        self.likeness = likeness[self.rows, self.columns].astype(np.float64)
        self.colour = colour[self.rows, self.columns].astype(np.float64)
        kinds = {
            "across": self.same & self.in_clip & ~self.halves,
            "halves": self.same & self.halves,
            "other clip": self.same & ~self.in_clip,
            "two here": ~self.same & self.in_clip,
            "two elsewhere": ~self.same & ~self.in_clip,
        }
        self.weights = np.zeros(len(self.same))
        for kind, mask in kinds.items():
            self.weights[mask] = PAIR_WEIGHTS[kind] / max(int(mask.sum()), 1)
        self.counts = {kind: int(mask.sum()) for kind, mask in kinds.items()}

    def touching(self, clip: str) -> NDArray[np.bool_]:
        """(P,) bool: one of the two is of this clip."""
        return np.asarray((self.clip[self.rows] == clip) | (self.clip[self.columns] == clip), np.bool_)


def halves(tracklet: Tracklet) -> list[Tracklet]:
    """Its samples and looks as two tracklets, the earlier and the later ones; one where there are too few."""
    order = np.argsort(tracklet.sample_frames)
    if len(order) < 4:
        return [tracklet]
    middle = tracklet.sample_frames[order[len(order) // 2]]
    return [_half(tracklet, middle, later) for later in (False, True)]


def _half(tracklet: Tracklet, middle: int, later: bool) -> Tracklet:
    samples, looks = ((frames >= middle) == later for frames in (tracklet.sample_frames, tracklet.look_frames))
    return tracklet.part(slice(None), samples, looks)


def logistic(features: Values, same: NDArray[np.bool_], weights: Values) -> Values:
    """Offset and slopes, (1 + K,), of the log-odds that are likeliest for the pairs. features: (P, K)."""
    # Standardised, because dlib's cosines differ in the second digit only.
    mean, spread = features.mean(0), np.maximum(features.std(0), 1e-9)
    inputs = np.column_stack([np.ones(len(features)), (features - mean) / spread])
    sign, share = np.where(same, 1.0, -1.0), weights / weights.sum()

    def loss(slopes: Values) -> tuple[float, Values]:
        margin = sign * (inputs @ slopes)
        penalty = np.r_[0, slopes[1:]] * 1e-3
        gradient = -(share * sign / (1 + np.exp(margin))) @ inputs + 2 * penalty
        return float(share @ np.logaddexp(0, -margin) + penalty @ slopes), gradient

    found = minimize(loss, np.zeros(inputs.shape[1]), jac=True).x
    slopes = found[1:] / spread
    return np.array([found[0] - slopes @ mean, *slopes])


def fit(pairs: Pairs, use: NDArray[np.bool_]) -> Constants:
    """The constants of the pairs `use`, (P,) bool; clothes only where both people appear in one clip."""
    centre = pairs.cosine.mean()
    features = np.column_stack([pairs.cosine, pairs.focus, pairs.focus * (pairs.cosine - centre)])
    offset, slope, focus, focus_slope = logistic(features[use], pairs.same[use], pairs.weights[use])
    midpoint = -offset / slope
    curve = PairCurve(midpoint, slope, focus_slope, focus + focus_slope * (midpoint - centre))
    dressed = use & pairs.dressed & pairs.in_clip
    near = closeness(pairs.likeness[dressed]).astype(np.float64)
    features = np.column_stack([near, near * pairs.colour[dressed]])
    clothes = ClothesCurve(*logistic(features, pairs.same[dressed], pairs.weights[dressed]))
    both = np.column_stack(
        [
            curve.log_odds(pairs.cosine, pairs.focus),
            clothes.log_odds(pairs.likeness, pairs.colour),
        ]
    )
    _, face_weight, clothes_weight = logistic(both[dressed], pairs.same[dressed], pairs.weights[dressed])
    return Constants(curve, clothes, float(face_weight), float(clothes_weight))


def pair_table(pairs: Pairs, without: Mapping[str, Constants]) -> Iterator[dict[str, Any]]:
    """Rows of the first table, by evidence."""
    for kinds in ("faces", "clothes", "faces + clothes"):
        odds = np.full(len(pairs.same), np.nan)
        for clip, constants in without.items():
            own = pairs.touching(clip) & pairs.in_clip & pairs.dressed & ~pairs.halves
            faces = constants.faces.log_odds(pairs.cosine, pairs.focus)
            clothes = constants.clothes.log_odds(pairs.likeness, pairs.colour)
            both = constants.face_weight * faces + constants.clothes_weight * clothes
            odds[own] = {"faces": faces, "clothes": clothes}.get(kinds, both)[own]
        known = ~np.isnan(odds)
        same, values = pairs.same[known], odds[known]
        loss = np.average(np.logaddexp(0, np.where(same, -values, values)), weights=pairs.weights[known])
        yield {
            "evidence": kinds,
            "same": int(same.sum()),
            "different": int((~same).sum()),
            "log_loss": round(float(loss), 3),
            "tpr_0.001": round(true_positive_rate(values, same, 0.001), 3),
            "tpr_0.01": round(true_positive_rate(values, same, 0.01), 3),
            "auc": round(area_under_curve(values, same), 3),
        }


def grouped(clip: Clip, kinds: Sequence[str], constants: Constants | None) -> IntArray:
    """(N,) the person of each tracklet, by some of the evidence. constants: None for those in use."""

    def similarity(tracklets: Sequence[Tracklet], analysis: FaceAnalysis, links: Sequence[Continuation]) -> PairMatrix:
        evidence = PairEvidence(tracklets, analysis, links=links, **as_arguments(constants))

        return PairMatrix(len(tracklets), lambda rows, columns: evidence.similarity(rows, columns, kinds))

    return group_tracklets(clip.tracklets, clip.analysis, IdentitySettings(), similarity).labels


def as_arguments(constants: Constants | None) -> dict[str, Any]:
    """`constants` as arguments of `PairEvidence`; None for those in use."""
    if constants is None:
        return {}
    weights = EvidenceWeights(constants.face_weight, constants.clothes_weight)
    return {"curve": constants.faces, "clothes_curve": constants.clothes, "weights": weights}


def score(clip: Clip, labels: IntArray) -> tuple[float, float, float]:
    """B-cubed precision, recall and F1 over the labelled faces; unknown tracklets stand alone."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for row, (person, weight) in enumerate(zip(clip.people, clip.weights.tolist(), strict=True)):
        if person is not None and weight:
            found[int(labels[row]) if labels[row] >= 0 else -row - 2][person] += weight
    return b_cubed(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embedder", default="auto")
    parser.add_argument("--cache-dir", default="", help="where analyses and converted networks are kept")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    args = parser.parse_args()
    settings = offline_settings(args.cache_dir, embedder=args.embedder, device="cpu")
    models = ModelManager.instance(settings)
    clips = list(labelled_clips(settings, models))
    pairs = Pairs(clips)
    print(f"{models.embedder.name}: {len(clips)} clips; pairs: {pairs.counts}")
    everything = np.ones(len(pairs.same), np.bool_)
    without = {clip.name: fit(pairs, ~pairs.touching(clip.name)) for clip in clips}
    rows: dict[str, Any] = {"pairs": list(pair_table(pairs, without)), "clips": []}
    columns = list(rows["pairs"][0])
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for row in rows["pairs"]:
        print("| " + " | ".join(str(row[column]) for column in columns) + " |")
    names = [" + ".join(kinds) for kinds in _SETS]
    print("\n| clip | " + " | ".join([*names, f"{names[-1]}, fitted without the clip"]) + " |\n|" + "---|" * 6)
    judged = [clip for clip in clips if len({person for person in clip.people if person}) and clip.weights.any()]
    for clip in judged:
        figures = [score(clip, grouped(clip, kinds, None)) for kinds in _SETS]
        figures.append(score(clip, grouped(clip, KINDS, without[clip.name])))
        rows["clips"].append({"clip": clip.name, "f1": [round(f[2], 4) for f in figures]})
        print(f"| {clip.name} | " + " | ".join(f"{f[2]:.3f} ({f[0]:.2f}, {f[1]:.2f})" for f in figures) + " |")
    means = np.mean([row["f1"] for row in rows["clips"]], axis=0)
    print("| all | " + " | ".join(f"{mean:.4f}" for mean in means) + " |")
    rows["mean"] = [round(float(mean), 4) for mean in means]
    print(f"\nfitted to all: {fit(pairs, everything)}\nin use: {pair_curve_of(models.embedder.name)}")
    if args.json:
        write_json(args.json, rows)


if __name__ == "__main__":
    main()
