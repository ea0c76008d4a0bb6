"""Tracklets of the clips whose people are known, with the person that each of them shows."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.known_clips import CLIPS, SAME_SIGNER
from config import Settings
from core.analysis_file import AnalysisRecord
from core.media.video_probe import probe_video
from core.model_manager import ModelManager
from core.types import FaceAnalysis, FloatArray, Tracklet
from processors.face_analyzer import FaceAnalyzer
from processors.results.analysis_key import analysis_key, make_store
from utils.box_geometry import iou_matrix
from utils.fingerprints import fingerprint

WHO = CLIPS.parent / "who"

OWNED = 0.8
"""share of a tracklet's labelled frames that must show one person"""
MIN_LABELS = 2
MIN_IOU = 0.4
DO_NOT_CARE = "-"

Labels = dict[int, list[tuple[str, FloatArray]]]
"""by frame: who is where, xyxy px"""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledClip:
    """One analysed clip. people: of each tracklet, None where it is not known. labelled: labelled faces of each."""

    name: str
    analysis: FaceAnalysis
    tracklets: tuple[Tracklet, ...]
    people: tuple[str | None, ...]
    labelled: tuple[int, ...]


def labelled_clips(settings: Settings, models: ModelManager) -> Iterator[LabelledClip]:
    """All clips with labels, analysed, or as the cache has them."""
    who: dict[str, Labels] = defaultdict(lambda: defaultdict(list))
    with (WHO / "faces.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            who[row["clip"]][int(row["frame"])].append((row["person"], _box(row)))
    for name, labels in who.items():
        series = "friends" if name.startswith("friends_") else name
        yield _labelled(WHO / name, labels, series, settings, models)
    for truth in sorted(CLIPS.glob("*.truth.csv")):
        path = CLIPS / truth.name.replace(".truth.csv", ".mp4")
        yield _labelled(path, _truth(truth), path.stem, settings, models)
    for number, words in enumerate(SAME_SIGNER):
        for word in words:
            path = CLIPS / "people" / f"intel_asl_{word}.mkv"
            analysis = analysed(path, settings, models)
            longest = max(analysis.tracklets, key=lambda t: len(t.frames))
            people = tuple(f"signers/{number}" if t is longest else None for t in analysis.tracklets)
            counts = tuple(len(t.frames) for t in analysis.tracklets)
            yield LabelledClip(path.name, analysis, analysis.tracklets, people, counts)


def analysed(path: Path, settings: Settings, models: ModelManager) -> FaceAnalysis:
    """The analysis of `path`, from the cache if it is there."""
    key, store = analysis_key(fingerprint(path), settings, models.embedder.name), make_store(settings)
    info = probe_video(path)
    record = store.load(key, info)
    if record is None:
        record = AnalysisRecord(key, FaceAnalyzer(settings, models).analyze(info), {}, ())
        store.save(record)
    return record.analysis


def _labelled(path: Path, labels: Labels, series: str, settings: Settings, models: ModelManager) -> LabelledClip:
    analysis = analysed(path, settings, models)
    seen = [_seen(tracklet, labels) for tracklet in analysis.tracklets]
    people = tuple(f"{series}/{owner}" if (owner := _owner(counts)) else None for counts in seen)
    return LabelledClip(path.name, analysis, analysis.tracklets, people, tuple(sum(c.values()) for c in seen))


def _seen(tracklet: Tracklet, labels: Labels) -> Counter[str]:
    """How often each person's labelled face lies under the tracklet's box."""
    counts: Counter[str] = Counter()
    for row, frame in enumerate(tracklet.frames.tolist()):
        if frame in labels:
            overlap = iou_matrix(tracklet.boxes[row : row + 1], np.stack([box for _, box in labels[frame]]))[0]
            if overlap.max() >= MIN_IOU:
                counts[labels[frame][int(overlap.argmax())][0]] += 1
    return counts


def _owner(counts: Counter[str]) -> str | None:
    if not counts:
        return None
    person, count = counts.most_common(1)[0]
    is_clear = count >= max(OWNED * sum(counts.values()), MIN_LABELS)
    return person if is_clear and person != DO_NOT_CARE else None


def _truth(path: Path) -> Labels:
    labels: Labels = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["person"]:
                labels[int(row["frame"])].append((row["person"], _box(row)))
    return labels


def _box(row: dict[str, str]) -> FloatArray:
    return np.array([float(row[key]) for key in ("x1", "y1", "x2", "y2")], np.float32)
