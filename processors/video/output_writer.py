"""Writes everything but the clips of a finished video: tracks.csv, timeline.json, images, report.html, manifest.json.

`make_timeline_file` is pure; only `write_results` touches the disk. Nothing written here depends on the clock, the
machine's paths or the order in which threads ran: the same input, settings and models give the same bytes.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from core.types import FaceAnalysis, Timeline
from processors.clips.clip_thumbnails import ClipThumbnails
from processors.pages.report_writer import report_parts
from processors.results.manifest import (
    Manifest,
    ManifestFile,
    ManifestTimeline,
    write_manifest,
)
from processors.results.result_tree import FACE_FILE, REPORT_FILE
from processors.results.speech_table import SPEECH_FILE, speech_lines
from processors.results.timeline_file import (
    TIMELINE_FILE,
    TIMELINE_SCHEMA,
    DivisionEntry,
    PersonEntry,
    SegmentEntry,
    TimelineFile,
    TrackletEntry,
)
from processors.results.tracks_table import TRACKS_FILE, track_lines
from processors.speech.person_turns import PeopleTurns, known_turns
from processors.video.manifest_maker import make_manifest, span_seconds
from processors.video.result_images import write_images
from processors.video.video_result import VideoResult
from utils.console.printable_text import ascii_safe
from utils.files import write_json, write_parts, write_text
from utils.processes.stage_times import timed

_TIMELINE_ABOUT = (
    "Who is shown when. Names, people and segments may be changed, by hand or with main.py rename, merge, split, "
    "assign and drop; main.py render then makes the clips again. start_s and end_s are seconds from the first frame of "
    "the video; a segment lies within one shot and follows tracklets of its person. A tracklet belongs to one person, "
    "or is listed as unknown, or is left out. The field face of a person and the list of tracklets at the end are only "
    "for information."
)


@timed("write")
def write_results(
    folder: Path,
    result: VideoResult,
    thumbnails: ClipThumbnails,
    *,
    edited: bool = False,
    before_edits: str | UnsetType = UNSET,
    folder_name: str = "",
) -> Manifest:
    """Write everything but the clips into `folder`, which already holds them; returns the manifest.

    The manifest is written last: if it exists, everything else does. People without a clip get no folder.

    thumbnails: of the clips. edited: somebody has changed the timeline since the program made it. before_edits: sha256
    of timeline.json before that, if it is known. folder_name: final name of the folder; by default its present name.

    Raises:
        OSError: a file cannot be written, or a clip is missing.
    """
    analysis, timeline = result.analysis, result.timeline
    images, shown = write_images(folder, analysis, timeline, result.clips, thumbnails)
    files = [*(clip.file for clip in result.clips), *images, *itertools.chain.from_iterable(result.extras.values())]
    files += [clip.file for own in result.variants.values() for clip in own]
    write_parts(folder / TRACKS_FILE, (f"{line}\n" for line in track_lines(analysis, timeline)))
    turns = known_turns(analysis, timeline) if result.settings.speech.is_shown else None
    if turns is not None:
        write_text(folder / SPEECH_FILE, "".join(f"{line}\n" for line in speech_lines(timeline, turns)))
        files.append(SPEECH_FILE)
    with_face = [person.name for person in timeline.people if f"{person.name}/{FACE_FILE}" in images]
    timeline_file = make_timeline_file(analysis, timeline, with_face, result.analysis_key, turns)
    write_json(folder / TIMELINE_FILE, msgspec.to_builtins(timeline_file))
    timeline_sha256 = hashlib.sha256((folder / TIMELINE_FILE).read_bytes()).hexdigest()
    files += [TRACKS_FILE, TIMELINE_FILE]
    manifest = make_manifest(
        result,
        file_sizes={file: (folder / file).stat().st_size for file in sorted(files)},
        timeline_state=ManifestTimeline(
            sha256=timeline_sha256,
            edited=edited and timeline_sha256 != before_edits,
            unedited_sha256=before_edits if edited and timeline_sha256 != before_edits else UNSET,
        ),
        turns=turns,
    )
    write_parts(folder / REPORT_FILE, report_parts(manifest, timeline_file, shown, folder_name or folder.name))
    report = ManifestFile(file=REPORT_FILE, bytes=(folder / REPORT_FILE).stat().st_size)
    manifest = replace(manifest, files=(*manifest.files, report))
    write_manifest(folder, manifest)
    return manifest


def make_timeline_file(
    analysis: FaceAnalysis,
    timeline: Timeline,
    faces: Iterable[str],
    analysis_key: str,
    turns: PeopleTurns | None = None,
) -> TimelineFile:
    """timeline.json: people with their segments, and the tracklets that they are made of.

    analysis: its tracklets divided as `timeline` says. faces: names of the people who have a face.jpg.
    turns: from `known_turns`.
    """
    with_face = set(faces)
    return TimelineFile(
        schema=TIMELINE_SCHEMA,
        about=_TIMELINE_ABOUT,
        input=ascii_safe(analysis.video.path.name),
        frame_rate=str(analysis.video.frame_rate),
        analysis=analysis_key,
        people=tuple(
            PersonEntry(
                name=person.name,
                still=person.still,
                face=f"{person.name}/{FACE_FILE}" if person.name in with_face else None,
                tracklets=person.tracklets,
                # Only seconds, not frames too: in a file that people edit, nothing may be stated twice.
                segments=tuple(
                    SegmentEntry(shot=s.shot, **span_seconds(s.start, s.end, analysis), tracklets=s.tracklets)
                    for s in person.segments
                ),
                speaks=UNSET
                if turns is None
                else tuple((round(turn.start_s, 6), round(turn.end_s, 6)) for turn in turns[person.name]),
            )
            for person in timeline.people
        ),
        unknown=timeline.unknown,
        divided=tuple(
            DivisionEntry(tracklet=d.tracklet, at_s=round(analysis.seconds_at(d.frame), 6), id=d.piece)
            for d in timeline.divisions
        )
        or UNSET,
        tracklets=tuple(
            TrackletEntry(id=t.id, shot=t.shot, **span_seconds(t.start, t.end, analysis)) for t in analysis.tracklets
        ),
    )
