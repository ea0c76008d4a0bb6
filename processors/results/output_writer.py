"""Writes everything but the clips of a finished video: tracks.csv, timeline.json, images, report.html, manifest.json.

`make_manifest` and `make_timeline_file` are pure; only `write_results` touches the disk. Nothing written here depends
on the clock, the machine's paths or the order in which threads ran: the same input, settings and models give the same
bytes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET
from msgspec.structs import replace

from config import VERSION, Settings, result_settings
from core.errors import ascii_safe
from core.types import AudioInfo, Clip, FaceAnalysis, Identity, Segment, Timeline
from processors.clips.clip_thumbnails import ClipThumbnails
from processors.known_people.people_list import match_entry
from processors.known_people.people_namer import VideoNames
from processors.known_people.person_linker import Match
from processors.known_people.video_names import PersonName
from processors.results.manifest import (
    MANIFEST_SCHEMA,
    Manifest,
    ManifestClip,
    ManifestFile,
    ManifestInput,
    ManifestNames,
    ManifestPerson,
    ManifestSegment,
    ManifestShot,
    ManifestStatistics,
    ManifestTimeline,
    ManifestVariant,
    ManifestVideo,
    write_manifest,
)
from processors.results.report_writer import REPORT_FILE, report_html
from processors.results.result_pictures import FACE_FILE, write_images
from processors.results.speech_table import SPEECH_FILE, speech_lines
from processors.results.timeline_file import (
    TIMELINE_FILE,
    TIMELINE_SCHEMA,
    PersonEntry,
    SegmentEntry,
    TimelineFile,
    TrackletEntry,
)
from processors.results.tracks_table import TRACKS_FILE, track_lines
from processors.speech.person_turns import PeopleTurns, known_turns
from utils.files import atomic_path, write_json, write_text
from utils.fingerprints import Fingerprint
from utils.stage_times import timed

_TIMELINE_ABOUT = (
    "Who is shown when. Names, people and segments may be changed, by hand or with main.py rename, merge, split and "
    "drop; main.py render then makes the clips anew. start_s and end_s are seconds from the first frame of the video; "
    "a segment lies within one shot and follows tracklets of its person. A tracklet is of one person, or unknown, or "
    "left out. Of people, face is only told; so is the list of tracklets at the end."
)


@timed("write")
def write_results(
    folder: Path,
    analysis: FaceAnalysis,
    timeline: Timeline,
    clips: Sequence[Clip],
    thumbnails: ClipThumbnails,
    *,
    fingerprint: Fingerprint,
    settings: Settings,
    models: Mapping[str, Any],
    warnings: Sequence[str],
    analysis_key: str,
    edited: bool = False,
    extras: Mapping[str, Sequence[str]] | None = None,
    variants: Mapping[str, Sequence[Clip]] | None = None,
    names: VideoNames | None = None,
) -> Manifest:
    """Write everything but the clips into `folder`, which already holds them; returns the manifest.

    The manifest is written last: where it is, everything else is. People without a clip get no folder.

    thumbnails: of the clips. fingerprint: of the video. analysis_key: what the analysis is stored under.
    edited: somebody changed the timeline since the program worked it out. extras: files (relative to `folder`) of
    each extra that has been written, by its name ("preview"). variants: further sets of clips, by the name that
    `settings` has for them.

    Raises:
        OSError: a file cannot be written, or a clip is missing.
    """
    extras, variants = extras or {}, variants or {}
    images, shown = write_images(folder, analysis, timeline, clips, thumbnails)
    files = [*(clip.file for clip in clips), *images, *(file for files in extras.values() for file in files)]
    files += [clip.file for own in variants.values() for clip in own]
    with atomic_path(folder / TRACKS_FILE) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in track_lines(analysis, timeline))
    turns = known_turns(analysis, timeline) if settings.speech.is_shown else None
    if turns is not None:
        write_text(folder / SPEECH_FILE, "".join(f"{line}\n" for line in speech_lines(timeline, turns)))
        files.append(SPEECH_FILE)
    with_face = [person.name for person in timeline.people if f"{person.name}/{FACE_FILE}" in images]
    timeline_file = make_timeline_file(analysis, timeline, with_face, analysis_key, turns)
    write_json(folder / TIMELINE_FILE, msgspec.to_builtins(timeline_file))
    timeline_sha256 = hashlib.sha256((folder / TIMELINE_FILE).read_bytes()).hexdigest()
    files += [TRACKS_FILE, TIMELINE_FILE]
    manifest = make_manifest(
        analysis,
        timeline,
        clips,
        file_sizes={file: (folder / file).stat().st_size for file in sorted(files)},
        fingerprint=fingerprint,
        settings=settings,
        models=models,
        warnings=warnings,
        analysis_key=analysis_key,
        timeline_state=ManifestTimeline(sha256=timeline_sha256, edited=edited),
        extras=extras,
        variants=variants,
        names=names,
        turns=turns,
    )
    write_text(folder / REPORT_FILE, report_html(manifest, timeline_file, shown))
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

    faces: names of the people who have a face.jpg. turns: from `known_turns`.
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
                # Seconds only: in a file that people edit, nothing may be stated twice.
                segments=tuple(
                    SegmentEntry(shot=s.shot, **_seconds(s.start, s.end, analysis), tracklets=s.tracklets)
                    for s in person.segments
                ),
                speaks=UNSET
                if turns is None
                else tuple((round(turn.start_s, 6), round(turn.end_s, 6)) for turn in turns[person.name]),
            )
            for person in timeline.people
        ),
        unknown=timeline.unknown,
        tracklets=tuple(
            TrackletEntry(id=t.id, shot=t.shot, **_seconds(t.start, t.end, analysis)) for t in analysis.tracklets
        ),
    )


def make_manifest(
    analysis: FaceAnalysis,
    timeline: Timeline,
    clips: Sequence[Clip],
    *,
    file_sizes: Mapping[str, int],
    fingerprint: Fingerprint,
    settings: Settings,
    models: Mapping[str, Any],
    warnings: Sequence[str],
    analysis_key: str,
    timeline_state: ManifestTimeline,
    extras: Mapping[str, Sequence[str]] | None = None,
    variants: Mapping[str, Sequence[Clip]] | None = None,
    names: VideoNames | None = None,
    turns: PeopleTurns | None = None,
) -> Manifest:
    """manifest.json: everything that another program needs to know about the results.

    file_sizes: bytes of every file except the manifest itself, by path relative to its folder.
    turns: from `known_turns`.
    """
    names = names or VideoNames()
    by_folder = {person.folder: person for person in names.people}
    return Manifest(
        schema=MANIFEST_SCHEMA,
        version=VERSION,
        input=ManifestInput(name=ascii_safe(analysis.video.path.name), **asdict(fingerprint)),
        video=_video(analysis),
        settings=result_settings(settings),
        models=_json_value(models),
        analysis=analysis_key,
        timeline=timeline_state,
        shots=tuple(
            ManifestShot(index=s.index, transition=s.transition, **_interval(s.start, s.end, analysis))
            for s in analysis.shots
        ),
        people=tuple(_person(person, analysis, clips, by_folder.get(person.name), turns) for person in timeline.people),
        names=ManifestNames(
            gallery=names.named_by.gallery, photos=names.named_by.photos, only=ascii_safe(settings.people.only)
        ),
        unknown=timeline.unknown,
        clips=_clips(clips, file_sizes),
        variants={
            name: ManifestVariant(settings=msgspec.to_builtins(settings.variants[name]), clips=_clips(own, file_sizes))
            for name, own in sorted((variants or {}).items())
        },
        extras={name: tuple(files) for name, files in sorted((extras or {}).items())},
        files=tuple(ManifestFile(file=file, bytes=size) for file, size in file_sizes.items()),
        warnings=tuple(warnings),
        decode_failures=analysis.decode_failures,
        statistics=ManifestStatistics(
            analysis=_json_value(dict(sorted(analysis.statistics.items()))),
            identity=_json_value(dict(sorted(timeline.statistics.items()))),
        ),
    )


def _clips(clips: Sequence[Clip], file_sizes: Mapping[str, int]) -> tuple[ManifestClip, ...]:
    return tuple(ManifestClip(**_json_value(asdict(clip)), bytes=file_sizes[clip.file]) for clip in clips)


def _person(
    person: Identity, analysis: FaceAnalysis, clips: Sequence[Clip], named: PersonName | None, turns: PeopleTurns | None
) -> ManifestPerson:
    own = None if turns is None else turns[person.name]
    return ManifestPerson(
        name=person.name,
        id=named.id if named is not None else "",
        known_as=ascii_safe(named.name) if named is not None else "",
        match=match_entry(named.match if named is not None else Match()),
        still=person.still,
        on_screen_s=round(analysis.on_screen_s(person.tracklets), 3),
        tracklets=person.tracklets,
        segments=tuple(_segment(segment, analysis) for segment in person.segments),
        clips=sum(clip.person == person.name for clip in clips),
        turns=UNSET if own is None else len(own),
        speaks_s=UNSET if own is None else round(sum(turn.duration_s for turn in own), 3),
    )


def _segment(segment: Segment, analysis: FaceAnalysis) -> ManifestSegment:
    return ManifestSegment(
        shot=segment.shot, **_interval(segment.start, segment.end, analysis), tracklets=segment.tracklets
    )


def _interval(start: int, end: int, analysis: FaceAnalysis) -> dict[str, Any]:
    return {**_seconds(start, end, analysis), "start": start, "end": end}


def _seconds(start: int, end: int, analysis: FaceAnalysis) -> dict[str, float]:
    return {"start_s": round(analysis.seconds_at(start), 6), "end_s": round(analysis.seconds_at(end), 6)}


def _video(analysis: FaceAnalysis) -> ManifestVideo:
    video, first_s = analysis.video, analysis.seconds_at(0)
    return ManifestVideo(
        container=video.container,
        codec=video.codec,
        pixel_format=video.pixel_format,
        width=video.width,
        height=video.height,
        coded_width=video.coded_width,
        coded_height=video.coded_height,
        rotation=video.rotation,
        sample_aspect_ratio=str(video.sample_aspect_ratio),
        frame_rate=str(video.frame_rate),
        time_base=str(video.time_base),
        frames=analysis.frame_count,
        start_s=round(first_s, 6),
        duration_s=round(analysis.seconds_at(analysis.frame_count) - first_s, 6),
        interlaced=video.interlaced,
        color=video.color,
        audio=tuple(AudioInfo(**_json_value(asdict(track))) for track in video.audio),
        audio_used=None if video.default_audio is None else video.default_audio.index,
    )


def _json_value(value: Any) -> Any:
    """`value` as JSON can hold it: Python numbers, floats rounded to 6 places, None for NaN, `ascii_safe` strings."""
    if isinstance(value, Mapping):
        return {str(key): _json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_value(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, str):
        return ascii_safe(value)
    return value
