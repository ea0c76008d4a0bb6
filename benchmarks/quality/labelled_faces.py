"""Tracklets of the shared clips whose person is known, with the pixels of their samples: material for embedders.

The clips are analysed once, with dlib's network, which has no influence on boxes and samples; any embedder can then be
given the same faces in its own alignment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.known_clips import CLIPS, SAME_SIGNER
from benchmarks.quality.known_cast import SHARED, labelled_faces, labelled_votes, unique_name
from benchmarks.quality.people import find_clips, known_truth
from benchmarks.quality.stored_analyses import analysed
from config import Settings
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from core.model_manager import ModelManager
from core.models.face_embedder import FaceEmbedder
from core.types import ByteArray, FloatArray, Tracklet
from tests.material.scoring import Labelled
from tests.material.synthetic.truth import DO_NOT_CARE
from utils.images.face_alignment import warp

OWNED = 0.8
"""share of a tracklet's labelled rows that must name one person"""
SIGNERS = {f"intel_asl_{word}": f"signer {words[0]}" for words in SAME_SIGNER for word in words}
ALONE = {"retalk_1": "retalk_1", "pyfeat_noface_face": "pyfeat"}
"""clips of one person"""
_SURROUNDINGS = 1.0
"""what is kept around a face on each side, in sizes of its box"""

Alignment = Callable[[FloatArray, FloatArray], NDArray[np.float64]]
"""box (4,) and landmarks (5, 2) -> 2x3 matrix from image to chip"""


@dataclass(frozen=True, slots=True, eq=False)
class SampledFace:
    """A face that was embedded, with its surroundings. box (4,) and landmarks (5, 2) in pixels of `patch` (h, w, 3)."""

    patch: ByteArray
    box: FloatArray
    landmarks: FloatArray

    def chip(self, alignment: Alignment, side: int) -> ByteArray:
        """(side, side, 3) uint8."""
        return warp(self.patch, alignment(self.box, self.landmarks), side)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledTracklet:
    """faces: of the tracklet's samples, in their order. person: unique over all clips."""

    person: str
    clip: str
    tracklet: Tracklet
    faces: tuple[SampledFace, ...]

    @property
    def height_px(self) -> float:
        """Median over the samples."""
        return float(np.median([face.box[3] - face.box[1] for face in self.faces]))

    @property
    def sharpness(self) -> float:
        """Median over the samples."""
        rows = np.searchsorted(self.tracklet.frames, self.tracklet.sample_frames)
        return float(np.median(self.tracklet.sharpness[rows]))


def labelled_tracklets(settings: Settings, models: ModelManager) -> list[LabelledTracklet]:
    """All whose labelled rows agree, clip by clip."""
    labels = labelled_faces()
    paths = [path for _, path in find_clips(CLIPS) if path.is_relative_to(SHARED)]
    found = []
    for path in [*paths, *sorted(SHARED / "who" / name for name in labels)]:
        alone = (SIGNERS | ALONE).get(path.stem)
        truth = labels.get(path.name) or known_truth(path)
        if alone is None and truth is None:
            continue
        analysis, _ = analysed(path, settings, models)
        chosen = [
            (person, tracklet)
            for tracklet in analysis.tracklets
            if len(tracklet.sample_frames)
            and (person := alone or person_of(tracklet, truth or {}, path.stem)) is not None
        ]
        pixels = _pixels(path, [tracklet for _, tracklet in chosen])
        found += [
            LabelledTracklet(person, path.stem, tracklet, faces)
            for (person, tracklet), faces in zip(chosen, pixels, strict=True)
        ]
    return found


def person_of(tracklet: Tracklet, truth: Mapping[int, Labelled], clip: str) -> str | None:
    """The person whom most labelled faces under the tracklet's boxes name; None if they disagree or there are none."""
    votes = labelled_votes(tracklet, truth)
    if not votes:
        return None
    person, count = votes.most_common(1)[0]
    return None if person == DO_NOT_CARE or count < OWNED * votes.total() else unique_name(person, clip)


def embedded(tracklets: Sequence[LabelledTracklet], embedder: FaceEmbedder, alignment: Alignment) -> list[Tracklet]:
    """The tracklets with embeddings of their samples by `embedder`, on chips cut by `alignment`."""
    chips = [np.stack([face.chip(alignment, embedder.side) for face in one.faces]) for one in tracklets]
    return [replace(one.tracklet, embeddings=embedder.embed(c)) for one, c in zip(tracklets, chips, strict=True)]


def _pixels(path: Path, tracklets: Sequence[Tracklet]) -> list[tuple[SampledFace, ...]]:
    """The samples of each tracklet, out of the video again."""
    wanted = defaultdict(list)
    for number, tracklet in enumerate(tracklets):
        for place, frame in enumerate(tracklet.sample_frames.tolist()):
            row = int(np.searchsorted(tracklet.frames, frame))
            wanted[frame].append((number, place, tracklet.boxes[row], tracklet.landmarks[row]))
    found: list[dict[int, SampledFace]] = [{} for _ in tracklets]
    with VideoReader(probe_video(path), threads=1) as reader:
        for frame in reader.frames():
            for number, place, box, landmarks in wanted.get(frame.index, ()):
                around = np.tile((box[2:] - box[:2]) * _SURROUNDINGS, 2) * np.array([-1, -1, 1, 1])
                patch, x0, y0 = frame.patch(box + around)
                corner = np.array([x0, y0], np.float32)
                found[number][place] = SampledFace(patch.copy(), box - np.tile(corner, 2), landmarks - corner)
    return [tuple(face for _, face in sorted(faces.items())) for faces in found]
