"""What the program would render of an analysis."""

from __future__ import annotations

from config import Settings
from core.types import CropPath, FaceAnalysis
from processors.crop_planner import CropPlanner
from processors.id_timeline_generator import IdTimelineGenerator
from processors.people.segments import pad_and_split


def camera_paths(analysis: FaceAnalysis, settings: Settings) -> list[CropPath]:
    """The camera's path of every clip, by the program's own decisions."""
    timeline = IdTimelineGenerator(settings.identity, settings.clip).generate(analysis)
    planner = CropPlanner(settings.clip)
    return [planner.plan(s, analysis) for s in pad_and_split(analysis, timeline.segments, settings.clip)]
