"""Builds manifest.json from what a run has found and made. Pure functions; `output_writer` writes the file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET
from msgspec.structs import replace

from config import VERSION, result_settings
from core.types import AudioInfo, Clip, FaceAnalysis, Identity, Segment, Tracklet
from processors.known_people.people_list import match_entry
from processors.known_people.person_matching import Match
from processors.known_people.video_names import PersonName
from processors.people.doubt import NearestPerson, PersonDoubt
from processors.results.manifest import (
    MANIFEST_SCHEMA,
    RESULT_FORMAT,
    Manifest,
    ManifestClip,
    ManifestFile,
    ManifestInput,
    ManifestShot,
    ManifestStatistics,
    ManifestTimeline,
    ManifestVariant,
    ManifestVideo,
)
from processors.results.manifest_people import (
    ManifestDoubt,
    ManifestNames,
    ManifestPerson,
    ManifestSegment,
    ManifestUnknown,
)
from processors.speech.person_turns import PeopleTurns
from processors.video.video_result import VideoResult
from utils.console.printable_text import ascii_safe


def make_manifest(
    result: VideoResult,
    file_sizes: Mapping[str, int],
    timeline_state: ManifestTimeline,
    turns: PeopleTurns | None = None,
) -> Manifest:
    """manifest.json: everything that another program needs to know about the results.

    file_sizes: bytes of every file except the manifest itself, by path relative to its folder. turns: when each person
    speaks, from `known_turns`; None if speech was not analysed.
    """
    analysis, timeline, names, settings = result.analysis, result.timeline, result.names, result.settings
    return Manifest(
        schema=MANIFEST_SCHEMA,
        format=RESULT_FORMAT,
        version=VERSION,
        input=ManifestInput(name=ascii_safe(analysis.video.path.name), **asdict(result.fingerprint)),
        video=_video(analysis),
        settings=result_settings(settings),
        models=_json_value(result.models),
        analysis=result.analysis_key,
        timeline=timeline_state,
        shots=_shots(analysis),
        people=_people(result, turns),
        names=ManifestNames(
            gallery=names.named_by.gallery, photos=names.named_by.photos, only=ascii_safe(settings.people.only)
        ),
        unknown=timeline.unknown,
        unknown_tracklets=_unknown_tracklets(result),
        clips=_clips(result.clips, file_sizes),
        variants={
            name: ManifestVariant(settings=msgspec.to_builtins(settings.variants[name]), clips=_clips(own, file_sizes))
            for name, own in sorted(result.variants.items())
        },
        extras={name: tuple(files) for name, files in sorted(result.extras.items())},
        files=tuple(ManifestFile(file=file, bytes=size) for file, size in file_sizes.items()),
        warnings=tuple(result.warnings),
        decode_failures=analysis.decode_failures,
        statistics=ManifestStatistics(
            analysis=_json_value(dict(sorted(analysis.statistics.items()))),
            identity=_json_value(dict(sorted(timeline.statistics.items()))),
        ),
    )


def _shots(analysis: FaceAnalysis) -> tuple[ManifestShot, ...]:
    return tuple(
        ManifestShot(
            index=s.index,
            transition=s.transition,
            **_interval(s.start, s.end, analysis),
            active=analysis.active_picture(s.index),
        )
        for s in analysis.shots
    )


def _people(result: VideoResult, turns: PeopleTurns | None) -> tuple[ManifestPerson, ...]:
    by_folder = {person.folder: person for person in result.names.people}
    return tuple(
        replace(
            _person(person, result.analysis, result.clips, by_folder.get(person.name), turns),
            doubt=_doubt(result.doubts.people.get(person.name, PersonDoubt())),
        )
        for person in result.timeline.people
    )


def _unknown_tracklets(result: VideoResult) -> tuple[ManifestUnknown, ...]:
    unknown, doubts = set(result.timeline.unknown), result.doubts
    return tuple(
        replace(
            _unknown(tracklet, result.analysis, doubts.unknown.get(tracklet.id, NearestPerson())),
            repeats=doubts.repeated.get(tracklet.id, UNSET),
        )
        for tracklet in result.analysis.tracklets
        if tracklet.id in unknown
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


def _doubt(doubt: PersonDoubt) -> ManifestDoubt:
    return ManifestDoubt(
        doubtful=doubt.is_doubtful,
        similarity=None if doubt.similarity is None else round(doubt.similarity, 3),
        part=doubt.part,
        **_nearest(doubt.nearest),
    )


def _unknown(tracklet: Tracklet, analysis: FaceAnalysis, nearest: NearestPerson) -> ManifestUnknown:
    seen = tracklet.frames[tracklet.scores > 0]
    return ManifestUnknown(
        tracklet=tracklet.id,
        shot=tracklet.shot,
        start_s=round(analysis.seconds_at(tracklet.start), 6),
        end_s=round(analysis.seconds_at(tracklet.end), 6),
        seen_s=round(float((analysis.seconds_at(seen + 1) - analysis.seconds_at(seen)).sum()), 3),
        face_px=round(float(np.median(tracklet.boxes[:, 3] - tracklet.boxes[:, 1])), 1),
        quality=round(float(tracklet.sample_quality.max()), 3) if len(tracklet.sample_quality) else None,
        **_nearest(nearest),
    )


def _nearest(nearest: NearestPerson) -> dict[str, Any]:
    similarity = round(nearest.similarity, 3) if nearest.name else None
    return {"nearest": nearest.name, "nearest_similarity": similarity}


def _segment(segment: Segment, analysis: FaceAnalysis) -> ManifestSegment:
    return ManifestSegment(
        shot=segment.shot, **_interval(segment.start, segment.end, analysis), tracklets=segment.tracklets
    )


def _interval(start: int, end: int, analysis: FaceAnalysis) -> dict[str, Any]:
    return {**span_seconds(start, end, analysis), "start": start, "end": end}


def span_seconds(start: int, end: int, analysis: FaceAnalysis) -> dict[str, float]:
    """Frames [start, end) as JSON has them: `start_s` and `end_s`, rounded to microseconds."""
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
        turn=video.turn,
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
        timecode="" if video.timecode is None else video.timecode.label(),
    )


def _json_value(value: Any) -> Any:
    """`value` as JSON has it: Python numbers, floats rounded to 6 places, None for NaN, `ascii_safe` strings."""
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
