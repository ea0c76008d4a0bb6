"""The gate on quality: who is who on the development clips may not get worse than it once was.

Every clip is analysed once. Where this fails on purpose (a better trade), say why in docs/decisions.
"""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

from benchmarks.known_clips import CLIPS, KNOWN, SAME_SIGNER
from benchmarks.quality.cosine_matrix import cosine_matrix
from benchmarks.quality.people import Result, Run, find_clips, judge, raised, read_floors, undercut
from benchmarks.quality.stored_analyses import analysed_people
from config import Settings
from core.model_manager import ModelManager
from core.models.similarity import Similarity
from core.types import FaceAnalysis, Tracklet
from utils.numbers.clustering import merge_clusters
from videos.make_sample import SAMPLE_FILE

TOLERANCE = 0.004
"""of ratios: another CPU's arithmetic moves single boxes over the limits"""

CLIP_FILES = [(SAMPLE_FILE.name, SAMPLE_FILE), *((name, CLIPS / name) for name in sorted(KNOWN))]


@pytest.fixture(scope="module")
def runs(model_settings: Settings, models: ModelManager) -> dict[str, Run]:
    """Runs by clip, made when first asked for."""

    class Lazy(dict[str, Run]):
        def __missing__(self, name: str) -> Run:
            self[name] = Run(*analysed_people(dict(CLIP_FILES)[name], model_settings, models))
            return self[name]

    return Lazy()


@pytest.mark.clips
@pytest.mark.parametrize(("name", "path"), CLIP_FILES, ids=[name for name, _ in CLIP_FILES])
def test_no_floor_is_undercut(runs: dict[str, Run], name: str, path: Path) -> None:
    floor = read_floors()[name]
    assert undercut(judge(name, path, runs[name]), floor, tolerance=TOLERANCE) == []


@pytest.mark.clips
def test_only_the_portrait_on_the_wall_never_moves(runs: dict[str, Run]) -> None:
    still = {name: [p for p in run.timeline.people if p.still] for name, run in ((n, runs[n]) for n, _ in CLIP_FILES)}
    assert {name: len(people) for name, people in still.items() if people} == {"avobjects_demo.mp4": 1}
    boxes = {t.id: t.boxes for t in runs["avobjects_demo.mp4"].analysis.tracklets}
    (portrait,) = still["avobjects_demo.mp4"]
    # It hangs on the wall of the window at the lower left.
    assert len(portrait.tracklets) == 1 and boxes[portrait.tracklets[0]].shape[0] == 375


@pytest.mark.clips
def test_a_turning_head_is_one_tracklet(runs: dict[str, Run]) -> None:
    analysis = runs["avi_billhyland.mp4"].analysis
    assert [(t.start, t.end) for t in analysis.tracklets] == [(0, analysis.frame_count)] * 2


@pytest.mark.clips
def test_nine_films_of_four_signers_are_linked_without_a_mistake(runs: dict[str, Run]) -> None:
    """People are known across files by their faces alone."""
    words = [word for words in SAME_SIGNER for word in words]
    analyses = [runs[f"people/intel_asl_{word}.mkv"].analysis for word in words]
    people = [_longest(analysis) for analysis in analyses]
    alike = Similarity.for_embedder(analyses[0].embedder).from_cosine(cosine_matrix(people))
    groups = merge_clusters(alike.copy(), np.zeros((0, 2), np.int64), 0.5)
    found = {frozenset(word for word, group in zip(words, groups, strict=True) if group == g) for g in groups}
    assert found == {frozenset(words) for words in SAME_SIGNER}
    same = np.array([[any({a, b} <= set(words) for words in SAME_SIGNER) for b in words] for a in words])
    pairs = np.triu(np.ones_like(same), 1).astype(bool)
    assert alike[pairs & same].min() > alike[pairs & ~same].max()


def _longest(analysis: FaceAnalysis) -> Tracklet:
    return max((t for t in analysis.tracklets if len(t.embeddings)), key=lambda t: len(t.frames))


RESULT = Result(
    clip="a.mp4", frames=100, tracklets=3, unknown=0, people=2, true_people=2, people_error=0, segments=2, still=(),
    cuts=(), missed_cuts=0, false_cuts=0, faces_in_faceless=0, recall=0.98, precision=0.99, idf1=0.97, purity=1.0,
    id_switches=1,
)  # fmt: skip


def test_a_floor_holds_what_is_worse_and_nothing_else() -> None:
    floor = raised({}, [RESULT])["a.mp4"]
    assert undercut(RESULT, floor) == []
    better = dataclasses.replace(RESULT, recall=0.99, id_switches=0)
    assert undercut(better, floor) == []
    for change in ({"recall": 0.97}, {"people_error": 1}, {"missed_cuts": 1}, {"id_switches": 2}):
        (line,) = undercut(dataclasses.replace(RESULT, **change), floor, tolerance=0.005)
        assert next(iter(change)) in line
    assert undercut(dataclasses.replace(RESULT, recall=0.978), floor, tolerance=0.005) == []


def test_floors_only_go_up() -> None:
    floors = raised({}, [RESULT])
    worse, better = dataclasses.replace(RESULT, recall=0.9), dataclasses.replace(RESULT, recall=1.0, id_switches=0)
    assert raised(floors, [worse]) == floors
    lifted = raised(floors, [better])["a.mp4"]
    assert (lifted["recall"], lifted["id_switches"], lifted["idf1"]) == (1.0, 0, 0.97)
    assert raised(floors, []) == floors


@pytest.mark.clips
def test_every_clip_has_its_floor_and_is_measured() -> None:
    names = {name for name, _ in find_clips(CLIPS)}
    assert names == {name for name, _ in CLIP_FILES} == set(read_floors())
    assert len(list(itertools.chain(*SAME_SIGNER))) == 9
