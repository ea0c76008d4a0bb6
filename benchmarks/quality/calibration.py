"""How alike faces of the same and of different people are to the embedder in use.

    python -m benchmarks.quality.calibration

Takes the development clips, the photos and the sample through the program's own detector, tracker and embedder,
pairs all tracklets and all single faces whose persons are known, prints the figures and draws the histograms with
both thresholds to benchmarks/results/calibration_EMBEDDER.png. FaceNet is measured wherever its weights are.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray

from benchmarks.known_clips import CLIPS, PROJECT, SAME_SIGNER
from benchmarks.quality.cosine_matrix import cosine_matrix
from benchmarks.quality.people import find_clips, known_truth, run
from benchmarks.quality.run_settings import offline_settings
from config import Settings
from core.model_manager import ModelManager
from core.models.similarity import Similarity
from core.types import FloatArray, Tracklet
from tests.material.scoring import Labelled, box_overlap
from tests.material.synthetic.truth import DO_NOT_CARE
from utils.images.face_alignment import warp

matplotlib.use("Agg")
import matplotlib.pyplot as plt

PHOTOS = CLIPS.parent / "photos"
RESULTS = PROJECT / "benchmarks" / "results"
PHOTO_OF = {
    "lin-manuel-miranda.png": "hamilton_short/lin",
    "alex-lacamoire.png": "hamilton_short/alex",
    "obama.jpg": "hamilton_short/obama",
    "biden.jpg": "biden",
}
SHOWN = {"retalk_1": "retalk_1", "pyfeat_noface_face": "pyfeat"}
"""clips of one person"""
OWNED = 0.6
"""share of a tracklet's annotated frames that must lie on one person"""


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """The samples of one tracklet or photo. source: file and number, the same for the halves of one tracklet."""

    person: str
    source: str
    tracklet: Tracklet


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Cosines of pairs: of one person within one track, of one person in different places, of two people."""

    within: FloatArray
    across: FloatArray
    different: FloatArray


def owner(tracklet: Tracklet, truth: dict[int, Labelled]) -> str | None:
    """The true person whose face the tracklet is, None where that is not clear."""
    seen: Counter[str] = Counter()
    rows = [row for row, frame in enumerate(tracklet.frames.tolist()) if frame in truth]
    for row in rows:
        faces = truth[int(tracklet.frames[row])]
        overlap = box_overlap([tracklet.boxes[row].astype(np.float64)], [box for _, box in faces])[0]
        if len(faces) and overlap.max() >= 0.5:
            seen[faces[int(overlap.argmax())][0]] += 1
    person, count = seen.most_common(1)[0] if seen else (DO_NOT_CARE, 0)
    return person if person != DO_NOT_CARE and count >= OWNED * len(rows) else None


def clip_faces(settings: Settings, models: ModelManager) -> list[Faces]:
    """Tracklets of the clips whose persons are known, each cut into an earlier and a later half."""
    signer = {f"intel_asl_{word}": f"signer {words[0]}" for words in SAME_SIGNER for word in words}
    found = []
    for name, path in find_clips(CLIPS):
        truth, alone = known_truth(path), (signer | SHOWN).get(path.stem)
        if truth is None and alone is None:
            continue
        for tracklet in run(path, settings, models).analysis.tracklets:
            person = alone if truth is None else owner(tracklet, truth)
            if person is None or len(tracklet.embeddings) == 0:
                continue
            person = person if truth is None else f"{path.stem}/{person}"
            found += [Faces(person, f"{name} {tracklet.id}", half) for half in halves(tracklet)]
    return found


def halves(tracklet: Tracklet) -> list[Tracklet]:
    """Its samples as two tracklets, the earlier and the later ones; one where there are too few."""
    order = np.argsort(tracklet.sample_frames)
    parts = np.array_split(order, 2) if len(order) >= 4 else [order]
    return [
        replace(
            tracklet,
            sample_frames=tracklet.sample_frames[part],
            sample_quality=tracklet.sample_quality[part],
            embeddings=tracklet.embeddings[part],
        )
        for part in parts
    ]


def photo_faces(models: ModelManager) -> list[Faces]:
    """The largest face of every photo."""
    found = []
    for name, person in PHOTO_OF.items():
        rgb = cv2.cvtColor(cv2.imread(str(PHOTOS / name), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        scale = min(1.0, 800 / max(rgb.shape[:2]))
        image = np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        faces = models.detector.detect([image], 0.1 * image.shape[0])[0]
        best = int((faces.boxes[:, 3] - faces.boxes[:, 1]).argmax())
        box, landmarks = faces.boxes[best], faces.landmarks[best]
        chip = warp(image, models.embedder.alignment(box, landmarks), models.embedder.side)
        one = np.ones(1, np.float32)
        found.append(
            Faces(
                person,
                name,
                Tracklet(
                    id=0, shot=0, frames=np.zeros(1, np.int64), boxes=box[None], scores=one, landmarks=landmarks[None],
                    sharpness=one, sample_frames=np.zeros(1, np.int64), sample_quality=one,
                    embeddings=models.embedder.embed(chip[None]),
                ),
            )
        )  # fmt: skip
    return found


def pairs(cosines: FloatArray, people: list[str], sources: list[str]) -> Pairs:
    """Sort the upper triangle of (N, N) cosines by what the two have in common."""
    rows, columns = np.triu_indices(len(people), 1)
    person, source = np.array(people), np.array(sources)
    same, same_source = person[rows] == person[columns], source[rows] == source[columns]
    values = cosines[rows, columns]
    return Pairs(values[same & same_source], values[same & ~same_source], values[~same])


def worst(faces: list[Faces], similarity: Similarity, count: int = 6) -> list[str]:
    """The pairs of tracklets that are most wrong: alike but two people, unlike but one person."""
    alike = similarity.from_cosine(cosine_matrix([f.tracklet for f in faces]))
    rows, columns = np.triu_indices(len(faces), 1)
    person = np.array([f.person for f in faces])
    same = person[rows] == person[columns]
    order = np.argsort(-alike[rows, columns], kind="stable")
    chosen = [*order[~same[order]][:count], *order[same[order]][-count:]]
    pairs_of = [(alike[rows[k], columns[k]], faces[rows[k]], faces[columns[k]]) for k in chosen]
    return [f"{value:.3f} {a.person} ({a.source}), {b.person} ({b.source})" for value, a, b in pairs_of]


def describe(level: str, found: Pairs, similarity: Similarity, thresholds: dict[str, float]) -> list[str]:
    """Figures in words."""
    lines = []
    for kind in ("within", "across", "different"):
        values = getattr(found, kind)
        points = [0.1, 1, 5, 50, 95, 99, 99.9]
        at = np.percentile(values, points)
        cells = ", ".join(
            f"{p:g} %: {c:.3f} ({similarity.from_cosine(float(c)):.3f})" for p, c in zip(points, at, strict=True)
        )
        lines.append(f"{level}, {kind}: {len(values)} pairs, cosine (similarity) at {cells}")
    for name, threshold in thresholds.items():
        cosine = similarity.to_cosine(threshold)
        missed = f"within a track {(found.within < cosine).mean():.2%}, across {(found.across < cosine).mean():.2%}"
        mixed = f"{(found.different >= cosine).mean():.3%}"
        lines.append(
            f"{level}, {name} {threshold:g} = cosine {cosine:.4f}: same person below {missed}; "
            f"different people above {mixed}"
        )
    return lines


def draw(
    path: Path, title: str, levels: dict[str, Pairs], similarity: Similarity, thresholds: dict[str, float]
) -> None:
    """Histograms of cosines, with the calibrated similarity as second scale."""
    figure, axes = plt.subplots(len(levels), 1, figsize=(9, 3.4 * len(levels)), layout="constrained")
    for axis, (level, found) in zip(axes, levels.items(), strict=True):
        everything = np.concatenate([found.within, found.across, found.different])
        bins = np.linspace(np.floor(np.percentile(everything, 0.2) * 50) / 50, 1.0, 81)
        for kind, label, color in (
            ("different", "different people", "tab:red"),
            ("across", "same person, other shot or file", "tab:green"),
            ("within", "same person, same track", "tab:blue"),
        ):
            values = getattr(found, kind)
            axis.hist(
                np.clip(values, bins[0], None), bins, weights=np.full(len(values), 100 / len(values)),
                histtype="stepfilled", alpha=0.35, color=color, edgecolor=color, label=f"{label} ({len(values)})",
            )  # fmt: skip
        cosines: NDArray[np.float64] = np.linspace(bins[0], 1, 500)
        curve = axis.twinx()
        curve.plot(cosines, similarity.from_cosine(cosines.astype(np.float32)), color="black", linewidth=1)
        curve.set_ylabel("calibrated similarity (line)")
        curve.set_ylim(0, 1.02)
        by_value: dict[float, list[str]] = {}
        for name, value in thresholds.items():
            by_value.setdefault(value, []).append(name)
        for value, names in by_value.items():
            cosine = similarity.to_cosine(value)
            axis.axvline(cosine, color="black", linestyle="--", linewidth=1)
            axis.annotate(
                f"{', '.join(names)}: {value:g}", (cosine, 0.3), (-4, 0), axis.get_xaxis_transform(), "offset points",
                rotation=90, ha="right", va="bottom", fontsize=8,
            )  # fmt: skip
        axis.set_xlim(bins[0], 1)
        axis.set_xlabel(f"cosine, {level}")
        axis.set_ylabel("% of the pairs")
        axis.legend(loc="upper left", fontsize=8)
    figure.suptitle(title)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embedder", default="auto", help="one that --embedder of the program knows")
    parser.add_argument("--cache-dir", default="", help="where converted models are kept")
    args = parser.parse_args()
    settings = offline_settings(args.cache_dir, embedder=args.embedder, faces_per_track=12)
    models = ModelManager.instance(settings)
    name = models.embedder.name
    similarity = Similarity.for_embedder(name)
    faces = clip_faces(settings, models) + photo_faces(models)
    tracklets = pairs(cosine_matrix([f.tracklet for f in faces]), [f.person for f in faces], [f.source for f in faces])
    single = [(f, e) for f in faces for e in f.tracklet.embeddings]
    stacked = np.stack([e for _, e in single])
    samples = pairs(stacked @ stacked.T, [f.person for f, _ in single], [f.source for f, _ in single])
    thresholds = {"same_person": settings.identity.same_person, "merge": settings.identity.merge}
    people = len({f.person for f in faces})
    print(f"{name}: {people} people, {len(faces)} half tracklets and photos, {len(single)} faces")
    print("\n".join(worst(faces, similarity)))
    for level, found in (("tracklets", tracklets), ("single faces", samples)):
        print("\n".join(describe(level, found, similarity, thresholds)))
    RESULTS.mkdir(exist_ok=True)
    title = f"{name}: {people} people of the development clips and photos"
    draw(
        RESULTS / f"calibration_{name}.png",
        title,
        {"two tracklets": tracklets, "two single faces": samples},
        similarity,
        thresholds,
    )


if __name__ == "__main__":
    main()
