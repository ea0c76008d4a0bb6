"""The gate on who speaks: what was reached once on clips with known speakers may not get worse."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.quality.speech import SIGNALS, analyse, by_kind, find_clips, judge, read_floors, speech_models, undercut
from config import Settings
from core.model_manager import ModelManager
from core.types import FaceAnalysis
from tests.speech_models import needs_speech_packages

KINDS = ("solo", "small", "turns-quiet", "cuts", "music", "offscreen")
"""kinds that are judged here, with all of their clips: seven of nineteen. All take five minutes (python -m benchmarks
speech), most of them for the two real recordings"""


@pytest.fixture(scope="module")
def analyses(shared: Path, model_settings: Settings, models: ModelManager) -> list[tuple[str, Path, FaceAnalysis]]:
    chosen = [clip for clip in find_clips() if clip[0].partition("__")[0] in KINDS]
    return [(name, truth, analyse(video, model_settings, models)) for name, video, truth in chosen]


@pytest.mark.clips
@pytest.mark.slow
@pytest.mark.timeout(1200)
@needs_speech_packages
@pytest.mark.parametrize("signal", SIGNALS)
def test_no_floor_is_undercut(signal: str, analyses: list[tuple[str, Path, FaceAnalysis]], models_cache: Path) -> None:
    models = speech_models(signal, models_cache)
    results = [judge(name, truth, analysis, models) for name, truth, analysis in analyses]
    kinds, floors = by_kind(results), read_floors()[signal]
    assert set(KINDS) <= set(kinds)
    assert undercut(kinds, {kind: floors[kind] for kind in KINDS}) == []


def test_a_worse_number_is_seen() -> None:
    kinds = {"solo": {"f1": 0.9, "false_alarm": 0.2}}
    assert undercut(kinds, {"solo": {"f1": 0.89, "false_alarm": 0.2}}) == []
    assert len(undercut(kinds, {"solo": {"f1": 0.91, "false_alarm": 0.1}})) == 2
