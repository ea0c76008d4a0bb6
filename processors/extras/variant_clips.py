"""A further set of clips beside the first: the same people and times in another shape or quality."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from config import Settings
from core.media.stream_choice import choose_audio
from core.types import Clip
from processors.clip_renderer import ClipRenderer
from processors.clips.resume_journal import EarlierClips, FinishedClips
from processors.video.video_clips import VideoClips
from utils.console.stage_monitor import StageMonitor
from utils.files import PARTIAL_PREFIX


def make_variants(
    settings: Settings,
    first: VideoClips,
    kept: Mapping[str, tuple[Clip, ...]],
    earlier: EarlierClips | None,
    folder: Path,
    monitor: StageMonitor,
) -> dict[str, tuple[Clip, ...]]:
    """The clips of all `settings.variants`, by name, as PERSON/NAME/*.mp4 below the video's `folder`.

    first: the first set, whose people and times they show. kept: sets that are in the folder already.
    earlier: clips that may be reused one by one.

    Raises:
        DecodeError, EncodeError, OutputError, ToolMissingError: as in `ClipRenderer.render`.
        InvalidVideoError: the video lacks the audio stream of a variant.
        OSError: a file cannot be moved to its place.
        InterruptedRunError: the monitor's `stop` was set.
    """
    result, record = dict(kept), first.record
    for name in sorted(settings.variants.keys() - kept.keys()):
        variant = settings.variants[name]
        own = replace(settings, clip=variant.clip, encode=variant.encode)
        video = choose_audio(record.analysis.video, variant.encode.audio_stream)
        heard = dataclasses.replace(record.analysis, video=video)
        apart = folder / f"{PARTIAL_PREFIX}{name}"
        apart.mkdir()
        finished = FinishedClips(apart, record.key, earlier)
        renderer = ClipRenderer(own, monitor, variant=name)
        rendered = renderer.render(heard, first.plan_crops(variant.clip), apart, finished)
        result[name] = _moved(rendered.clips, name, apart, folder)
    return result


def _moved(made: Sequence[Clip], name: str, apart: Path, folder: Path) -> tuple[Clip, ...]:
    """The clips at their final place below `folder`. apart: where they were made, named like the first set's clips."""
    clips = tuple(dataclasses.replace(clip, file=variant_file(clip.file, name)) for clip in made)
    for before, clip in zip(made, clips, strict=True):
        (folder / clip.file).parent.mkdir(parents=True, exist_ok=True)
        (apart / before.file).rename(folder / clip.file)
    shutil.rmtree(apart)
    return clips


def variant_file(file: str, name: str) -> str:
    """Where a clip of the variant `name` lies: "person_01/clip.mp4" -> "person_01/vertical/clip.mp4"."""
    person, _, rest = file.partition("/")
    return f"{person}/{name}/{rest}"
