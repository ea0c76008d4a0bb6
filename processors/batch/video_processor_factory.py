"""The processing of one video as the batch sees it, and the factory of the real processors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from config import Settings
from core.analysis_file import AnalysisRecord
from core.types import VideoInfo
from processors.batch.model_loader import load_models
from processors.known_people.people_namer import PeopleNamer
from processors.results.manifest import Manifest
from processors.video_processor import VideoProcessor
from utils.fingerprints import Fingerprint
from utils.stage_monitor import StageMonitor

if TYPE_CHECKING:
    from core.model_manager import ModelManager


class Processor(Protocol):
    """Processes one video; implemented by `VideoProcessor`."""

    def prepare(self) -> None: ...

    def analyse(self) -> AnalysisRecord: ...

    def finish(self, record: AnalysisRecord) -> Manifest: ...


MakeProcessor = Callable[[VideoInfo, Path, Fingerprint, Settings, StageMonitor], Processor]


class VideoProcessorFactory:
    """Creates `VideoProcessor`s that share the models of the run."""

    def __init__(
        self, settings: Settings, output_dir: Path, load: Callable[[Settings], ModelManager] = load_models
    ) -> None:
        """load: called once, when the first processor needs models.

        Raises:
            SettingsError: --people names no folder.
        """
        self._models = functools.cache(functools.partial(load, settings))
        self.namer = PeopleNamer(settings, output_dir, self._models)

    def __call__(
        self, info: VideoInfo, folder: Path, fingerprint: Fingerprint, settings: Settings, monitor: StageMonitor
    ) -> Processor:
        return VideoProcessor(info, folder, fingerprint, settings, monitor, self._models, self.namer)

    def release(self) -> None:
        """Free the networks, if any were loaded."""
        if self._models.cache_info().currsize:
            self._models().release()
