"""The decode pass over a video: shots, faces, tracks and embeddings.

Up to five threads work on it. One decodes frames and finds cuts (`DecodedFrames`); the caller's detects and follows
faces (`AnalysisPass`); one measures them and another embeds those of ended tracks (`ObserverThread`); on a CPU, one
computes the candidates of the next searches while faces are still being followed (`ProposalPrefetcher`). All queues
between them are bounded.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING

from config import AUTO_TURN, Settings
from core.errors import DecodeError
from core.media.decoder_choice import choose_nvdec
from core.media.video_frame import waiting_frames
from core.media.video_reader import VideoReader, is_indexed
from core.model_manager import ModelManager
from core.thread_budget import thread_budget
from core.types import FaceAnalysis, VideoInfo
from processors.faces.analysis_pass import AnalysisPass
from processors.faces.faceless_check import certainty
from processors.faces.faceless_reasons import DARK, OVEREXPOSED, TURNED
from processors.faces.pass_plan import PassPlan
from processors.faces.small_faces import small_faces
from utils.console.stage_monitor import StageMonitor
from utils.processes.malloc_tuning import MemoryReturn
from utils.processes.prefetch import prefetch

if TYPE_CHECKING:
    from core.media.nvdec import Nvdec

logger = logging.getLogger(__name__)

QUEUE_FRAMES = 8
"""frames that are decoded ahead at most"""


class FaceAnalyzer:
    """Finds the faces of a video and follows them through its shots."""

    def __init__(self, settings: Settings, models: ModelManager, monitor: StageMonitor | None = None) -> None:
        self._settings = settings.analysis
        self._decoder = settings.run.decoder
        self._threads = thread_budget(settings.run.threads)
        self._models = models
        self._monitor = monitor or StageMonitor()

    def analyze(self, info: VideoInfo) -> FaceAnalysis:
        """Decode `info`, or the part of it that the settings name, from beginning to end.

        Where nobody is found for sure, but faces are seen in turned images, all is done once more with the image
        turned; the analysis is of the turned video if that finds somebody more surely. Likewise with all images
        darkened where the video is overexposed and nobody is found.

        Raises:
            DecodeError: not one frame can be decoded, or the part holds none.
            ModelError: a model cannot be had.
            InterruptedRunError: the monitor's stop was set.
        """
        if self._settings.turn != AUTO_TURN:
            return self._analyze_as_turned(info.turned(int(self._settings.turn)))
        found = self._analyze_as_turned(info)
        if TURNED not in found.statistics:
            return found
        degrees = int(found.statistics[TURNED])
        logger.info("%s: analysing again with the image turned by %d degrees clockwise", info.path.name, degrees)
        turned = self._analyze_as_turned(info.turned(degrees))
        before, after = (certainty(each.tracklets, float(info.frame_rate)) for each in (found, turned))
        if after > before or (turned.tracklets and not found.tracklets):
            return dataclasses.replace(turned, statistics={**turned.statistics, TURNED: degrees})
        # The turn does not help, so it is not to be proposed either.
        others = {name: value for name, value in found.statistics.items() if name != TURNED}
        return dataclasses.replace(found, statistics=others)

    def _analyze_as_turned(self, info: VideoInfo) -> FaceAnalysis:
        """The analysis, of darkened images if only they show somebody; if nobody is found, with the likely reason."""
        plan = PassPlan.of(info, self._settings)
        found = self._analyze_decoded(plan)
        if not found.tracklets and not {TURNED, OVEREXPOSED, DARK} & found.statistics.keys():
            small = small_faces(plan.info, plan.settings, self._settings.min_face, self._models)
            return dataclasses.replace(found, statistics={**found.statistics, **small})
        if OVEREXPOSED not in found.statistics:
            return found
        logger.info("%s: analysing again with darkened images, because the video is overexposed", info.path.name)
        darkened = self._analyze_decoded(plan.darkened())
        if not darkened.tracklets:
            return found
        return dataclasses.replace(darkened, statistics={**darkened.statistics, OVEREXPOSED: 1})

    def _analyze_decoded(self, plan: PassPlan) -> FaceAnalysis:
        """The analysis with the GPU's decoder, if there is one and it reads all of the video, else with software."""
        nvdec = choose_nvdec(plan.info, self._models.device) if self._decoder == "auto" else None
        if nvdec is not None:
            # What fails may be the GPU or the file, which only the software decoder can tell.
            try:
                found = self.analyze_pass(plan, nvdec)
            except (RuntimeError, DecodeError) as error:
                reason = " ".join(str(error).split())
            else:
                if not found.decode_failures:
                    return found
                reason = f"{found.decode_failures} packets or frames could not be decoded"
            name = plan.info.path.name
            logger.warning("%s: analysing again with software decoding, because NVDEC failed: %s", name, reason)
        return self.analyze_pass(plan, None)

    def analyze_pass(self, plan: PassPlan, nvdec: Nvdec | None) -> FaceAnalysis:
        """One pass as planned, repeated if the times of its frames turn out to need repair. Raises like `analyze`.

        nvdec: decodes; None: software does.
        """
        found = self._analyze(plan, nvdec)
        if found.video.has_repaired_times and plan.part.start_pts is not None and is_indexed(plan.info):
            # How times are repaired depends on what was decoded before, and later readings begin at the beginning.
            found = self._analyze(plan.with_repaired_times(), nvdec)
        return found

    def _analyze(self, plan: PassPlan, nvdec: Nvdec | None) -> FaceAnalysis:
        info, frame_count = plan.info, plan.part.frame_count
        with (
            VideoReader(info, threads=self._threads.decode, nvdec=nvdec) as reader,
            AnalysisPass(plan, self._models, self._monitor) as analysis,
        ):
            ahead = waiting_frames(info.width, info.height, QUEUE_FRAMES)
            return_memory = MemoryReturn()
            decoded = analysis.decoded_frames(reader)
            with prefetch(decoded, ahead, self._monitor.stop) as frames:
                for frame, boundaries in frames:
                    return_memory()
                    analysis.take(frame, boundaries)
                    self._monitor.update("analyse", frame.index + 1, max(frame_count, frame.index + 1))
            return analysis.result(reader, decoded)
