"""Which embedder tells people apart best: python -m benchmarks embedders [--cache-dir DIR] [--json FILE] [--margins]

All embedders get the same faces: the samples of tracklets of the shared clips whose person is known. Two tracklets are
compared as the program does it (`SampleCosines`). "Sharp" pairs are those of two tracklets with a sharpness of at
least 30, all others are blurred; height is that of the smaller face. An embedder whose weights are not on this machine
is left out. `--margins` compares ways to cut the chips for FaceNet (CASIA-WebFace), which takes some minutes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.cosine_matrix import cosine_matrix
from benchmarks.quality.known_cast import SHARED, photo_pairs
from benchmarks.quality.labelled_faces import Alignment, LabelledTracklet, embedded, labelled_tracklets
from benchmarks.quality.run_settings import offline_settings
from benchmarks.quality.verification import (
    BoolArray,
    area_under_curve,
    fitted,
    left_out_losses,
    log_loss,
    shares_of_equal_spread,
    true_positive_rate,
    weight_for,
)
from config import Settings
from core.errors import ModelUnavailableError
from core.model_manager import ModelManager
from core.models.embedder_spec import EMBEDDERS, calibration_of, embedder_names
from core.settings_file import load_settings
from core.types import FloatArray
from processors.known_people.photo_faces import find_faces
from processors.known_people.photo_reader import read_photo
from utils.files import write_json
from utils.images.face_alignment import FACE_TEMPLATE, similarity_transform, upright_box_transform

SHARP = 30.0
"""variance of the Laplacian (`processors.faces.face_sampler.sharpness`) from which on a face counts as sharp"""
HEIGHTS_PX = (48.0, 96.0)
"""limits of the classes of face heights"""
FALSE_POSITIVE_RATES = (1e-3, 1e-2)
TIMED_BATCH, TIMED_CALLS = 6, 10
"""as many chips as a track has"""


class PairSet:
    """All pairs of labelled tracklets: the upper triangle of their matrix, flattened to (P,)."""

    def __init__(self, tracklets: Sequence[LabelledTracklet]) -> None:
        self.rows, self.columns = np.triu_indices(len(tracklets), 1)
        people = np.array([one.person for one in tracklets])
        self.same: BoolArray = people[self.rows] == people[self.columns]
        indices = zip(self.rows.tolist(), self.columns.tolist(), strict=True)
        self.clips = [(tracklets[i].clip, tracklets[k].clip) for i, k in indices]
        sharp = np.array([one.sharpness >= SHARP for one in tracklets])
        heights = np.array([one.height_px for one in tracklets])
        both_sharp = sharp[self.rows] & sharp[self.columns]
        smaller = np.minimum(heights[self.rows], heights[self.columns])
        low, high = HEIGHTS_PX
        self.groups: dict[str, BoolArray] = {
            "all": np.ones(len(self.rows), bool),
            "sharp": both_sharp,
            "blurred": ~both_sharp,
            f"under {low:.0f} px": smaller < low,
            f"{low:.0f} to {high:.0f} px": (smaller >= low) & (smaller < high),
            f"from {high:.0f} px": smaller >= high,
        }

    def of(self, cosines: FloatArray) -> FloatArray:
        """(P,) out of the (N, N) cosines of all tracklets."""
        return cosines[self.rows, self.columns]


def with_embedder(settings: Settings, name: str) -> ModelManager:
    """The models of a run with the embedder `name`."""
    return ModelManager(load_settings(None, {"run": _run(settings), "analysis": {"embedder": name, "device": "cpu"}}))


def _run(settings: Settings) -> dict[str, Any]:
    return {"offline": True, "cache_dir": settings.run.cache_dir}


def figures(cosines: FloatArray, same: BoolArray) -> dict[str, float]:
    """What is said of one embedder on one group of pairs."""
    rates = {f"tpr_{rate:g}": true_positive_rate(cosines, same, rate) for rate in FALSE_POSITIVE_RATES}
    return {"same": int(same.sum()), "different": int((~same).sum()), **rates, "auc": area_under_curve(cosines, same)}


def table(name: str, cosines: FloatArray, pairs: PairSet) -> Iterator[tuple[dict[str, Any], str]]:
    """One row per group of pairs, as values and in words."""
    for group, chosen in pairs.groups.items():
        found = figures(cosines[chosen], pairs.same[chosen])
        cells = [f"{found[key]:.3f}" for key in (*(f"tpr_{rate:g}" for rate in FALSE_POSITIVE_RATES), "auc")]
        text = f"| {name} | {group} | {found['same']} | {found['different']} | {' | '.join(cells)} |"
        yield {"embedder": name, "group": group, **found}, text


def photo_cosines(models: ModelManager) -> tuple[FloatArray, BoolArray]:
    """Cosine of the largest faces of each labelled pair of photos, and whether they are one person."""
    folder, rows = SHARED / "pairs", photo_pairs()
    names = sorted({name for a, b, _ in rows for name in (a, b)})
    faces = {name: find_faces(read_photo(folder / name), models) for name in names}
    known = [(faces[a][0].vector, faces[b][0].vector, same) for a, b, same in rows if faces[a] and faces[b]]
    return np.array([a @ b for a, b, _ in known], np.float32), np.array([same for _, _, same in known])


def cpu_ms(models: ModelManager) -> float:
    """CPU time for one face among as many as a track has."""
    embedder = models.embedder
    chips = np.random.RandomState(0).randint(0, 256, (TIMED_BATCH, embedder.side, embedder.side, 3), np.uint8)
    embedder.embed(chips)
    begin = time.process_time()
    for _ in range(TIMED_CALLS):
        embedder.embed(chips)
    return (time.process_time() - begin) * 1000 / (TIMED_BATCH * TIMED_CALLS)


def alignments(side: int) -> dict[str, Alignment]:
    """Ways to cut chips for FaceNet."""

    def box(margin: float) -> Alignment:
        return lambda corners, points: upright_box_transform(corners, points, side, margin)

    def unturned(margin: float) -> Alignment:
        level = np.array([[0, 0], [1, 0]], np.float32)
        return lambda corners, _: upright_box_transform(corners, level, side, margin)

    def template(scale: float) -> Alignment:
        target = ((FACE_TEMPLATE - 0.5) * scale + 0.5) * side
        return lambda _, points: similarity_transform(points, target)

    return {
        **{f"box with level eyes, margin {margin:g}": box(margin) for margin in (0, 0.1, 0.15, 0.2, 0.3, 0.45)},
        **{f"box as it is, margin {margin:g}": unturned(margin) for margin in (0.2, 0.3)},
        **{f"dlib's template, scale {scale:g}": template(scale) for scale in (0.85, 1.0, 1.15)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache-dir", default="", help="where analyses and converted networks are kept")
    parser.add_argument("--margins", action="store_true", help="compare ways to cut chips for FaceNet")
    parser.add_argument("--json", default="", help="file for all figures")
    args = parser.parse_args()
    settings = offline_settings(args.cache_dir, embedder="dlib", device="cpu")
    tracklets = labelled_tracklets(settings, with_embedder(settings, "dlib"))
    pairs = PairSet(tracklets)
    people, faces = len({one.person for one in tracklets}), sum(len(one.faces) for one in tracklets)
    print(f"{len(tracklets)} tracklets of {people} people, {faces} faces\n")
    rows: list[dict[str, Any]] = []
    print("| embedder | pairs | same | different | TPR at FPR 0.001 | at 0.01 | AUC |\n|" + "---|" * 7)
    cosines: dict[str, FloatArray] = {}
    notes = []
    for name in embedder_names():
        models = with_embedder(settings, name)
        try:
            embedder = models.embedder
        except ModelUnavailableError as error:
            notes.append(f"{name} is left out: {error.message}")
            continue
        cosines[name] = pairs.of(cosine_matrix(embedded(tracklets, embedder, embedder.alignment)))
        for row, text in table(name, cosines[name], pairs):
            rows.append(row)
            print(text, flush=True)
        photos = figures(*photo_cosines(models))
        rows.append({"embedder": name, "group": "photos", **photos})
        notes.append(f"{name}: {cpu_ms(models):.1f} ms of CPU a face")
        notes.append(f"{name}, pairs of photos: TPR at FPR 0.01 {photos['tpr_0.01']:.3f}, AUC {photos['auc']:.4f}")
    parts = {name: cosines[name] for name in EMBEDDERS["both"].shares if name in cosines}
    notes.append(f"shares of equal spread: {shares_of_equal_spread(parts, pairs.same)}")
    print("\n" + "\n".join([*notes, *calibrations(cosines, pairs)]))
    if args.margins:
        rows += _margins(tracklets, pairs, with_embedder(settings, "facenet-casia"))
    if args.json:
        write_json(Path(args.json), rows)


def calibrations(cosines: dict[str, FloatArray], pairs: PairSet) -> Iterator[str]:
    """For each embedder the curve in use and the fitted one, with the loss on clips that the fit did not see.

    All are as strict as the curve of dlib's network, whose midpoint gives the right people in the development clips.
    """
    weight = weight_for(cosines["dlib"], pairs.same, calibration_of("dlib").midpoint)
    yield f"a pair of one person counts {weight:.1f} times"
    for name, values in cosines.items():
        best, used = fitted(values, pairs.same, weight), calibration_of(name)
        losses = left_out_losses(values, pairs.same, pairs.clips, weight)
        unseen = sum(loss * count for loss, count in losses.values()) / sum(count for _, count in losses.values())
        yield (
            f"{name}: fitted midpoint {best.midpoint:.4f}, slope {best.slope:.1f}, log-loss "
            f"{log_loss(values, pairs.same, best, weight):.4f}, on clips left out {unseen:.4f}; with the curve in use "
            f"({used.midpoint:g}, {used.slope:g}) {log_loss(values, pairs.same, used, weight):.4f}"
        )


def _margins(tracklets: Sequence[LabelledTracklet], pairs: PairSet, models: ModelManager) -> list[dict[str, Any]]:
    rows = []
    for name, alignment in alignments(models.embedder.side).items():
        values = pairs.of(cosine_matrix(embedded(tracklets, models.embedder, alignment)))
        for row, text in table(name, values, pairs):
            if row["group"] in ("all", "sharp", "blurred"):
                rows.append(row)
                print(text, flush=True)
    return rows


if __name__ == "__main__":
    main()
