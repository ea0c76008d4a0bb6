"""What a finished video leaves beside its clips: tracks.csv, timeline.json, pictures, report.html, manifest.json.

The functions that make rows and dictionaries are pure; only `write_results` touches the disk. Nothing
written here depends on the clock, the machine's paths or the order in which threads ran: the same
input, settings and models give the same bytes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config import VERSION, Settings, result_settings
from core.errors import ascii_safe
from core.types import Clip, FaceAnalysis, Identity, Segment, Timeline, Tracklet, VideoInfo, frame_times
from processors.clips.clip_thumbnails import ClipThumbnails
from processors.results.folder_owner import MANIFEST_FILE as MANIFEST_FILE
from processors.results.report_writer import REPORT_FILE, report_html
from processors.results.result_pictures import FACE_FILE, write_pictures
from utils.files import atomic_path, write_json, write_text
from utils.fingerprints import Fingerprint
from utils.stage_times import timed

MANIFEST_SCHEMA = 2
TIMELINE_SCHEMA = 2
TIMELINE_FILE = "timeline.json"
TRACKS_FILE = "tracks.csv"
TRACKS_HEADER = "frame,time_s,shot,person,track,x1,y1,x2,y2,score,sharpness"
UNKNOWN_PERSON = "unknown"
"""who a face of `Timeline.unknown` belongs to in tracks.csv"""

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
    of_clips: ClipThumbnails,
    *,
    fingerprint: Fingerprint,
    settings: Settings,
    models: Mapping[str, Any],
    warnings: Sequence[str],
    analysis_key: str,
    edited: bool = False,
    extras: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Write everything but the clips into `folder`, which holds the clips; returns the manifest.

    The manifest comes last: where it is, everything else is. People without a clip get no folder.
    analysis_key: what the analysis is stored under. edited: the timeline is not as the program worked it out.
    extras: what was written beside the clips on demand, files (relative to `folder`) by name ("preview").

    Raises:
        OSError: a file cannot be written, or a clip is not there.
    """
    extras = extras or {}
    pictures, shown = write_pictures(folder, analysis, timeline, clips, of_clips)
    files = [*(clip.file for clip in clips), *pictures, *(file for files in extras.values() for file in files)]
    with atomic_path(folder / TRACKS_FILE) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in track_lines(analysis, timeline))
    with_face = [person.name for person in timeline.people if f"{person.name}/{FACE_FILE}" in pictures]
    stretches = timeline_dict(analysis, timeline, with_face, analysis_key)
    write_json(folder / TIMELINE_FILE, stretches)
    timeline_sum = hashlib.sha256((folder / TIMELINE_FILE).read_bytes()).hexdigest()
    files += [TRACKS_FILE, TIMELINE_FILE]
    sizes = {file: (folder / file).stat().st_size for file in sorted(files)}
    manifest = manifest_dict(
        analysis,
        timeline,
        clips,
        file_sizes=sizes,
        fingerprint=fingerprint,
        settings=settings,
        models=models,
        warnings=warnings,
        analysis_key=analysis_key,
        timeline_state={"sha256": timeline_sum, "edited": edited},
        extras=extras,
    )
    write_text(folder / REPORT_FILE, report_html(manifest, stretches, shown))
    manifest["files"].append({"file": REPORT_FILE, "bytes": (folder / REPORT_FILE).stat().st_size})
    write_json(folder / MANIFEST_FILE, manifest)
    return manifest


def track_lines(analysis: FaceAnalysis, timeline: Timeline) -> Iterator[str]:
    """The lines of tracks.csv, header first: one row per face and frame, sorted by frame, then person.

    Faces of tracklets that are neither in `people` nor in `unknown` (rejected ones) have no row.
    """
    yield TRACKS_HEADER
    owners = [(person.name, person.tracklets) for person in timeline.people]
    owners.append((UNKNOWN_PERSON, timeline.unknown))
    names = [_csv_field(name) for name, _ in owners]
    by_id = {tracklet.id: tracklet for tracklet in analysis.tracklets}
    rows: list[tuple[Tracklet, int]] = [
        (by_id[track], rank) for rank, (_, tracks) in enumerate(owners) for track in tracks
    ]
    if not rows:
        return
    frames = np.concatenate([tracklet.frames for tracklet, _ in rows])
    ranks = np.concatenate([np.full(len(tracklet.frames), rank) for tracklet, rank in rows])
    tracks = np.concatenate([np.full(len(tracklet.frames), tracklet.id) for tracklet, _ in rows])
    shots = np.concatenate([np.full(len(tracklet.frames), tracklet.shot) for tracklet, _ in rows])
    values = np.concatenate([_measures(tracklet) for tracklet, _ in rows])
    times = frame_times(analysis)
    for i in np.lexsort((tracks, ranks, frames)):
        x1, y1, x2, y2, score, sharpness = values[i]
        yield (
            f"{frames[i]},{times[frames[i]]:.6f},{shots[i]},{names[ranks[i]]},{tracks[i]},"
            f"{x1:.2f},{y1:.2f},{x2:.2f},{y2:.2f},{score:.4f},{sharpness:.2f}"
        )


