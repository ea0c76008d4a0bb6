"""report.html of one video: its people, when they are visible, and all clips. The page needs no files but the clips.

It is made from the manifest and the timeline alone, so it contains nothing that they do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import UNSET
from msgspec.structs import asdict

from core.options import options
from processors.known_people.people_list import suggested_name
from processors.pages.html_page import PALETTE, page_parts
from processors.pages.report_doubts import person_doubt, repeated_tracklets, unknown_tracklets
from processors.pages.report_turns import turns_in_order
from processors.pages.time_axis import TimeAxis
from processors.results.manifest import MANIFEST_FILE, Manifest, ManifestClip, ManifestShot
from processors.results.manifest_people import ManifestPerson
from processors.results.timeline_file import TimelineFile

_MAX_PRELOADED = 24
_MAX_CUTS_DRAWN = 80
"""more lines across the people's rows would hide their content"""
_MAX_DOUBTS_NAMED = 12
"""doubtful people named at the top of the page"""
_SECTION_TITLES = {
    "analysis": "Detection and tracking",
    "identity": "Identities",
    "clip": "Clips",
    "speech": "Speech",
    "encode": "Encoding",
}


@dataclass(frozen=True, slots=True)
class FaceImage:
    """The best face of a tracklet as JPEG."""

    tracklet: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class ReportImages:
    """The images in the page.

    faces: of each person by name, best first. posters: a JPEG of each clip by its file.
    unknown: a JPEG of each unknown tracklet by its number, if there is one.
    """

    faces: Mapping[str, Sequence[FaceImage]] = field(default_factory=dict)
    posters: Mapping[str, bytes] = field(default_factory=dict)
    unknown: Mapping[int, bytes] = field(default_factory=dict)


def report_parts(
    manifest: Manifest, timeline: TimelineFile, images: ReportImages, folder: str = "VIDEO"
) -> Iterator[str]:
    """The page, piece by piece: for an hour with thousands of clips it has tens of megabytes.

    Every file that the manifest lists is linked, clips are played in place. folder: name of the video's output folder,
    such as "2024/may/interview", for the commands and the link to the index. The same input gives the same text.
    """
    axis = TimeAxis(manifest.video.start_s, manifest.video.duration_s)
    people = [
        {
            **_person(number, person, manifest, _seen(person, timeline, axis), _speaks(person, timeline, axis), images),
            "doubt": person_doubt(person, folder, manifest.people),
        }
        for number, person in enumerate(manifest.people)
    ]
    files = [entry.file for entry in manifest.files]
    shots = [_shot(shot, axis) for shot in manifest.shots]
    repeated = repeated_tracklets(manifest, images.unknown, folder)
    unknown_count = len(manifest.unknown) - len(repeated)
    values = {
        "video": _video(manifest),
        "folder": folder,
        "up": "../" * (folder.count("/") + 1),
        "people": people,
        "brief": [person for person in people if not person["clips"]],
        "max_doubts": _MAX_DOUBTS_NAMED,
        "doubtful": [person for person in people if person["doubt"]["text"]],
        "turns": turns_in_order(people),
        "is_chosen": _is_chosen(manifest),
        "unknown": unknown_tracklets(manifest, images.unknown, folder),
        "unknown_count": unknown_count,
        "repeated": repeated,
        "clip_count": len(manifest.clips),
        # "metadata" shows the length of each clip, but opens every file.
        "preload": "metadata" if len(manifest.clips) <= _MAX_PRELOADED else "none",
        "shots": shots,
        "cuts": shots[1:] if len(shots) <= _MAX_CUTS_DRAWN else [],
        "ticks": axis.ticks(),
        "warnings": manifest.warnings,
        "files": [file for file in files if "/" not in file] + [MANIFEST_FILE],
        "speech_known": any(person.turns is not UNSET for person in manifest.people),
        "preview": next(iter(manifest.extras.get("preview", ())), ""),
        "facts": _facts(manifest, unknown_count),
        "tables": [*_settings(manifest.settings), *_models(manifest.models)],
    }
    return page_parts("report.html.j2", ("page.css", "report.css"), ("report.js", "copy.js"), values)


def _is_chosen(manifest: Manifest) -> bool:
    """Whether people may lack clips for another reason than that they are shown too briefly."""
    return bool(manifest.names.only) or manifest.settings.get("speech", {}).get("when") == "speaking"


def _person(
    number: int,
    person: ManifestPerson,
    manifest: Manifest,
    seen: Sequence[Mapping[str, Any]],
    speaks: Sequence[Mapping[str, Any]],
    images: ReportImages,
) -> dict[str, Any]:
    name, axis = person.name, TimeAxis(manifest.video.start_s, manifest.video.duration_s)
    clips = sorted((clip for clip in manifest.clips if clip.person == name), key=lambda clip: clip.start_s)
    variants = {
        variant: [clip for clip in made.clips if clip.person == name] for variant, made in manifest.variants.items()
    }
    return {
        "name": name,
        "id": person.id,
        "known_as": person.known_as if person.known_as != name else "",
        "maybe": suggested_name(person.match.suggestion) if person.match.suggestion is not None else "",
        "anchor": f"person-{number + 1}",
        "color": number % PALETTE,
        "still": person.still,
        "on_screen_s": person.on_screen_s,
        "share": round(min(100.0, 100 * person.on_screen_s / axis.length_s)) if axis.length_s > 0 else 0,
        "faces": images.faces.get(name, ()),
        "seen": seen,
        "speaks": speaks,
        "turns": person.turns or 0,
        "speaks_s": person.speaks_s or 0.0,
        "variants": [(variant, _shape(own[0]), own) for variant, own in variants.items() if own],
        "files": _other_files(name, manifest),
        "clips": [
            {
                **_clip(clip, person, axis),
                "anchor": f"clip-{number + 1}-{index + 1}",
                "poster": images.posters.get(clip.file, b""),
            }
            for index, clip in enumerate(clips)
        ],
    }


