"""The processing of one video as the batch sees it, and the factory of the real processors."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from config import Settings
from core.media.ffmpeg_tool import find_ffmpeg
from processors.batch.executor import VideoJob
from processors.known_people.people_namer import PeopleNamer, VideoNamer, VideoNames
from processors.results.manifest import Manifest
from processors.workers.conversion_watch import watch_conversion
from processors.workers.model_loader import load_models
from utils.console.stage_monitor import StageMonitor
from utils.processes.work_ahead import do_ahead

if TYPE_CHECKING:
    from core.analysis_file import AnalysisRecord
    from core.model_manager import ModelManager
    from processors.known_people.naming_case import NamingCase
    from processors.video.video_draft import VideoDraft


class Processor(Protocol):
    """Processes one video; implemented by `VideoProcessor`, which says more about each step and its errors.

    `prepare`, `analyse` and `finish` are one process's way through a video. Where clips are made by other processes,
    `draft` and `naming_case` come in between, and `make_share` makes a part of the clips before `finish`.
    """

    def prepare(self) -> None:
        """Find out what has to be done, and load the stored analysis or the models."""
        ...

    def analyse(self) -> AnalysisRecord:
        """The stored analysis, or a new one."""
        ...

    def draft(self, record: AnalysisRecord, *, may_share: bool = False) -> VideoDraft:
        """The people of the video and how certain they are, before they are named.

        may_share: the clips of a long video may be divided between several processes.
        """
        ...

    def naming_case(self, record: AnalysisRecord, draft: VideoDraft) -> NamingCase | None:
        """What another process needs to name the people; None if nobody is to be named."""
        ...

    def make_share(self, record: AnalysisRecord, draft: VideoDraft, names: VideoNames, number: int) -> None:
        """Make the clips of share `number`, from 0, where `finish` will find them."""
        ...

    def finish(
        self, record: AnalysisRecord, draft: VideoDraft | None = None, names: VideoNames | None = None
    ) -> Manifest:
        """Make the remaining clips and write the results. draft, names: worked out here if they are None."""
        ...


MakeProcessor = Callable[[VideoJob, StageMonitor], Processor]


class VideoProcessorFactory:
    """Creates `VideoProcessor`s that share the models of the run."""

    def __init__(
        self,
        settings: Settings,
        output_dir: Path,
        load: Callable[[Settings], ModelManager] = load_models,
        names: VideoNamer | None = None,
    ) -> None:
        """load: called once for each embedder, when the first processor needs models.

        names: names the people of all videos; None: `namer` does.
        """
        self._settings = settings
        self._output_dir = output_dir
        self._load = load
        self._names = names
        self._loaded: dict[str, ModelManager] = {}
        self._lock = threading.Lock()

    @functools.cached_property
    def namer(self) -> PeopleNamer:
        """The namer of the run.

        Raises:
            SettingsError: --people names no folder.
        """
        models = functools.partial(self._models, self._settings.analysis.embedder, StageMonitor())
        return PeopleNamer(self._settings, self._output_dir, models)

    def __call__(self, job: VideoJob, monitor: StageMonitor) -> Processor:
        models = functools.partial(self._models, job.settings.analysis.embedder, monitor)
        do_ahead(find_ffmpeg, name="ffmpeg")
        from processors.video_processor import VideoProcessor  # heavy, and finished inputs need none

        return VideoProcessor(job.request, monitor, models, self._names or self.namer)

    def release(self) -> None:
        """Free the networks, if any were loaded."""
        for models in self._loaded.values():
            models.release()

    def _models(self, embedder: str, monitor: StageMonitor) -> ModelManager:
        """The models of the run, with the embedder that a folder was made with. monitor: of who needs them first."""
        with self._lock:
            if embedder not in self._loaded:
                settings = replace(self._settings, analysis=replace(self._settings.analysis, embedder=embedder))
                with watch_conversion(settings, monitor):
                    self._loaded[embedder] = self._load(settings)
            return self._loaded[embedder]
