"""The analysis of one video: a stored one that fits the run, or a new one that is then stored."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from core.analysis_file import AnalysisRecord
from core.errors import VideoProcessingError
from processors.results.manifest import read_manifest
from processors.results.remembered_settings import remembered_settings
from processors.results.result_tree import folder_name
from processors.results.run_plan import TimelineChoice
from processors.results.timeline_file import read_timeline
from processors.video.analysis_key import analysis_key, make_store, possible_keys
from processors.video.speech_record import speech_files, with_speech
from processors.video.video_request import VideoRequest
from utils.console.stage_monitor import StageMonitor
from utils.fingerprints import fingerprint

if TYPE_CHECKING:
    # Importing it at run time takes seconds, and a run over finished inputs needs no model.
    from core.model_manager import ModelManager

logger = logging.getLogger(__name__)


class VideoAnalysis:
    """Finds or makes the analysis of a video; `prepare` and then `make` may run on different threads.

    Attributes:
        stored: the analysis that `prepare` has loaded, until `make` takes it; None if a new one is needed.
    """

    def __init__(self, request: VideoRequest, monitor: StageMonitor, models: Callable[[], ModelManager]) -> None:
        """models: called when they are needed."""
        self._info = request.info
        self._folder = request.folder
        self._fingerprint = request.fingerprint
        self._settings = request.settings
        self._monitor = monitor
        self._models = models
        self._store = make_store(request.settings) if request.settings.run.cache else None
        self.stored: AnalysisRecord | None = None

    def prepare(self, timeline: TimelineChoice) -> None:
        """Load the stored analysis that fits, or else the models. timeline: the one that the run follows.

        Raises:
            ModelError: a model is missing or unusable.
            SettingsError: the edited timeline is wrong.
            VideoProcessingError: it belongs to an analysis that is not stored and cannot be repeated.
        """
        speech_files(self._info, self._settings)
        possible = possible_keys(self._fingerprint, self._settings)
        followed = read_timeline(self._folder).analysis if timeline is TimelineChoice.EDITED else None
        if followed is None:
            self.stored = self._load(possible)
        elif followed in possible or self._has_recorded_settings():
            # Another version of the program may have made this analysis. As long as it is stored, edits stay usable.
            self.stored = self._load([followed])
        if self.stored is None:
            if followed is not None and followed not in possible:
                raise other_analysis_error(self._info.path)
            self._models()

    def make(self) -> AnalysisRecord:
        """What `prepare` has loaded; else shots, faces and embeddings, found in one pass and stored.

        Raises:
            ModelError: a model is missing or unusable.
            VideoProcessingError: the video cannot be decoded, or changed meanwhile.
            InterruptedRunError: the monitor's `stop` was set.
        """
        stored, self.stored = self.stored, None  # whoever gets it decides how long it is kept
        if stored is not None:
            logger.info("%s: using the stored analysis", folder_name(self._folder))
            self._monitor.update("analyse", 1, 1)
            return self.add_speech(stored)
        from processors.face_analyzer import FaceAnalyzer

        models = self._models()
        analysis = FaceAnalyzer(self._settings, models, self._monitor).analyze(self._info)
        self.require_unchanged_video()
        key = analysis_key(self._fingerprint, self._settings, analysis.embedder)
        record = AnalysisRecord(key, analysis, models.describe(), models.warnings)
        if self._store is not None:
            self._store.save(record)
        return self.add_speech(record)

    def add_speech(self, record: AnalysisRecord) -> AnalysisRecord:
        """`record` with the speech signal, if the settings ask for it; see `speech_record.with_speech`."""
        return with_speech(record, self._settings, self._store, self._monitor)

    def require_unchanged_video(self) -> None:
        """Fail if the file changed during the run; the results would mix two versions of it.

        Raises:
            VideoProcessingError: it did.
        """
        path = self._info.path
        try:
            unchanged = fingerprint(path) == self._fingerprint
        except OSError as error:
            raise VideoProcessingError(f"it can no longer be read: {error.strerror}", path=path) from error
        if not unchanged:
            hint = "run again when it is complete"
            raise VideoProcessingError("the file changed during the run", path=path, hint=hint)

    def _load(self, keys: Iterable[str]) -> AnalysisRecord | None:
        """The first of `keys` that is stored."""
        if self._store is None:
            return None
        found = (self._store.load(key, self._info) for key in keys)
        return next((record for record in found if record is not None), None)

    def _has_recorded_settings(self) -> bool:
        manifest = read_manifest(self._folder)
        remembered = None if manifest is None else remembered_settings(manifest)
        return remembered is not None and remembered.analysis == self._settings.analysis


def other_analysis_error(video: Path) -> VideoProcessingError:
    """The error for a timeline in the folder that does not fit the analysis of this run."""
    return VideoProcessingError(
        "its timeline.json belongs to another analysis than these settings give",
        path=video,
        stage="timeline",
        hint="--overwrite starts over and keeps the present one as timeline.json.bak",
    )