def _clip(clip: ManifestClip, person: ManifestPerson, axis: TimeAxis) -> dict[str, Any]:
    """A clip of `person` and its place on the time axis of the page."""
    return {
        **asdict(clip),
        **axis.span(clip.start_s, clip.end_s),
        "axis_s": clip.start_s - axis.start_s,
        "tracklets": _tracklets(clip, person),
    }


def _other_files(name: str, manifest: Manifest) -> list[str]:
    """The files in the folder of the person `name` that are no clips."""
    sets = (manifest.clips, *(made.clips for made in manifest.variants.values()))
    clips = {clip.file for made in sets for clip in made}
    files = (entry.file for entry in manifest.files)
    return [file for file in files if file.startswith(f"{name}/") and file not in clips]


def _shape(clip: ManifestClip) -> str:
    return f"{clip.width}x{clip.height}"


def _tracklets(clip: ManifestClip, person: ManifestPerson) -> list[int]:
    """The person's tracklets that the clip shows: the numbers that `main.py split` takes."""
    shown = [s for s in person.segments if s.start < clip.end and s.end > clip.start]
    return sorted({number for segment in shown for number in segment.tracklets})


def _seen(person: ManifestPerson, timeline: TimelineFile, axis: TimeAxis) -> list[dict[str, float]]:
    """When the person is visible, whether or not that became a clip: by tracklet."""
    own = set(person.tracklets)
    return [
        {**axis.span(t.start_s, t.end_s), "tracklet": t.id, "start_s": t.start_s, "end_s": t.end_s}
        for t in timeline.tracklets
        if t.id in own
    ]


def _speaks(person: ManifestPerson, timeline: TimelineFile, axis: TimeAxis) -> list[dict[str, float]]:
    """When the person speaks; empty if speech was not analysed."""
    own = next((entry.speaks for entry in timeline.people if entry.name == person.name), UNSET)
    turns = () if own is UNSET else own
    return [{**axis.span(start_s, end_s), "start_s": start_s, "end_s": end_s} for start_s, end_s in turns]


def _shot(shot: ManifestShot, axis: TimeAxis) -> dict[str, Any]:
    return {**asdict(shot), **axis.span(shot.start_s, shot.end_s), "number": shot.index + 1}


def _video(manifest: Manifest) -> dict[str, Any]:
    video = manifest.video
    used = [track for track in video.audio if track.index == video.audio_used]
    return {
        "name": manifest.input.name,
        "duration_s": video.duration_s,
        "width": video.width,
        "height": video.height,
        "rate": _rate_text(video.frame_rate),
        "codec": video.codec,
        "audio": f"audio: {used[0].codec}" if used else "no audio",
    }


def _rate_text(rate: str) -> str:
    """ "30000/1001" -> "29.97"."""
    numerator, _, denominator = rate.partition("/")
    return f"{int(numerator) / int(denominator or 1):.2f}".rstrip("0").rstrip(".")


def _facts(manifest: Manifest, unknown_count: int) -> list[tuple[str, str]]:
    facts = [
        ("frames", str(manifest.video.frames)),
        ("frame rate", manifest.video.frame_rate),
        ("container", manifest.video.container),
        ("pixel format", manifest.video.pixel_format),
        ("damaged parts skipped", str(manifest.decode_failures)),
        ("tracks not assigned to a person", str(unknown_count)),
        ("sha256", manifest.input.sha256),
        ("version", manifest.version),
    ]
    counts = [*manifest.statistics.analysis.items(), *manifest.statistics.identity.items()]
    return facts + [(_words(key), _plain_text(value)) for key, value in counts]


Row = tuple[str, str, str]
"""name, value, explanation (or "")"""


def _settings(settings: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, list[Row]]]:
    meanings = {(option.section, option.name): option.help.partition(" (")[0] for option in options()}
    return [
        (
            _SECTION_TITLES.get(section, _words(section)),
            [(key, _plain_text(value), meanings.get((section, key), "")) for key, value in values.items()],
        )
        for section, values in settings.items()
    ]


def _models(models: Mapping[str, Any]) -> list[tuple[str, list[Row]]]:
    return [("Models", [(name, value, "") for name, value in _flat(models, "")])] if models else []


def _flat(values: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{_words(key)}: ")
        else:
            yield prefix + _words(key), _plain_text(value)


def _words(key: str) -> str:
    return key.replace("_", " ")


def _plain_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain_text(item) for item in value)
    return "" if value is None else str(value)
