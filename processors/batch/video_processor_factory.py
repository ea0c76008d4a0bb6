"""What does the work on one video, as the batch sees it, and the factory of the real thing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from config import Settings
from core.analysis_file import AnalysisRecord
from core.types import VideoInfo
from processors.video_processor import VideoProcessor, load_models
from utils.fingerprints import Fingerprint
from utils.stage_monitor import StageMonitor

if TYPE_CHECKING:
    from core.model_manager import ModelManager


class Processor(Protocol):
    """The work on one video; `VideoProcessor` is the real one."""

    def prepare(self) -> None: ...

    def analyse(self) -> AnalysisRecord: ...

    def finish(self, record: AnalysisRecord) -> dict[str, Any]: ...


MakeProcessor = Callable[[VideoInfo, Path, Fingerprint, Settings, StageMonitor], Processor]


class VideoProcessorFactory:
    """Makes `VideoProcessor`s that share the models of the run."""

    def __init__(self, settings: Settings, load: Callable[[Settings], ModelManager] = load_models) -> None:
        """load: called for the first that needs models."""
        self._models = functools.cache(functools.partial(load, settings))

    def __call__(
        self, info: VideoInfo, folder: Path, mark: Fingerprint, settings: Settings, monitor: StageMonitor
    ) -> Processor:
        return VideoProcessor(info, folder, mark, settings, monitor, self._models)

    def release(self) -> None:
        """Let go of the networks, if any were loaded."""
        if self._models.cache_info().currsize:
            self._models().release()