def timeline_dict(
    analysis: FaceAnalysis, timeline: Timeline, faces: Iterable[str], analysis_key: str
) -> dict[str, Any]:
    """timeline.json: people with their segments, and the tracklets they are made of. `timeline_file` reads it.

    faces: names of the people who have a face.jpg.
    """
    times, with_face = frame_times(analysis), set(faces)
    people = [
        {
            "name": person.name,
            "still": person.still,
            "face": f"{person.name}/{FACE_FILE}" if person.name in with_face else None,
            "tracklets": list(person.tracklets),
            "segments": [_seconds_only(_segment_dict(segment, times)) for segment in person.segments],
        }
        for person in timeline.people
    ]
    tracklets = [{"id": t.id, "shot": t.shot, **_interval(t.start, t.end, times)} for t in analysis.tracklets]
    return {
        "schema": TIMELINE_SCHEMA,
        "about": _TIMELINE_ABOUT,
        "input": ascii_safe(analysis.video.path.name),
        "frame_rate": str(analysis.video.frame_rate),
        "analysis": analysis_key,
        "people": people,
        "unknown": list(timeline.unknown),
        "tracklets": [_seconds_only(tracklet) for tracklet in tracklets],
    }


def manifest_dict(
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
    timeline_state: Mapping[str, Any],
    extras: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """manifest.json: everything a program has to know about the run on this video.

    file_sizes: bytes of every file written except the manifest itself, by path relative to its folder.
    timeline_state: sha256 of timeline.json as it was written, and whether people were edited in it.
    """
    times = frame_times(analysis)
    return {
        "schema": MANIFEST_SCHEMA,
        "version": VERSION,
        "input": {"name": ascii_safe(analysis.video.path.name), **asdict(fingerprint)},
        "video": _video_dict(analysis.video, analysis.frame_count, float(times[-1])),
        "settings": result_settings(settings),
        "models": _plain(models),
        "analysis": analysis_key,
        "timeline": dict(timeline_state),
        "shots": [
            {"index": s.index, "transition": s.transition, **_interval(s.start, s.end, times)} for s in analysis.shots
        ],
        "people": [_person_dict(person, analysis, times, clips) for person in timeline.people],
        "unknown": list(timeline.unknown),
        "clips": [_clip_dict(clip, file_sizes[clip.file]) for clip in clips],
        "extras": {name: list(files) for name, files in sorted((extras or {}).items())},
        "files": [{"file": file, "bytes": size} for file, size in file_sizes.items()],
        "warnings": list(warnings),
        "decode_failures": analysis.decode_failures,
        "statistics": {
            "analysis": _plain(dict(sorted(analysis.statistics.items()))),
            "identity": _plain(dict(sorted(timeline.statistics.items()))),
        },
    }


def _measures(tracklet: Tracklet) -> NDArray[np.float64]:
    """(T, 6) float64: box, score and sharpness as they are printed; -0.00 is made 0.00."""
    boxes = np.round(tracklet.boxes.astype(np.float64), 2)
    scores = np.round(tracklet.scores.astype(np.float64), 4)
    sharpness = np.round(tracklet.sharpness.astype(np.float64), 2)
    return np.asarray(np.column_stack([boxes, scores, sharpness]) + 0.0, np.float64)


def _person_dict(
    person: Identity, analysis: FaceAnalysis, times: NDArray[np.float64], clips: Sequence[Clip]
) -> dict[str, Any]:
    tracklets = [t for t in analysis.tracklets if t.id in set(person.tracklets)]
    frames = np.unique(np.concatenate([t.frames for t in tracklets])) if tracklets else np.zeros(0, np.int64)
    return {
        "name": person.name,
        "still": person.still,
        "on_screen_s": round(float((times[frames + 1] - times[frames]).sum()), 3),
        "tracklets": list(person.tracklets),
        "segments": [_segment_dict(segment, times) for segment in person.segments],
        "clips": sum(clip.person == person.name for clip in clips),
    }


def _segment_dict(segment: Segment, times: NDArray[np.float64]) -> dict[str, Any]:
    return {
        "shot": segment.shot,
        **_interval(segment.start, segment.end, times),
        "tracklets": list(segment.tracklets),
    }


def _interval(start: int, end: int, times: NDArray[np.float64]) -> dict[str, Any]:
    seconds = {"start_s": round(float(times[start]), 6), "end_s": round(float(times[end]), 6)}
    return {**seconds, "start": start, "end": end}


def _seconds_only(entry: dict[str, Any]) -> dict[str, Any]:
    # In a file that people edit nothing may stand twice.
    return {key: value for key, value in entry.items() if key not in ("start", "end")}


def _csv_field(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(c in name for c in ',"\r\n') else name


def _clip_dict(clip: Clip, size_bytes: int) -> dict[str, Any]:
    return {**_plain(asdict(clip)), "bytes": size_bytes}


def _video_dict(video: VideoInfo, frames: int, duration_s: float) -> dict[str, Any]:
    return {
        "container": video.container,
        "codec": video.codec,
        "pixel_format": video.pixel_format,
        "width": video.width,
        "height": video.height,
        "coded_width": video.coded_width,
        "coded_height": video.coded_height,
        "rotation": video.rotation,
        "sample_aspect_ratio": str(video.sample_aspect_ratio),
        "frame_rate": str(video.frame_rate),
        "time_base": str(video.time_base),
        "frames": frames,
        "duration_s": round(duration_s, 6),
        "interlaced": video.interlaced,
        "color": asdict(video.color),
        "audio": [_plain(asdict(track)) for track in video.audio],
    }


def _plain(value: Any) -> Any:
    """`value` as JSON can hold it: numpy numbers as Python's, floats to 6 places, no NaN, no odd characters."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, str):
        return ascii_safe(value)
    return value
