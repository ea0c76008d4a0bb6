"""`main.py render`: renders a finished folder again from its timeline, without analysing unless asked to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from config import Settings
from core.errors import SettingsError
from core.media.stream_choice import choose_audio
from core.media.video_probe import probe_video
from processors.batch.batch_summary import last_summary
from processors.batch.summary_pages import write_summary_pages
from processors.known_people.people_namer import PeopleNamer
from processors.results.manifest import Manifest
from processors.results.manifest_outline import read_outline
from processors.results.output_leases import folder_lease, gallery_lease
from processors.results.result_lookup import recorded_fingerprint
from processors.results.result_tree import folder_name, output_root
from processors.results.timeline_file import read_timeline
from processors.video.analysis_key import make_store, possible_keys
from processors.video.video_request import VideoRequest
from processors.video_processor import VideoProcessor
from processors.workers.model_loader import load_models
from utils.console.plurals import count_of
from utils.console.printable_text import ascii_safe
from utils.console.stage_monitor import StageMonitor
from utils.console.text_width import columns, padded
from utils.fingerprints import Fingerprint, fingerprint
from utils.time_formats import clock

if TYPE_CHECKING:
    from core.model_manager import ModelManager

logger = logging.getLogger(__name__)


def render_folder(
    folder: Path,
    settings: Settings,
    monitor: StageMonitor,
    *,
    places: Sequence[Path] = (),
    analyse: bool = False,
    models: Callable[[Settings], ModelManager] = load_models,
) -> Manifest:
    """Render the results in `folder` again from its timeline; returns the manifest.

    places: files that may be the video and folders that may hold it, tried before the paths that the stored analysis
    and summary.json have.
    analyse: analyse the video again if the stored analysis is gone.

    Raises:
        SettingsError: the timeline is wrong, or the video or its analysis cannot be found.
        PipelineError: as in a run. OSError: the folder cannot be written.
    """
    output_dir = output_root(folder)
    namer = PeopleNamer(settings, output_dir, lambda: models(settings))
    with folder_lease(folder) as lease, gallery_lease(namer.gallery_path, output_dir):
        key, fingerprint = read_timeline(folder).analysis, recorded_fingerprint(folder)
        store = make_store(settings)
        path = _find_video([*places, store.video_path(key), *_summary_paths(folder, output_dir)], fingerprint, folder)
        info = choose_audio(probe_video(path, settings.analysis.video_stream), settings.encode.audio_stream)
        request = VideoRequest(info, folder, fingerprint, settings, lease.ticket)
        processor = VideoProcessor(request, monitor, lambda: models(settings), namer)
        record = store.load(key, info)
        if record is None:
            _require_repeatable(key, fingerprint, settings, folder, allowed=analyse)
            processor.prepare()
            record = processor.analyse()
        else:
            record = processor.add_speech(record)
        namer.load_photos()
        manifest = processor.finish(record, from_timeline=True)
    # These pages show the people of all videos.
    write_summary_pages(output_dir, namer.gallery_path)
    return manifest


def rendered_lines(folder: Path, manifest: Manifest) -> Iterator[str]:
    """The results of `render_folder`, for the terminal."""
    people, clips = manifest.people, manifest.clips
    made = [count_of(len(people), "person", "people"), count_of(len(clips), "clip")]
    made += [f"{count_of(len(variant.clips), 'clip')} of {name}" for name, variant in manifest.variants.items()]
    made += manifest.extras
    yield f"{', '.join(made)} -> {ascii_safe(str(folder))}"
    width = max((columns(person.name) for person in people), default=0)
    for person in people:
        own = [clip for clip in clips if clip.person == person.name]
        length = clock(sum(clip.end_s - clip.start_s for clip in own))
        yield f"{padded(person.name, width)}  {count_of(len(own), 'clip'):>9}  {length:>8}"


def _require_repeatable(key: str, fingerprint: Fingerprint, settings: Settings, folder: Path, *, allowed: bool) -> None:
    """Raise unless the analysis `key` can be repeated, and is allowed to be."""
    if key not in possible_keys(fingerprint, settings):
        raise SettingsError(
            "its analysis is not in the cache, and the program has changed since it was made",
            path=folder,
            hint="run the video again with --overwrite",
        )
    if not allowed:
        raise SettingsError("its analysis is not in the cache", path=folder, hint="--analyse makes it again")


def _summary_paths(folder: Path, output_dir: Path) -> list[Path]:
    """Where the video of `folder` was in earlier runs; the cache, which says so too, may have been cleared."""
    name, summary = folder_name(folder, output_dir), last_summary(output_dir)
    return [Path(r.path) for r in (*summary.results, *summary.earlier) if r.path and r.folder == name]


def _find_video(places: Sequence[Path | None], wanted: Fingerprint, folder: Path) -> Path:
    recorded = read_outline(folder).input
    name = recorded.name if recorded is not None else ""
    for place in places:
        if place is None:
            continue
        path = place / name if place.is_dir() else place
        if path.is_file() and fingerprint(path) == wanted:
            return path
        logger.debug("%s is not the video of %s", path, folder)
    raise SettingsError(f"its video {name} cannot be found", path=folder, hint="say where it is: --video FILE")
