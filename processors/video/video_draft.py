"""Everything that follows from the analysis of a video before its people are named, computed once, as plain values.

It is all that making the clips needs, in this process or in several on other machines, besides the names: these come
from the driver of the run, and may come later.
"""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from config import Settings
from core.analysis_file import AnalysisRecord
from core.media.timecode_reader import read_timecode
from core.types import FaceAnalysis, Timeline, Tracklet
from processors.id_timeline_generator import IdTimelineGenerator
from processors.known_people.video_names import numbered_timeline
from processors.people.doubt import VideoDoubts, find_doubts
from processors.people.pair_evidence import ComparedTracklets
from processors.people.tracklet_division import divided_analysis
from processors.results.manifest import Manifest
from processors.results.result_tree import folder_name
from processors.results.run_plan import TimelineChoice
from processors.results.timeline_file import TIMELINE_FILE, read_timeline, timeline_sha256, to_timeline
from processors.video.video_analysis import other_analysis_error
from utils.processes.stage_times import timed

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SharedClips:
    """The clips of a video are made by several processes. folder: where, seen by all of them. shares: how many."""

    folder: Path
    shares: int


@dataclass(frozen=True, slots=True, eq=False)
class VideoDraft:
    """Who is shown when, and how certain that is. Can be pickled.

    timeline: with numbers for names, unless `choice` is the edited one. doubts: by these names. shared: None where one
    process makes all clips.
    """

    timeline: Timeline
    choice: TimelineChoice
    doubts: VideoDoubts
    shared: SharedClips | None = None

    @property
    def is_edited(self) -> bool:
        """Whether a user has edited the timeline."""
        return self.choice is TimelineChoice.EDITED

    def doubts_of(self, named: Timeline) -> VideoDoubts:
        """The doubts by the names in `named`, which is `timeline` with other names."""
        pairs = zip(self.timeline.people, named.people, strict=True)
        return self.doubts.renamed({before.name: person.name for before, person in pairs})


def draft_video(
    record: AnalysisRecord,
    folder: Path,
    choice: TimelineChoice,
    manifest: Manifest | None,
    settings: Settings,
    *,
    is_named: bool,
) -> VideoDraft:
    """The draft of the video of `record`, with the timeline that `choice` says.

    folder: of the video's results. manifest: of those that are there. is_named: somebody will name the people, so the
    names that they have got before do not count.

    Raises:
        SettingsError: the edited timeline is wrong.
        VideoProcessingError: it belongs to another analysis.
    """
    timeline, compared = _timeline(record, folder, choice, manifest, settings)
    if is_named and choice is not TimelineChoice.EDITED:
        timeline = numbered_timeline(timeline)
    # Here, because the comparison of a long video is too large to be kept while its clips are made.
    doubts = _doubts(divided_analysis(record.analysis, timeline.divisions), timeline, compared)
    return VideoDraft(timeline, choice, doubts)


def divided_record(record: AnalysisRecord, timeline: Timeline) -> AnalysisRecord:
    """`record` with the divisions of `timeline`."""
    return dataclasses.replace(record, analysis=divided_analysis(record.analysis, timeline.divisions))


def record_to_show(record: AnalysisRecord, timeline: Timeline) -> AnalysisRecord:
    """`record` with what stored analyses lack: the divisions of `timeline`, and the timecode of the video.

    Without the looks around the faces, which serve to decide who is who and nothing else: 18 MB in an hour of four
    people.
    """
    record = divided_record(record, timeline)
    video = dataclasses.replace(record.analysis.video, timecode=read_timecode(record.analysis.video))
    tracklets = tuple(_without_looks(tracklet) for tracklet in record.analysis.tracklets)
    return dataclasses.replace(record, analysis=dataclasses.replace(record.analysis, video=video, tracklets=tracklets))


def _without_looks(tracklet: Tracklet) -> Tracklet:
    # No slices of the columns: those would keep all of them.
    none = np.zeros((0, 0), np.uint8)
    return dataclasses.replace(tracklet, look_frames=np.zeros(0, np.int64), clothes=none, views=none)


def _timeline(
    record: AnalysisRecord, folder: Path, choice: TimelineChoice, manifest: Manifest | None, settings: Settings
) -> tuple[Timeline, ComparedTracklets | None]:
    """The timeline, and the comparison of its tracklets if it was made for it."""
    if choice is TimelineChoice.NEW:
        return _new_timeline(record.analysis, settings)
    found = read_timeline(folder)
    if found.analysis != record.key:
        raise other_analysis_error(record.analysis.video.path)
    logger.info("%s: following its timeline.json", folder_name(folder))
    timeline = to_timeline(found, record.analysis, folder / TIMELINE_FILE)
    if manifest is None or manifest.timeline.is_edited(timeline_sha256(folder)):
        return timeline, None
    if manifest.timeline.edited:
        # All edits were undone since. The statistics in the manifest are those of the edited timeline.
        made, compared = _new_timeline(record.analysis, settings)
        return dataclasses.replace(timeline, statistics=made.statistics), compared
    # Only the manifest knows how the program arrived at its timeline.
    return dataclasses.replace(timeline, statistics=manifest.statistics.identity_numbers), None


@timed("people")
def _new_timeline(analysis: FaceAnalysis, settings: Settings) -> tuple[Timeline, ComparedTracklets]:
    generator = IdTimelineGenerator(settings.identity, settings.clip, speech=settings.speech)
    return generator.compare_and_generate(analysis)


@timed("people")
def _doubts(analysis: FaceAnalysis, timeline: Timeline, compared: ComparedTracklets | None) -> VideoDoubts:
    return find_doubts(analysis, timeline, compared)
