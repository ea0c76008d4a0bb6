"""Where tracks that go over to another person are divided, and where tracks of one person are.

    python -m benchmarks divisions [--embedder NAME] [--cache-dir DIR]

Tracks that go over are made up: the samples of a labelled tracklet, followed by those of somebody else, as though the
tracker had gone over. Tracks of one person are the labelled tracklets, asked at every moment. Small images are not
compared, which settles fewer moments than in the program. Limits chosen on one half of the clips are judged on the
other half.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.evidence import Clip, labelled_clips
from benchmarks.quality.run_settings import offline_settings
from core.model_manager import ModelManager
from core.models.embedder_spec import change_limits_of
from core.models.similarity import Similarity
from core.types import FloatArray
from processors.faces.track_division import MIN_SAMPLES, WINDOW, Transition

FOLLOWERS = 3
"""other people's tracklets that each tracklet is followed by"""

ACROSS = (0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
WITHIN = (0.3, 0.5, 0.7, 0.8, 0.9)
AFTER_A_LOSS = (Transition.FOUND_AGAIN, Transition.FOUND_ELSEWHERE)


Track = tuple[FloatArray, Sequence[int]]
"""embeddings (N, D) in order of time, and the samples with which another person may begin"""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Moments at which tracks may be divided, (M,) each.

    track: the number of the track. across: greatest similarity of a pair across the moment. within: the lesser of the
    two sides' best pairs.
    """

    track: NDArray[np.int64]
    across: FloatArray
    within: FloatArray

    def divided(self, max_across: float, min_within: float) -> int:
        """How many tracks are divided."""
        return len(np.unique(self.track[(self.across <= max_across) & (self.within >= min_within)]))


@dataclass(frozen=True, slots=True, eq=False)
class Half:
    """joints: tracks of two people. pure: of one person in continuous view; reunited: in two tracklets of a clip."""

    joints: Moments
    pure: Moments
    reunited: Moments


def moments(tracks: Sequence[Track], similarity: Similarity) -> Moments:
    """All moments that have enough samples on both sides."""
    rows = []
    for number, (vectors, starts) in enumerate(tracks):
        alike = similarity.from_cosine(np.asarray(vectors @ vectors.T, np.float32))
        for start in starts:
            if not MIN_SAMPLES <= start <= len(vectors) - MIN_SAMPLES:
                continue
            sides = slice(max(start - WINDOW, 0), start), slice(start, start + WINDOW)
            within = min(float(alike[side, side][np.triu_indices(len(alike[side]), 1)].max()) for side in sides)
            rows.append((number, float(alike[sides].max()), within))
    table = np.array(rows, np.float64).reshape(-1, 3)
    return Moments(table[:, 0].astype(np.int64), table[:, 1].astype(np.float32), table[:, 2].astype(np.float32))


def half_of(clips: Sequence[Clip], similarity: Similarity) -> Half:
    """What the labelled tracklets of some clips make up."""
    known = [
        (clip.name, person, np.asarray(tracklet.embeddings[np.argsort(tracklet.sample_frames)], np.float32))
        for clip in clips
        for tracklet, person in zip(clip.tracklets, clip.people, strict=True)
        if person is not None and len(tracklet.sample_frames) >= MIN_SAMPLES
    ]
    joints: list[Track] = []
    reunited: list[Track] = []
    for k, (clip, person, vectors) in enumerate(known):
        later = [*known[k + 1 :], *known[:k]]
        others = [one for one in later if one[1] != person]
        others.sort(key=lambda one: one[0] != clip)
        joints += [(np.concatenate([vectors, one[2]]), [len(vectors)]) for one in others[:FOLLOWERS]]
        same = [one for one in known[k + 1 :] if one[:2] == (clip, person)]
        reunited += [(np.concatenate([vectors, one[2]]), [len(vectors)]) for one in same[:FOLLOWERS]]
    pure: list[Track] = [(vectors, range(len(vectors))) for _, _, vectors in known]
    return Half(*(moments(tracks, similarity) for tracks in (joints, pure, reunited)))


def errors(half: Half, transition: Transition, limits: tuple[float, float]) -> tuple[int, int]:
    """Tracks of two people that are not divided, and tracks of one person that are.

    Tracks through two tracklets of a person count only where a face was lost and found.
    """
    missed = len(half.joints.track) - half.joints.divided(*limits)
    false = half.pure.divided(*limits)
    if transition in AFTER_A_LOSS:
        false += half.reunited.divided(*limits)
    return missed, false


def chosen(half: Half, transition: Transition, allowed: tuple[float, float]) -> tuple[float, float]:
    """The limits that miss least, with no more false divisions than those `allowed`; of equal ones the strictest."""
    most = errors(half, transition, allowed)[1]
    candidates = [(across, within) for across in ACROSS for within in WITHIN]
    fine = [limits for limits in candidates if errors(half, transition, limits)[1] <= most]
    return min(fine or [allowed], key=lambda limits: (errors(half, transition, limits)[0], limits[0], -limits[1]))


def report(halves: Sequence[Half], used: dict[Transition, tuple[float, float]]) -> Iterator[str]:
    """Lines of a table: limits in use and limits chosen on the other half, judged on each half."""
    yield "| transition | judged on | limits | missed | of | false | of |\n|---|---|---|---|---|---|---|"
    for transition in Transition:
        for number, half in enumerate(halves):
            single = len(np.unique(half.pure.track))
            if transition in AFTER_A_LOSS:
                single += len(np.unique(half.reunited.track))
            for limits in (used[transition], chosen(halves[1 - number], transition, used[transition])):
                missed, false = errors(half, transition, limits)
                counts = f"{missed} | {len(half.joints.track)} | {false} | {single}"
                yield f"| {transition.name} | half {number} | {limits} | {counts} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embedder", default="auto")
    parser.add_argument("--cache-dir", default="", help="where analyses and converted networks are kept")
    args = parser.parse_args()
    settings = offline_settings(args.cache_dir, embedder=args.embedder, device="cpu")
    models = ModelManager.instance(settings)
    clips = [clip for clip in labelled_clips(settings, models) if any(clip.people)]
    similarity = Similarity.for_embedder(models.embedder.name)
    halves = [half_of(clips[k::2], similarity) for k in (0, 1)]
    for number in (0, 1):
        print(f"half {number}: {', '.join(clip.name for clip in clips[number::2])}")
    limits = change_limits_of(models.embedder.name)
    used = {kind: (kind.limit(limits).max_across, kind.limit(limits).min_within) for kind in Transition}
    print(*report(halves, used), sep="\n")


if __name__ == "__main__":
    main()
