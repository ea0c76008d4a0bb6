"""One video from file to folder: analyse, decide who is shown when, plan the camera, render, write."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config import Settings
from core.errors import InterruptedRunError, ModelError, PipelineError
from core.h264_encoder import choose_encoder
from core.types import CropPath, FaceAnalysis, Timeline, VideoInfo
from processors.clip_renderer import ClipRenderer, RenderResult
from processors.crop_planner import CropPlanner
from processors.face_analyzer import FaceAnalyzer
from processors.id_timeline_generator import IdTimelineGenerator
from processors.output_folder import new_results
from processors.output_writer import write_results
from processors.segment_cutter import cut_segments
from utils.fingerprints import Fingerprint
from utils.progress import StageMonitor

if TYPE_CHECKING:
    # Importing it at run time costs seconds, and inputs that are all done already need no model.
    from core.model_manager import ModelManager

logger = logging.getLogger(__name__)

_ROUNDING = 1e-3
"""of enlargements"""


class VideoProcessor:
    """The two halves of the work on one video, which may run on different threads, one after the other.

    analyse: decodes and finds the faces; the only part that touches models.
    finish: everything from the analysis on; of the models it only asks the names.
    """

    def __init__(
        self,
        info: VideoInfo,
        folder: Path,
        fingerprint: Fingerprint,
        settings: Settings,
        monitor: StageMonitor,
        models: ModelManager,
    ) -> None:
        """folder: the video's output folder; it changes only when the new results are complete."""
        self._info = info
        self._folder = folder
        self._fingerprint = fingerprint
        self._settings = settings
        self._monitor = monitor
        self._models = models

    def analyse(self) -> FaceAnalysis:
        """Find shots, faces and their embeddings in one pass.

        Raises:
            ModelError: a model is missing or unusable.
            VideoProcessingError: the video cannot be decoded.
            InterruptedRunError: the monitor's `stop` was set.
        """
        return FaceAnalyzer(self._settings, self._models, self._monitor).analyze(self._info)

    def finish(self, analysis: FaceAnalysis) -> dict[str, Any]:
        """Write the output folder for `analysis`, of `analyse` or equal to it; returns the manifest.

        Raises:
            EncodeError, DecodeError: a clip cannot be made. ToolMissingError: there is no ffmpeg.
            OSError: the folder cannot be written.
            InterruptedRunError: the monitor's `stop` was set. Old results stay as they were.
        """
        timeline = IdTimelineGenerator(self._settings.identity, self._settings.clip).generate(analysis)
        paths = self._plan(timeline, analysis)
        with new_results(self._folder) as partial:
            rendered = ClipRenderer(self._settings, self._monitor).render(analysis, paths, partial)
            self._leave_if_stopped()
            warnings = result_warnings(analysis, timeline, rendered, max_upscale=self._settings.clip.max_upscale)
            for warning in warnings:
                logger.warning("%s: %s", self._folder.name, warning)
            return write_results(
                partial,
                analysis,
                timeline,
                rendered.clips,
                fingerprint=self._fingerprint,
                settings=self._settings,
                models={**self._models.describe(), "encoder": rendered.encoder},
                warnings=[*self._models.warnings, *warnings],
            )

    def _plan(self, timeline: Timeline, analysis: FaceAnalysis) -> list[CropPath]:
        planner = CropPlanner(self._settings.clip)
        paths = []
        for segment in cut_segments(analysis, timeline.segments, self._settings.clip):
            self._leave_if_stopped()
            paths.append(planner.plan(segment, analysis))
        return paths

    def _leave_if_stopped(self) -> None:
        if self._monitor.stop.is_set():
            raise InterruptedRunError("stopped", path=self._info.path)


def result_warnings(
    analysis: FaceAnalysis, timeline: Timeline, rendered: RenderResult, *, max_upscale: float
) -> list[str]:
    """What the user should know about a result that is complete all the same."""
    enlarged = [clip.upscaled for clip in rendered.clips if clip.upscaled > max_upscale + _ROUNDING]
    counts = {
        "damaged pieces of the video that were passed over": analysis.decode_failures,
        "damaged pictures in clips, where the one before is repeated": rendered.repeated_pictures,
        "damaged pieces of the clips' sound, which are silent": rendered.damaged_sound_packets,
        "tracks that belong to nobody for sure": len(timeline.unknown),
    }
    warnings = [f"{what}: {count}" for what, count in counts.items() if count]
    if enlarged:
        warnings.append(
            f"clips enlarged by more than max_upscale, because the picture is so small: {len(enlarged)}, "
            f"up to {max(enlarged):g} times"
        )
    if not timeline.people:
        warnings.append("no faces were found")
    elif not rendered.clips:
        warnings.append("nobody is in the picture long enough for a clip")
    return warnings


def load_models(settings: Settings) -> ModelManager:
    """The models with everything that every video needs loaded, so that what is missing is known at once.

    Raises:
        ToolMissingError: there is no ffmpeg for the clips, or it has not the encoder that is demanded.
        ModelError: weights, packages or the device are not there or do not fit together.
    """
    choose_encoder(settings.encode.codec, *settings.clip.frame_size)
    hint = "python -m pip install -r requirements.txt"
    try:
        from core.model_manager import ModelManager

        models = ModelManager.instance(settings)
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
