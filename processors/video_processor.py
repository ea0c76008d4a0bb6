"""One video from file to folder: analyse, decide who is shown when, plan the camera, render, write."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from config import VERSION, Settings, result_settings
from core.analysis_file import AnalysisRecord
from core.errors import InterruptedRunError, ModelError, PipelineError, VideoProcessingError
from core.media.ffmpeg_tool import find_ffmpeg
from core.media.h264_encoder import choose_encoder
from core.thread_budget import keep_opencv_single
from core.types import CropPath, FaceAnalysis, Timeline, VideoInfo
from processors.clip_renderer import ClipRenderer
from processors.clips.clip_thumbnails import ClipThumbnails
from processors.clips.resume_journal import FinishedClips
from processors.crop_planner import CropPlanner
from processors.extras.registry import ExtrasContext, write_extras
from processors.id_timeline_generator import IdTimelineGenerator
from processors.people.segments import pad_and_split
from processors.results.analysis_key import analysis_key, make_store, possible_keys
from processors.results.html_page import prepare_pages
from processors.results.output_folder import has_edited_timeline, read_manifest, staged_results
from processors.results.output_writer import TIMELINE_FILE, write_results
from processors.results.result_warnings import result_warnings
from processors.results.reusable_results import ReusableResults, find_reusable, link_files
from processors.results.timeline_file import read_timeline, to_timeline
from utils.fingerprints import Fingerprint, fingerprint
from utils.helper_threads import helper_thread
from utils.stage_monitor import StageMonitor
from utils.stage_times import timed

if TYPE_CHECKING:
    # Importing it at run time costs seconds, and inputs that are all done already need no model.
    from core.model_manager import ModelManager

logger = logging.getLogger(__name__)

_ANALYZER = "processors.face_analyzer"
"""videos that were analysed before do not need it"""


class VideoProcessor:
    """The work on one video. `analyse` and `finish` may run on different threads, one after the other.

    prepare: looks for the analysis of an earlier run; loads the models where there is none.
    analyse: decodes and finds the faces, if that was not done before.
    finish: everything from the analysis on; it needs no models.
    """

    def __init__(
        self,
        info: VideoInfo,
        folder: Path,
        fingerprint: Fingerprint,
        settings: Settings,
        monitor: StageMonitor,
        models: Callable[[], ModelManager],
    ) -> None:
        """folder: the video's output folder; it changes only when the new results are complete.

        models: called when they are needed, which may be never.
        """
        keep_opencv_single()
        self._info = info
        self._folder = folder
        self._fingerprint = fingerprint
        self._settings = settings
        self._monitor = monitor
        self._models = models
        self._store = make_store(settings) if settings.run.cache else None
        self._record: AnalysisRecord | None = None

    def prepare(self) -> None:
        """Have everything that `analyse` needs.

        Raises:
            ModelError: a model is missing or unusable. ToolMissingError: there is no ffmpeg.
        SettingsError: the edited timeline is wrong. VideoProcessingError: it belongs to another analysis.
        """
        keys = possible_keys(self._fingerprint, self._settings)
        wanted = read_timeline(self._folder).analysis if self._follows_edits() else None
        if wanted is not None and self._was_made_with_these_settings():
            # Another version of the program may have made it: what people edited goes on with its analysis.
            keys = (wanted,)
        if self._store is not None:
            found = (self._store.load(key, self._info) for key in keys)
            self._record = next((record for record in found if record is not None), None)
        if self._record is None:
            if wanted is not None and wanted not in possible_keys(self._fingerprint, self._settings):
                raise self._another_analysis()
            self._models()

    def analyse(self) -> AnalysisRecord:
        """Find shots, faces and their embeddings in one pass, and store them; or hand out what `prepare` has found.

        Raises:
            ModelError: a model is missing or unusable.
            VideoProcessingError: the video cannot be decoded, or changed meanwhile.
            InterruptedRunError: the monitor's `stop` was set.
        """
        if self._record is not None:
            logger.info("%s: the analysis is there already", self._folder.name)
            self._monitor.update("analyse", 1, 1)
            return self._record
        from processors.face_analyzer import FaceAnalyzer

        models = self._models()
        analysis = FaceAnalyzer(self._settings, models, self._monitor).analyze(self._info)
        self._demand_unchanged()
        key = analysis_key(self._fingerprint, self._settings, analysis.embedder)
        record = AnalysisRecord(key, analysis, models.describe(), models.warnings)
        if self._store is not None:
            self._store.save(record)
        return record

    def finish(self, record: AnalysisRecord, *, from_timeline: bool = False) -> dict[str, Any]:
        """Write the output folder for `record`, of `analyse` or equal to it; returns the manifest.

        A timeline that somebody edited there is followed, unless everything is to be overwritten.
        from_timeline: follow the one that is there even if nobody edited it.

        Raises:
            EncodeError, DecodeError: a clip cannot be made. ToolMissingError: there is no ffmpeg.
            SettingsError: the edited timeline is wrong. VideoProcessingError: it belongs to another analysis, or the
                video has changed.
            OSError: the folder cannot be written.
            InterruptedRunError: the monitor's `stop` was set. Old results stay as they were.
        """
        helper_thread(_look_ahead, name="ahead").start()
        analysis = record.analysis
        edited = self._follows_edits()
        if edited or from_timeline:
            timeline = self._timeline_there(record, edited=edited)
        else:
            timeline = self._new_timeline(analysis)
        keep = not self._settings.run.overwrite and not from_timeline
        kept = find_reusable(self._folder, self._fingerprint, self._settings, record.key) if keep else None
        resume = kept is None and not self._settings.run.overwrite
        with staged_results(self._folder, self._fingerprint, resume=resume) as partial:
            if kept is None:
                kept, pictures = self._render(record, timeline, partial)
            else:
                logger.info("%s: the clips are there already", self._folder.name)
                link_files(kept.files, self._folder, partial)
                pictures = self._pictures(partial, (clip.person for clip in kept.clips))
            missing = self._settings.output.extras - set(kept.extras)
            context = ExtrasContext(partial, analysis, timeline, kept.clips, self._settings, self._monitor)
            made = write_extras(missing, context)
            self._leave_if_stopped()
            self._demand_unchanged()
            return write_results(
                partial,
                analysis,
                timeline,
                kept.clips,
                pictures,
                fingerprint=self._fingerprint,
                settings=self._settings,
                models=kept.models,
                warnings=kept.warnings,
                analysis_key=record.key,
                edited=edited,
                extras={**kept.extras, **made},
            )

    def _render(
        self, record: AnalysisRecord, timeline: Timeline, folder: Path
    ) -> tuple[ReusableResults, ClipThumbnails]:
        """Make the clips in `folder`."""
        paths = self._plan(timeline, record.analysis)
        facts = {"version": VERSION, "analysis": record.key, "encode": msgspec.to_builtins(self._settings.encode)}
        finished = FinishedClips(folder, facts)
        pictures = self._pictures(folder, (path.segment.person for path in paths))
        renderer = ClipRenderer(self._settings, self._monitor)
        rendered = renderer.render(record.analysis, paths, folder, finished, pictures.read_ahead)
        finished.keep_only(clip.file for clip in rendered.clips)
        self._leave_if_stopped()
        warnings = result_warnings(record.analysis, timeline, rendered, max_upscale=self._settings.clip.max_upscale)
        for warning in warnings:
            logger.warning("%s: %s", self._folder.name, warning)
        made = ReusableResults(
            clips=rendered.clips,
            extras={},
            models={**record.models, "encoder": rendered.encoder},
            warnings=(*record.warnings, *warnings),
        )
        return made, pictures

    def _pictures(self, folder: Path, people: Iterable[str]) -> ClipThumbnails:
        return ClipThumbnails(folder, people, self._settings.run.threads)

    def _follows_edits(self) -> bool:
        return not self._settings.run.overwrite and has_edited_timeline(self._folder)

    def _was_made_with_these_settings(self) -> bool:
        recorded = (read_manifest(self._folder) or {}).get("settings")
        return isinstance(recorded, dict) and recorded.get("analysis") == result_settings(self._settings)["analysis"]

    def _another_analysis(self) -> VideoProcessingError:
        return VideoProcessingError(
            "its timeline was edited, but for another analysis than these settings make",
            path=self._info.path,
            stage="timeline",
            hint="--overwrite begins anew and keeps the edited one as timeline.json.bak",
        )

    @timed("people")
    def _new_timeline(self, analysis: FaceAnalysis) -> Timeline:
        return IdTimelineGenerator(self._settings.identity, self._settings.clip).generate(analysis)

    def _timeline_there(self, record: AnalysisRecord, *, edited: bool) -> Timeline:
        found = read_timeline(self._folder)
        if found.analysis != record.key:
            raise self._another_analysis()
        logger.info("%s: following its timeline.json", self._folder.name)
        timeline = to_timeline(found, record.analysis, self._folder / TIMELINE_FILE)
        if edited:
            return timeline
        # How the program came by it is in the manifest alone.
        statistics = (read_manifest(self._folder) or {}).get("statistics", {}).get("identity", {})
        return dataclasses.replace(timeline, statistics=statistics)

    @timed("plan")
    def _plan(self, timeline: Timeline, analysis: FaceAnalysis) -> list[CropPath]:
        planner = CropPlanner(self._settings.clip)
        paths = []
        for segment in pad_and_split(analysis, timeline.segments, self._settings.clip):
            self._leave_if_stopped()
            paths.append(planner.plan(segment, analysis))
        return paths

    def _demand_unchanged(self) -> None:
        """A file that is still being copied or recorded: what was seen of it belongs to no state that it had."""
        try:
            unchanged = fingerprint(self._info.path) == self._fingerprint
        except OSError as error:
            raise VideoProcessingError(f"it cannot be read any more: {error.strerror}", path=self._info.path) from error
        if not unchanged:
            hint = "run again when it is complete"
            raise VideoProcessingError("it changed while it was being read", path=self._info.path, hint=hint)

    def _leave_if_stopped(self) -> None:
        if self._monitor.stop.is_set():
            raise InterruptedRunError("stopped", path=self._info.path)


@timed("models")
def load_models(settings: Settings) -> ModelManager:
    """The models with everything that every video needs loaded, so that what is missing is known at once.

    Raises:
        ToolMissingError: there is no ffmpeg for the clips, or it has not the encoder that is demanded.
        ModelError: weights, packages or the device are not there or do not fit together.
    """
    choose_encoder(settings.encode.codec, *settings.clip.frame_size)
    hint = "python -m pip install -r requirements.txt -c constraints.txt"
    # What the analysis imports takes 0.4 s, and loading the networks is half waiting.
    importing = helper_thread(_import_analyzer, name="import")
    importing.start()
    try:
        from core.model_manager import ModelManager

        models = ModelManager.instance(settings)
        importlib.import_module(_ANALYZER)
        logger.info("%s", models.device_line)
        logger.debug("networks: %r, %r", models.detector, models.embedder)
        return models
    except PipelineError:
        raise
    except ImportError as error:
        raise ModelError(f"a package is missing or broken: {error}", stage="models", hint=hint) from error
    except Exception as error:
        # torch and torchvision of different releases fail with a RuntimeError, a broken library with an OSError.
        pair = "; torch and torchvision must be of matching releases" if "torchvision" in str(error) else ""
        raise ModelError(f"the networks cannot be loaded: {error}{pair}", stage="models", hint=hint) from error
    finally:
        importing.join()


def _import_analyzer() -> None:
    # What is missing is said when it is imported in earnest.
    with contextlib.suppress(Exception):
        importlib.import_module(_ANALYZER)


def _look_ahead() -> None:
    """What `finish` waits for later and need not wait for then."""
    # What does not work is said where it is needed.
    with contextlib.suppress(Exception):
        find_ffmpeg()
        prepare_pages()
