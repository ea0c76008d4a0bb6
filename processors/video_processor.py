"""One video from file to output folder: analyse, decide who is shown when, plan the crops, render, write."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import UNSET

from core.analysis_file import AnalysisRecord
from core.errors import InterruptedRunError
from core.media.ffmpeg_tool import find_ffmpeg
from core.thread_budget import use_one_opencv_thread
from processors.clips.clip_shares import share_count
from processors.clips.clip_thumbnails import ClipThumbnails
from processors.clips.resume_journal import EarlierClips
from processors.extras.registry import ExtrasContext, write_extras
from processors.extras.variant_clips import make_variants
from processors.known_people.people_namer import VideoNamer, VideoNames
from processors.people.segments import pad_and_split
from processors.results.existing_results import ExistingResults, ReusableResults, examine_folder
from processors.results.manifest import Manifest
from processors.results.output_folder import staged_results
from processors.results.replaced_clips import refusal_error
from processors.results.result_tree import folder_name
from processors.results.run_plan import Action, RunPlan, plan_run
from processors.results.staging import make_staging
from processors.video.output_writer import write_results
from processors.video.video_analysis import VideoAnalysis
from processors.video.video_clips import VideoClips
from processors.video.video_draft import SharedClips, VideoDraft, divided_record, draft_video, record_to_show
from processors.video.video_request import VideoRequest
from processors.video.video_result import VideoResult
from utils.console.stage_monitor import StageMonitor
from utils.processes.work_ahead import do_ahead

if TYPE_CHECKING:
    # Importing it at run time takes seconds, and a run over finished inputs needs no model.
    from core.model_manager import ModelManager
    from processors.known_people.naming_case import NamingCase


class VideoProcessor:
    """The work on one video. `analyse` and `finish` may run on different threads, one after the other.

    prepare: load the analysis of an earlier run, or else the models.
    analyse: decode the video and find its faces, unless `prepare` has loaded an analysis.
    finish: everything from the analysis on. It needs no models.
    """

    def __init__(
        self,
        request: VideoRequest,
        monitor: StageMonitor,
        models: Callable[[], ModelManager],
        namer: VideoNamer | None = None,
    ) -> None:
        """models: called when they are needed, which may be never. namer: of the run; None: people get numbers."""
        use_one_opencv_thread()
        self._info = request.info
        self._folder = request.folder
        self._fingerprint = request.fingerprint
        self._settings = request.settings
        self._lease = request.lease
        self._monitor = monitor
        self._namer = namer
        self._analysis = VideoAnalysis(request, monitor, models)

    def prepare(self) -> None:
        """Get everything that `analyse` needs.

        Raises:
            ModelError: a model is missing or unusable.
            ToolMissingError: there is no ffmpeg.
            SettingsError: the edited timeline is wrong.
            VideoProcessingError: the edited timeline belongs to another analysis.
            OutputError: the folder is not ours, or holds the results of another video.
        """
        _, plan = self._plan_run()
        self._analysis.prepare(plan.timeline)
        if self._namer is not None:
            # Here, because the networks are this thread's, and idle.
            self._namer.load_photos()

    def analyse(self) -> AnalysisRecord:
        """Find shots, faces and embeddings in one pass and store them; or return what `prepare` has loaded.

        Raises:
            ModelError: a model is missing or unusable.
            VideoProcessingError: the video cannot be decoded, or changed meanwhile.
            InterruptedRunError: the monitor's `stop` was set.
        """
        return self._analysis.make()

    def add_speech(self, record: AnalysisRecord) -> AnalysisRecord:
        """`record` with the signal of who speaks, if the settings ask for it; see `speech_record.with_speech`."""
        return self._analysis.add_speech(record)

    def draft(self, record: AnalysisRecord, *, may_share: bool = False) -> VideoDraft:
        """What `finish` begins with. may_share: other processes could make the clips of a long video together.

        Raises:
            SettingsError, VideoProcessingError, OutputError, OSError: as in `finish`.
        """
        existing, plan = self._plan_run(record.key)
        draft = self._draft(record, existing, plan)
        if not may_share or plan.action is not Action.RENDER:
            return draft
        analysis = divided_record(record, draft.timeline).analysis
        shares = share_count(pad_and_split(analysis, draft.timeline.segments, self._settings.clip), analysis)
        if shares == 1:
            return draft
        # Not on a local disk, which the others do not see.
        folder = make_staging(self._folder, self._fingerprint, None, resume=plan.resume)
        return dataclasses.replace(draft, shared=SharedClips(folder, shares))

    def naming_case(self, record: AnalysisRecord, draft: VideoDraft) -> NamingCase | None:
        """What has to be known to name the people of `draft`; None where nobody names them."""
        if self._namer is None:
            return None
        from processors.known_people.naming_case import naming_case

        divided = divided_record(record, draft.timeline)
        return naming_case(
            self._fingerprint, divided, draft.timeline, folder_name(self._folder), edited=draft.is_edited
        )

    def make_share(self, record: AnalysisRecord, draft: VideoDraft, names: VideoNames, number: int) -> None:
        """Make the clips of share `number` (from 0) of a draft with `shared` clips, for the `finish` that follows.

        Raises:
            EncodeError, DecodeError, ToolMissingError, OutputError, OSError, InterruptedRunError: as in `finish`.
        """
        assert draft.shared is not None
        if self._lease is not None:
            self._lease.require_held()
        clips = self._clips(record, draft, names)
        existing = examine_folder(self._folder, self._fingerprint, self._settings, record.key)
        clips.make_share(number, draft.shared, None if self._settings.run.overwrite else existing.earlier_clips)

    def finish(
        self,
        record: AnalysisRecord,
        draft: VideoDraft | None = None,
        names: VideoNames | None = None,
        *,
        from_timeline: bool = False,
    ) -> Manifest:
        """Write the output folder for `record`, which `analyse` has returned; returns the manifest.

        What happens to results that are there already is decided by `run_plan.plan_run`.
        draft: of the video; None: it is made here. Its shared clips, if there are any, have been made. names: of its
        people; None: they are named here. from_timeline: render the timeline in the folder, even if nobody edited it.

        Raises:
            EncodeError, DecodeError: a clip cannot be made.
            ToolMissingError: there is no ffmpeg.
            SettingsError: the edited timeline is wrong.
            VideoProcessingError: the edited timeline belongs to another analysis, or the video has changed.
            OutputError: the folder is not ours, or holds the results of another video.
            OSError: the folder cannot be written.
            InterruptedRunError: the monitor's `stop` was set. Old results stay as they were.
        """
        do_ahead(find_ffmpeg, name="ffmpeg")
        existing, plan = self._plan_run(record.key, from_timeline=from_timeline)
        draft = draft or self._draft(record, existing, plan)
        clips = self._clips(record, draft, names)
        del record  # clips take long to make, and need a part of it only
        reused = existing.reusable_for(clips.timeline, self._settings) if plan.action is Action.ADD_EXTRAS else None
        earlier = None if self._settings.run.overwrite else existing.earlier_clips
        with staged_results(
            self._folder,
            self._fingerprint,
            resume=draft.shared is not None or (plan.resume and reused is None),
            lease=self._lease,
            scratch=self._settings.run.scratch_folder if draft.shared is None else None,
        ) as staging:
            if reused is None:
                results, thumbnails = clips.make(staging, earlier)
            else:
                results, thumbnails = reused, clips.take_over(reused, staging)
            results = self._with_extras(results, clips, existing, earlier, staging)
            self._raise_if_stopped()
            self._analysis.require_unchanged_video()
            manifest = self._write(staging, clips, results, thumbnails, draft, existing.manifest)
        if self._namer is not None:
            self._namer.note_clips(self._fingerprint, {person.name: person.clips for person in manifest.people})
        return manifest

    def _plan_run(self, key: str | None = None, *, from_timeline: bool = False) -> tuple[ExistingResults, RunPlan]:
        """What is in the folder, and what to do about it. key: of the analysis, where it is known."""
        existing = examine_folder(self._folder, self._fingerprint, self._settings, key)
        overwrite = self._settings.run.overwrite
        # `inspect_input` has decided already whether clips may be skipped or replaced.
        plan = plan_run(
            existing.facts, overwrite=overwrite, from_timeline=from_timeline, may_skip=False, may_replace=True
        )
        if plan.refusal is not None:
            raise refusal_error(existing, plan.refusal, self._settings)
        return existing, plan

    def _draft(self, record: AnalysisRecord, existing: ExistingResults, plan: RunPlan) -> VideoDraft:
        is_named = self._namer is not None
        return draft_video(record, self._folder, plan.timeline, existing.manifest, self._settings, is_named=is_named)

    def _clips(self, record: AnalysisRecord, draft: VideoDraft, names: VideoNames | None) -> VideoClips:
        """What is to be shown of a draft. names: None: the people are named here."""
        record = record_to_show(record, draft.timeline)
        names = self._names(record, draft) if names is None else names
        return VideoClips(record, draft, names, self._settings, self._folder, self._monitor)

    def _names(self, record: AnalysisRecord, draft: VideoDraft) -> VideoNames:
        if self._namer is None:
            return VideoNames()
        return self._namer.name(
            self._fingerprint, record, draft.timeline, folder_name(self._folder), edited=draft.is_edited
        )

    def _with_extras(
        self,
        results: ReusableResults,
        clips: VideoClips,
        existing: ExistingResults,
        earlier: EarlierClips | None,
        staging: Path,
    ) -> ReusableResults:
        """`results`, whose files are in `staging`, with all variants and extras that the settings ask for."""
        variants = make_variants(self._settings, clips, results.variants, earlier, staging, self._monitor)
        context = ExtrasContext(
            staging,
            clips.record.analysis,
            clips.timeline,
            results.clips,
            self._settings,
            self._monitor,
            functools.partial(clips.plan_crops, self._settings.clip),
            None if self._settings.run.overwrite else existing,
        )
        made = write_extras(self._settings.output.extras - set(results.extras), context)
        return dataclasses.replace(results, extras={**results.extras, **made}, variants=variants)

    def _write(
        self,
        staging: Path,
        clips: VideoClips,
        results: ReusableResults,
        thumbnails: ClipThumbnails,
        draft: VideoDraft,
        replaced: Manifest | None,
    ) -> Manifest:
        """replaced: the manifest of the results that are there already."""
        result = VideoResult(
            analysis=clips.record.analysis,
            analysis_key=clips.record.key,
            timeline=clips.timeline,
            doubts=draft.doubts_of(clips.timeline),
            names=clips.names,
            clips=results.clips,
            variants=results.variants,
            extras=results.extras,
            fingerprint=self._fingerprint,
            settings=self._settings,
            # Even if the clips were made earlier, who speaks was found by this run's models.
            models={**clips.record.models, "encoder": results.models.get("encoder")},
            warnings=tuple(dict.fromkeys((*clips.record.warnings, *results.warnings))),
        )
        return write_results(
            staging,
            result,
            thumbnails,
            edited=draft.is_edited,
            before_edits=UNSET if replaced is None else replaced.timeline.before_edits,
            folder_name=folder_name(self._folder),
        )

    def _raise_if_stopped(self) -> None:
        if self._monitor.stop.is_set():
            raise InterruptedRunError("stopped", path=self._info.path)
