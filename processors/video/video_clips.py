"""The clips of one video: which there are, where the camera looks, and how they get into a folder."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from config import ClipSettings, Settings
from core.analysis_file import AnalysisRecord
from core.errors import InterruptedRunError
from core.types import CropPath, Segment
from processors.clip_renderer import ClipRenderer
from processors.clips.clip_names import clip_files
from processors.clips.clip_shares import clip_share
from processors.clips.clip_thumbnails import ClipThumbnails
from processors.clips.resume_journal import EarlierClips, FinishedClips
from processors.crop_planner import CropPlanner
from processors.known_people.people_namer import VideoNames
from processors.known_people.video_names import named_timeline
from processors.pages.html_page import prepare_pages
from processors.people.segments import pad_and_split
from processors.results.existing_results import ReusableResults, link_files
from processors.results.result_tree import folder_name
from processors.video.clip_choice import choose_clips
from processors.video.result_warnings import NOBODY_LONG_ENOUGH, result_warnings
from processors.video.video_draft import SharedClips, VideoDraft
from utils.console.printable_text import ascii_safe
from utils.console.stage_monitor import StageMonitor
from utils.processes.stage_times import timed
from utils.processes.work_ahead import do_ahead

logger = logging.getLogger(__name__)


class VideoClips:
    """The first set of clips; further ones (`variants`) show the same people and times.

    Attributes:
        record: of the video; the analysis is ready to be shown.
        names: of its people.
        timeline: with these names.
    """

    def __init__(
        self,
        record: AnalysisRecord,
        draft: VideoDraft,
        names: VideoNames,
        settings: Settings,
        folder: Path,
        monitor: StageMonitor,
    ) -> None:
        """record: see `record_to_show`. draft: its timeline gets `names`. folder: of the video's results."""
        edited, repeated = draft.is_edited, len(draft.doubts.repeated)
        self.record = record
        self.names = names
        self.timeline = named_timeline(draft.timeline, names.people)
        self._settings = settings
        self._folder = folder
        self._monitor = monitor
        self._edited = edited
        self._repeated = repeated
        self._choice = choose_clips(self.timeline, record.analysis, names.people, settings, folder_name(folder))

    def plan_crops(self, settings: ClipSettings) -> list[CropPath]:
        """The crop paths of all clips, with these settings.

        Raises:
            InterruptedRunError: the monitor's `stop` was set.
        """
        return self._plan_crops(pad_and_split(self.record.analysis, self._choice.segments, settings), settings)

    def make(self, staging: Path, earlier: EarlierClips | None) -> tuple[ReusableResults, ClipThumbnails]:
        """Make the clips in `staging`. earlier: clips that may be taken over.

        Raises:
            EncodeError, DecodeError, ToolMissingError, OutputError, OSError: as in `ClipRenderer.render`.
            InterruptedRunError: the monitor's `stop` was set.
        """
        paths = self.plan_crops(self._settings.clip)
        finished = FinishedClips(staging, self.record.key, earlier)
        thumbnails = self._thumbnails(staging, (path.segment.person for path in paths))
        # While the encoders have enough to do: before the first frame, they would wait for it.
        begun = functools.partial(do_ahead, prepare_pages, name="pages")
        renderer = ClipRenderer(self._settings, self._monitor, begun=begun)
        rendered = renderer.render(self.record.analysis, paths, staging, finished, thumbnails.read_ahead)
        finished.keep_only(clip.file for clip in rendered.clips)
        self._raise_if_stopped()
        warnings = result_warnings(
            self.record.analysis,
            self.timeline,
            rendered,
            max_upscale=self._settings.clip.max_upscale,
            min_time=self._settings.clip.min_time,
            only_speaking=self._settings.speech.when == "speaking",
            edited=self._edited,
            repeated=self._repeated,
        )
        if self._settings.people.only and not self._choice.is_anybody_named:
            warnings = [warning for warning in warnings if not warning.startswith(NOBODY_LONG_ENOUGH)]
            warnings.append(f"nobody in this video is {ascii_safe(self._settings.people.only)}, so there are no clips")
        for warning in warnings:
            logger.warning("%s: %s", folder_name(self._folder), warning)
        results = ReusableResults(
            clips=rendered.clips,
            extras={},
            models={**self.record.models, "encoder": rendered.encoder},
            warnings=(*self.record.warnings, *warnings),
        )
        return results, thumbnails

    def make_share(self, number: int, shared: SharedClips, earlier: EarlierClips | None) -> None:
        """Make the clips of share `number` (from 0) in the folder of `shared`, where `make` will find them.

        Raises:
            EncodeError, DecodeError, ToolMissingError, OutputError, OSError, InterruptedRunError: as in `make`.
        """
        analysis, clip = self.record.analysis, self._settings.clip
        segments = pad_and_split(analysis, self._choice.segments, clip)
        files = clip_files(segments, analysis, clip.template)
        mine = clip_share(segments, number, shared.shares)
        finished = FinishedClips(shared.folder, self.record.key, earlier, is_shared=True)
        paths = self._plan_crops([segments[i] for i in mine], clip)
        renderer = ClipRenderer(self._settings, self._monitor)
        renderer.render(analysis, paths, shared.folder, finished, files=[files[i] for i in mine])

    def take_over(self, reused: ReusableResults, staging: Path) -> ClipThumbnails:
        """Put the clips and extras of the video's folder into `staging`."""
        logger.info("%s: reusing the clips that are there", folder_name(self._folder))
        link_files(reused.files, self._folder, staging)
        return self._thumbnails(staging, (clip.person for clip in reused.clips))

    @timed("plan")
    def _plan_crops(self, segments: Sequence[Segment], settings: ClipSettings) -> list[CropPath]:
        planner = CropPlanner(settings)
        paths = []
        for segment in segments:
            self._raise_if_stopped()
            paths.append(planner.plan(segment, self.record.analysis))
        return paths

    def _thumbnails(self, staging: Path, people: Iterable[str]) -> ClipThumbnails:
        return ClipThumbnails(staging, people, self._settings.run.threads)

    def _raise_if_stopped(self) -> None:
        if self._monitor.stop.is_set():
            raise InterruptedRunError("stopped", path=self.record.analysis.video.path)
