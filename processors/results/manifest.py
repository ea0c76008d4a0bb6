"""manifest.json: what a finished output folder holds and how it was made, typed.

Reading never raises: a manifest may be damaged, edited, or written by another version or another program. Fields that
this version does not know are ignored, so a later version may add some without raising the schema number.
`manifest_outline` reads the little that all versions have in common.
"""

from __future__ import annotations

import dataclasses
import logging
import math
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from core.types import AudioInfo, Clip, ColorInfo, PixelBox, Transition
from processors.known_people.people_list import MatchEntry
from utils.files import write_json
from utils.fingerprints import Fingerprint

logger = logging.getLogger(__name__)

MANIFEST_FILE = "manifest.json"
MANIFEST_SCHEMA = 2
RESULT_FORMAT = 1
"""to be raised whenever the same video and settings give other results than before, so that runs make them anew"""

Number = int | float | None
"""a JSON number; None stands for NaN and infinity"""


class ManifestPart(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all parts. The order of fields is the order of keys in the file."""


class ManifestInput(ManifestPart, frozen=True, kw_only=True):
    """The video file: its name and its `Fingerprint`."""

    name: str = ""
    size_bytes: int
    sha256: str

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint(self.size_bytes, self.sha256)


class ManifestVideo(ManifestPart, frozen=True, kw_only=True):
    """Properties of the video. Fractions are strings such as "30000/1001"; sizes are in px.

    frames, start_s, duration_s: of the part that was analysed; by default that is all. audio_used: `index` of the track
    that is heard; None: silence, or an older manifest. timecode: of the video's first frame; "" where it has none.
    turn: the degrees of `rotation` that the program added to what the file says.
    """

    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    coded_width: int
    coded_height: int
    rotation: int
    turn: int = 0
    sample_aspect_ratio: str
    frame_rate: str
    time_base: str
    frames: int
    start_s: float = 0.0
    duration_s: float
    interlaced: bool
    color: ColorInfo
    audio: tuple[AudioInfo, ...]
    audio_used: int | None = None
    timecode: str = ""


class ManifestTimeline(ManifestPart, frozen=True, kw_only=True):
    """The timeline.json that the results were made from.

    sha256: of the file as the program wrote it; None in a journal, which does not know it yet.
    edited: somebody changed it since the program worked it out.
    """

    sha256: str | None = None
    edited: bool = False

    def is_edited(self, sha256_now: str | None) -> bool:
        """Whether the timeline.json that is there now has somebody's edits. sha256_now: None where there is none."""
        return sha256_now is not None and (self.edited or self.sha256 not in (None, sha256_now))


class ManifestShot(ManifestPart, frozen=True, kw_only=True):
    """A shot: frames [start, end), and the same in seconds; its active picture, xyxy in display px."""

    index: int
    transition: Transition
    start_s: float
    end_s: float
    start: int
    end: int
    active: PixelBox | None = None


class ManifestSegment(ManifestPart, frozen=True, kw_only=True):
    """Part of a shot in which a person is shown: frames [start, end), and the same in seconds."""

    shot: int
    start_s: float
    end_s: float
    start: int
    end: int
    tracklets: tuple[int, ...]


class ManifestDoubt(ManifestPart, frozen=True, kw_only=True):
    """How well a person holds together. similarity: of the two parts that are least alike, None with fewer than two
    tracklets to compare. part: tracklets of the smaller one. nearest: the most similar other person whom this one may
    be, "" where there is none.
    """

    doubtful: bool = False
    similarity: Number = None
    part: tuple[int, ...] = ()
    nearest: str = ""
    nearest_similarity: Number = None


class ManifestPerson(ManifestPart, frozen=True, kw_only=True):
    """A person. clips: number of clips.

    name: of the person's folder. id: in the gallery, "" without one. known_as: the name in full, "" for nobody known.
    match: how the person was recognised. turns, speaks_s: how often and how long the person speaks, where that was
    asked.
    """

    name: str
    id: str = ""
    known_as: str = ""
    match: MatchEntry = MatchEntry(similarity=0.0, margin=0.0, source="none")
    still: bool
    on_screen_s: float
    tracklets: tuple[int, ...]
    segments: tuple[ManifestSegment, ...]
    clips: int
    turns: int | UnsetType = UNSET
    speaks_s: float | UnsetType = UNSET
    doubt: ManifestDoubt = ManifestDoubt()


class ManifestUnknown(ManifestPart, frozen=True, kw_only=True):
    """A tracklet that could not be assigned to a person.

    seen_s: for how long its face is seen. face_px: median height of the box, display px. quality: of the best sample,
    in [0, 1], None where no face was good enough to be compared. nearest: the most similar person whom it may show,
    "" where there is none.
    """

    tracklet: int
    shot: int
    start_s: float
    end_s: float
    seen_s: float
    face_px: float
    quality: Number
    nearest: str = ""
    nearest_similarity: Number = None


class ManifestNames(ManifestPart, frozen=True, kw_only=True):
    """What the names follow from; "" stands for nothing.

    gallery: its state. photos: digest of the folder of photos. only: who was to have clips, as it was asked for.
    """

    gallery: str = ""
    photos: str = ""
    only: str = ""


class ManifestClip(ManifestPart, frozen=True, kw_only=True):
    """A `Clip` and the size of its file."""

    person: str
    file: str
    shot: int
    start: int
    end: int
    start_s: float
    end_s: float
    frames: int
    width: int
    height: int
    has_sound: bool
    upscaled: float
    repeated_frames: int = 0
    damaged_audio_packets: int = 0
    recipe: str = ""
    bytes: int

    @property
    def clip(self) -> Clip:
        return Clip(**{field.name: getattr(self, field.name) for field in dataclasses.fields(Clip)})


class ManifestVariant(ManifestPart, frozen=True, kw_only=True):
    """A further set of clips. settings: its sections `clip` and `encode`."""

    settings: dict[str, dict[str, Any]]
    clips: tuple[ManifestClip, ...]


class ManifestFile(ManifestPart, frozen=True, kw_only=True):
    """A file that belongs to the results, relative to the folder, with forward slashes."""

    file: str
    bytes: int


class ManifestStatistics(ManifestPart, frozen=True, kw_only=True):
    """Counters of the analysis and of the assignment of tracklets to people."""

    analysis: dict[str, Number]
    identity: dict[str, Number]

    @property
    def identity_numbers(self) -> dict[str, float | int]:
        """`identity` as `Timeline.statistics` holds it."""
        return {name: math.nan if value is None else value for name, value in self.identity.items()}


class Manifest(ManifestPart, frozen=True, kw_only=True):
    """Complete results. The fields are described in docs/outputs.md.

    format: see `RESULT_FORMAT`. version: of the program; nothing depends on it.
    settings: {section: {key: value}}. variants: further sets of clips, by name. extras: files by the name of the extra.
    """

    schema: int
    format: int = 1
    version: str
    input: ManifestInput
    video: ManifestVideo
    settings: dict[str, dict[str, Any]]
    models: dict[str, Any]
    analysis: str
    timeline: ManifestTimeline
    shots: tuple[ManifestShot, ...]
    people: tuple[ManifestPerson, ...]
    names: ManifestNames = ManifestNames()
    unknown: tuple[int, ...]
    unknown_tracklets: tuple[ManifestUnknown, ...] = ()
    clips: tuple[ManifestClip, ...]
    variants: dict[str, ManifestVariant] = {}
    extras: dict[str, tuple[str, ...]]
    files: tuple[ManifestFile, ...]
    warnings: tuple[str, ...]
    decode_failures: int
    statistics: ManifestStatistics


View = TypeVar("View", bound=msgspec.Struct)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of complete results in `folder`; None where there is none, or none that this version understands."""
    return read_view(folder, Manifest)


def read_view(folder: Path, view: type[View]) -> View | None:
    """Only those fields of the manifest in `folder` that the structure `view` names; None where they are not there."""
    data = read_bytes(folder)
    return None if data is None else decode(data, view, folder)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest` into `folder`, atomically.

    Raises:
        OSError: it cannot be written.
    """
    write_json(folder / MANIFEST_FILE, msgspec.to_builtins(manifest))


def lies_inside(file: str) -> bool:
    """Whether the relative path `file` names something below the folder that it is relative to."""
    path = Path(file)
    return bool(file) and not path.is_absolute() and ".." not in path.parts


def read_bytes(folder: Path) -> bytes | None:
    """The file as it is; None where there is none, b"" where it cannot be read."""
    try:
        return (folder / MANIFEST_FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        logger.debug("%s: %s", folder / MANIFEST_FILE, error)
        return b""


def decode(data: bytes, view: type[View], folder: Path) -> View | None:
    """`data`, the manifest of `folder`, as `view`; None where it does not fit."""
    try:
        return msgspec.json.decode(data, type=view)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        logger.debug("%s: %s", folder / MANIFEST_FILE, error)
        return None
