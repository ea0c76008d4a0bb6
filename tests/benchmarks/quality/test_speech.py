"""The gate on who speaks: what was reached once on clips with known speakers may not get worse."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.quality.speech import SIGNALS, analyse, by_kind, find_clips, judge, read_floors, speech_models, undercut
from config import Settings
from core.model_manager import ModelManager
from core.types import FaceAnalysis
from tests.speech_models import needs_speech_packages

KINDS = {
    "embedded": ("solo", "small", "turns-quiet", "cuts", "music", "offscreen"),
    "model": ("solo", "cuts", "offscreen"),
}
"""kinds that are judged here by each signal, with all of their clips: seven of nineteen, and four of those by the
network, which takes several times as long. All take five minutes (python -m benchmarks speech), most of them for the
two real recordings"""


def kind(name: str) -> str:
    return name.partition("__")[0]


@pytest.fixture(scope="module")
def analyses(shared: Path, model_settings: Settings, models: ModelManager) -> list[tuple[str, Path, FaceAnalysis]]:
    chosen = [clip for clip in find_clips() if kind(clip[0]) in KINDS["embedded"]]
    return [(name, truth, analyse(video, model_settings, models)) for name, video, truth in chosen]


@pytest.mark.clips
@pytest.mark.slow
@pytest.mark.timeout(1200)
@needs_speech_packages
@pytest.mark.parametrize("signal", SIGNALS)
def test_no_floor_is_undercut(signal: str, analyses: list[tuple[str, Path, FaceAnalysis]], models_cache: Path) -> None:
    models = speech_models(signal, models_cache)
    judged = KINDS[signal]
    results = [judge(name, truth, analysis, models) for name, truth, analysis in analyses if kind(name) in judged]
    kinds, floors = by_kind(results), read_floors()[signal]
    assert set(judged) <= set(kinds)
    assert undercut(kinds, {name: floors[name] for name in judged}) == []


def test_a_worse_number_is_seen() -> None:
    kinds = {"solo": {"f1": 0.9, "false_alarm": 0.2}}
    assert undercut(kinds, {"solo": {"f1": 0.89, "false_alarm": 0.2}}) == []
    assert len(undercut(kinds, {"solo": {"f1": 0.91, "false_alarm": 0.1}})) == 2
