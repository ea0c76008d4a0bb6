"""Who is who in one film joined from all labelled clips: people whom chance makes alike are not mixed.

    python -m benchmarks.quality.joined [--embedder NAME] [--cache-dir DIR] [--gap SECONDS] [--json FILE]

A clip alone has few people to take for one another; here each is compared with those of every other clip, as in a film
of many scenes. The film is put together from the analyses of the clips, not from their frames: their boxes are
stretched to one frame size, and their times follow each other. So nothing is lost to another encoding, and a run
takes seconds once the clips are analysed. First line: with the constants in use. Second line: each pair is judged by
constants that were fitted without the clips of both (curves of faces and clothes, and their weights).
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np

from benchmarks.quality.doubt import is_mixed
from benchmarks.quality.edited import b_cubed
from benchmarks.quality.evidence import Clip, Constants, Pairs, as_arguments, fit, labelled_clips
from benchmarks.quality.run_settings import offline_settings
from core.model_manager import ModelManager
from core.types import FaceAnalysis, FloatArray, IntArray, Shot, Tracklet
from processors.people.pair_evidence import PairEvidence, TrackletSimilarity
from processors.people.tracklet_evidence import Continuation
from processors.people.tracklet_grouping import group_tracklets
from utils.files import write_json
from utils.numbers.pair_matrix import PairMatrix

FRAME_SIZE = (1280, 720)
TIME_BASE = Fraction(1, 90_000)

FOLDS = 5
"""the clips are dealt out to so many sets; constants are fitted without the sets of the two clips of a pair"""


@dataclass(frozen=True, slots=True)
class JoinedScore:
    """people: true ones with a tracklet. found: people found that have such tracklets. extra: of those, beyond the
    first of each true person. mixed: the people in each mixed folder, "a + b". precision, recall, f1: B-cubed over
    frames.
    """

    people: int
    found: int
    extra: int
    mixed: tuple[str, ...]
    precision: float
    recall: float
    f1: float


def joined(clips: Sequence[Clip], gap_s: float = 0.0) -> Clip:
    """The clips one after the other, `gap_s` apart, as one analysis with the people of all."""
    pts: list[int] = []
    shots: list[Shot] = []
    tracklets: list[Tracklet] = []
    clock = 0
    for clip in clips:
        analysis, first, first_shot = clip.analysis, len(pts), len(shots)
        seconds = analysis.bounds_s
        pts += [clock + round(float(s) / float(TIME_BASE)) for s in seconds[:-1] - seconds[0]]
        clock += round((float(seconds[-1] - seconds[0]) + gap_s) / float(TIME_BASE))
        shots += [
            replace(s, index=first_shot + s.index, start=first + s.start, end=first + s.end) for s in analysis.shots
        ]
        size = (analysis.video.width, analysis.video.height)
        scale = np.array([new / old for new, old in zip(FRAME_SIZE, size, strict=True)], np.float32)
        tracklets += [_moved(t, len(tracklets) + k, first, first_shot, scale) for k, t in enumerate(clip.tracklets)]
    video = replace(clips[0].analysis.video, width=FRAME_SIZE[0], height=FRAME_SIZE[1], time_base=TIME_BASE)
    film = FaceAnalysis(
        video, np.array(pts, np.int64), tuple(shots), tuple(tracklets), clips[0].analysis.embedder, decode_failures=0
    )
    people = tuple(person for clip in clips for person in clip.people)
    weights = np.array([len(t.frames) for t in tracklets], np.int64)
    return Clip("joined", film, tuple(tracklets), people, weights)


def _moved(tracklet: Tracklet, number: int, first: int, shot: int, scale: FloatArray) -> Tracklet:
    return replace(
        tracklet,
        id=number,
        shot=shot + tracklet.shot,
        frames=tracklet.frames + first,
        sample_frames=tracklet.sample_frames + first,
        look_frames=tracklet.look_frames + first,
        boxes=tracklet.boxes * np.tile(scale, 2),
        landmarks=tracklet.landmarks * scale,
    )


def score(film: Clip, labels: IntArray) -> JoinedScore:
    """labels: (N,) the person of each tracklet, -1 unknown."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for row, (person, weight) in enumerate(zip(film.people, film.weights.tolist(), strict=True)):
        if person is not None:
            found[int(labels[row]) if labels[row] >= 0 else -row - 2][person] += weight
    known = {label: faces for label, faces in found.items() if label >= 0}
    main = Counter(faces.most_common(1)[0][0] for faces in known.values())
    precision, recall, f1 = (round(value, 4) for value in b_cubed(found))
    return JoinedScore(
        people=len({person for person in film.people if person is not None}),
        found=len(known),
        extra=sum(main.values()) - len(main),
        mixed=tuple(sorted(" + ".join(sorted(faces)) for faces in known.values() if is_mixed(faces))),
        precision=precision,
        recall=recall,
        f1=f1,
    )


def similarity_without_own(clips: Sequence[Clip]) -> TrackletSimilarity:
    """How alike tracklets of the joined clips are, each pair by constants that have not seen the clips of both."""
    pairs = Pairs(clips)
    constants: dict[tuple[int, int], Constants] = {}
    for a, b in combinations_with_replacement(range(FOLDS), 2):
        use = np.ones(len(pairs.same), np.bool_)
        for clip in [*clips[a::FOLDS], *clips[b::FOLDS]]:
            use &= ~pairs.touching(clip.name)
        constants[a, b] = fit(pairs, use)
    fold_of_tracklet = np.array([number % FOLDS for number, clip in enumerate(clips) for _ in clip.tracklets])

    def similarity(tracklets: Sequence[Tracklet], analysis: FaceAnalysis, links: Sequence[Continuation]) -> PairMatrix:
        folds = fold_of_tracklet[[t.id for t in tracklets]]
        found = np.zeros((len(tracklets), len(tracklets)), np.float32)
        for (a, b), fitted in constants.items():
            evidence = PairEvidence(tracklets, analysis, links=links, **as_arguments(fitted))
            likeness = PairMatrix(len(tracklets), evidence.similarity).square(np.arange(len(tracklets)))
            judged = (folds[:, None] == a) & (folds == b)
            judged |= judged.T
            found[judged] = likeness[judged]
        return PairMatrix.of(found)

    return similarity


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embedder", default="auto")
    parser.add_argument("--cache-dir", default="", help="where analyses and converted networks are kept")
    parser.add_argument("--gap", type=float, default=0.0, help="seconds between two clips")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    args = parser.parse_args()
    settings = offline_settings(args.cache_dir, embedder=args.embedder, device="cpu")
    clips = list(labelled_clips(settings, ModelManager.instance(settings)))
    film = joined(clips, args.gap)
    unseen = similarity_without_own(clips)
    scores = {
        "in use": score(film, group_tracklets(film.tracklets, film.analysis, settings.identity).labels),
        "fitted without the clips": score(
            film, group_tracklets(film.tracklets, film.analysis, settings.identity, unseen).labels
        ),
    }
    print(f"{len(clips)} clips, {len(film.tracklets)} tracklets")
    print("| constants | people | found | extra | mixed | precision | recall | F1 |\n|" + "---|" * 8)
    for name, s in scores.items():
        mixed = f"{len(s.mixed)} ({', '.join(s.mixed)})" if s.mixed else "0"
        figures = f"{s.precision:.3f} | {s.recall:.3f} | {s.f1:.3f}"
        print(f"| {name} | {s.people} | {s.found} | {s.extra} | {mixed} | {figures} |")
    if args.json:
        write_json(args.json, {name: asdict(s) for name, s in scores.items()})


if __name__ == "__main__":
    main()
