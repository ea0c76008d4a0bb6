"""The gate on faces that appear where somebody else was lost: nobody is followed from one to the other."""

from __future__ import annotations

import pytest

from benchmarks.known_clips import LOST_AND_REPLACED
from benchmarks.quality.edited import WHO
from benchmarks.quality.known_cast import shows
from benchmarks.quality.stored_analyses import analysed
from config import Settings
from core.model_manager import ModelManager
from processors.id_timeline_generator import IdTimelineGenerator


@pytest.mark.clips
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LOST_AND_REPLACED))
def test_who_is_found_where_somebody_was_lost_is_somebody_else(
    name: str, model_settings: Settings, models: ModelManager
) -> None:
    if not (WHO / name).is_file():
        pytest.skip(f"{WHO / name} is not there")
    analysis, _ = analysed(WHO / name, model_settings, models)
    lost, found = ({t.id for t in analysis.tracklets if shows(t, face)} for face in LOST_AND_REPLACED[name])
    assert len(lost) == 1 and len(found) == 1
    timeline = IdTimelineGenerator(model_settings.identity, model_settings.clip).generate(analysis)
    folders = [person.tracklets for person in timeline.people]
    assert not any(lost <= set(tracklets) and found <= set(tracklets) for tracklets in folders)
