"""A further set of clips beside the first: the same people and times in another shape or quality."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from config import VERSION, ClipSettings, Settings
from core.media.stream_choice import choose_audio
from core.types import Clip, CropPath, FaceAnalysis
from processors.clip_renderer import ClipRenderer
from processors.clips.resume_journal import FinishedClips
from utils.files import PARTIAL_PREFIX
from utils.stage_monitor import StageMonitor

PlanCrops = Callable[[ClipSettings], Sequence[CropPath]]
"""the crop paths of the first set's people and times, with other settings of clips"""


def make_variants(
    settings: Settings,
    kept: Mapping[str, tuple[Clip, ...]],
    analysis: FaceAnalysis,
    plan_crops: PlanCrops,
    folder: Path,
    monitor: StageMonitor,
) -> dict[str, tuple[Clip, ...]]:
    """The clips of all `settings.variants`, by name, as PERSON/NAME/*.mp4 below the video's `folder`.

    kept: those that are in the folder already.

    Raises:
        DecodeError, EncodeError, OutputError, ToolMissingError: as in `ClipRenderer.render`.
        InvalidVideoError: the video lacks the audio stream of a variant.
        OSError: a file cannot be moved to its place.
        InterruptedRunError: the monitor's `stop` was set.
    """
    result = dict(kept)
    for name in sorted(settings.variants.keys() - kept.keys()):
        variant = settings.variants[name]
        own = replace(settings, clip=variant.clip, encode=variant.encode)
        heard = dataclasses.replace(analysis, video=choose_audio(analysis.video, variant.encode.audio_stream))
        result[name] = _render(name, own, heard, plan_crops(variant.clip), folder, monitor)
    return result


def _render(
    name: str,
    settings: Settings,
    analysis: FaceAnalysis,
    paths: Sequence[CropPath],
    folder: Path,
    monitor: StageMonitor,
) -> tuple[Clip, ...]:
    # Apart from the first set, whose clips have the same names.
    apart = folder / f"{PARTIAL_PREFIX}{name}"
    apart.mkdir()
    finished = FinishedClips(apart, {"version": VERSION, "variant": name})
    rendered = ClipRenderer(settings, monitor).render(analysis, paths, apart, finished)
    clips = tuple(dataclasses.replace(clip, file=variant_file(clip.file, name)) for clip in rendered.clips)
    for made, clip in zip(rendered.clips, clips, strict=True):
        (folder / clip.file).parent.mkdir(parents=True, exist_ok=True)
        (apart / made.file).rename(folder / clip.file)
    shutil.rmtree(apart)
    return clips


def variant_file(file: str, name: str) -> str:
    """Where a clip of the variant `name` lies: "person_01/clip.mp4" -> "person_01/vertical/clip.mp4"."""
    person, _, rest = file.partition("/")
    return f"{person}/{name}/{rest}"
