"""Everything that can be written beside the clips on request: preview, reels, exports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from config import EXTRA_FILES, Settings
from core.types import Clip, CropPath, FaceAnalysis, Timeline
from processors.extras.earlier_reels import EarlierReels, earlier_reels
from processors.extras.exporters.coco import write_coco
from processors.extras.exporters.edl import write_edl
from processors.extras.exporters.fcpxml import write_fcpxml
from processors.extras.exporters.mot import write_mot
from processors.extras.exporters.otio import write_otio
from processors.extras.exporters.speech_vtt import write_speech_vtt
from processors.extras.exporters.vtt import write_vtt
from processors.results.existing_results import ExistingResults
from processors.speech.person_turns import known_turns
from processors.video.result_images import ranked_faces
from utils.console.stage_monitor import StageMonitor


@dataclass(frozen=True, slots=True)
class ExtrasContext:
    """What extras are made from.

    folder: the video's; it holds the clips. plan_crops: plans the camera of all clips of the first set again.
    existing: the earlier results, of which parts may be reused; None: none.
    """

    folder: Path
    analysis: FaceAnalysis
    timeline: Timeline
    clips: Sequence[Clip]
    settings: Settings
    monitor: StageMonitor
    plan_crops: Callable[[], Sequence[CropPath]]
    existing: ExistingResults | None = None


Writer = Callable[[ExtrasContext], tuple[str, ...]]
"""Writes an extra; returns its files, relative to the folder"""

Exporter = Callable[[Path, FaceAnalysis, Timeline], tuple[str, ...]]
"""(folder, analysis, timeline) -> files, relative to the folder. Raises OSError if they cannot be written."""


@dataclass(frozen=True, slots=True)
class Extra:
    """One kind of extra.

    name: its name in the manifest, and in `--export` if it is an export. files: see `config.EXTRA_FILES`.
    """

    name: str
    files: str
    write: Writer


def _export(name: str, exporter: Exporter) -> Extra:
    return Extra(name, EXTRA_FILES[name], lambda context: exporter(context.folder, context.analysis, context.timeline))


def _write_preview(context: ExtrasContext) -> tuple[str, ...]:
    # Imported on use: drawing text takes 30 ms to import.
    from processors.extras.preview_renderer import write_preview

    analysis, timeline, settings = context.analysis, context.timeline, context.settings
    turns = known_turns(analysis, timeline) if settings.speech.is_shown else None
    return write_preview(context.folder, analysis, timeline, settings.encode, context.monitor, turns)


def _write_reels(context: ExtrasContext) -> tuple[str, ...]:
    from processors.extras.reel_maker import ReelOutput, write_reels

    faces = ranked_faces(context.analysis, context.timeline)
    output = ReelOutput(context.folder, context.analysis.video.frame_rate, context.settings.encode)
    earlier = EarlierReels() if context.existing is None else earlier_reels(context.existing)
    return write_reels(output, context.clips, faces, context.monitor, earlier)


def _write_edl(context: ExtrasContext) -> tuple[str, ...]:
    # A list lies in the person's folder, which people without a clip do not have (`--only`, `--min-time`).
    shown = {clip.person for clip in context.clips}
    people = (p if p.name in shown else replace(p, segments=()) for p in context.timeline.people)
    return write_edl(context.folder, context.analysis, replace(context.timeline, people=tuple(people)))


def _write_fcpxml(context: ExtrasContext) -> tuple[str, ...]:
    return write_fcpxml(context.folder, context.analysis, context.timeline, context.plan_crops())


_ALL = (
    Extra("preview", EXTRA_FILES["preview"], _write_preview),
    Extra("reel", EXTRA_FILES["reel"], _write_reels),
    _export("mot", write_mot),
    _export("coco", write_coco),
    _export("vtt", write_vtt),
    _export("speech", write_speech_vtt),
    _export("otio", write_otio),
    Extra("edl", EXTRA_FILES["edl"], _write_edl),
    Extra("fcpxml", EXTRA_FILES["fcpxml"], _write_fcpxml),
)

EXTRAS = {extra.name: extra for extra in _ALL}


def write_extras(names: Iterable[str], context: ExtrasContext) -> dict[str, tuple[str, ...]]:
    """Write the extras `names` (of `OutputSettings.extras`); returns the files of each, relative to the folder.

    Raises:
        DecodeError, EncodeError, OutputError: a video cannot be made.
        ToolMissingError: a library is not installed.
        OSError: a file cannot be written.
        InterruptedRunError: the monitor's `stop` was set.
    """
    return {name: EXTRAS[name].write(context) for name in sorted(names)}
