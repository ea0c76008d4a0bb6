"""manifest.json: what a finished output folder holds and how it was made, typed.

Reading never raises: a manifest may be damaged, edited, or written by another version or another program. Fields that
this version does not know are ignored, so a later version may add some without raising the schema number.
`manifest_people` has the parts about people; `manifest_outline` reads the little that all versions have in common.
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
from processors.results.manifest_people import ManifestNames, ManifestPart, ManifestPerson, ManifestUnknown, Number
from utils.files import write_json
from utils.fingerprints import Fingerprint

logger = logging.getLogger(__name__)

MANIFEST_FILE = "manifest.json"
MANIFEST_SCHEMA = 2
RESULT_FORMAT = 1
"""raise it when the same video and settings give other results that are worth making everything again: finished folders
of a lower one are made anew by the next run"""


class ManifestInput(ManifestPart, frozen=True, kw_only=True):
    """The video file: its name and its `Fingerprint`."""

    name: str = ""
    size_bytes: int
    sha256: str

    @property
    def fingerprint(self) -> Fingerprint:
        """Identifies the video that the results belong to."""
        return Fingerprint(self.size_bytes, self.sha256)


class ManifestVideo(ManifestPart, frozen=True, kw_only=True):
    """Properties of the video. Fractions are strings such as "30000/1001"; sizes are in px.

    frames, start_s, duration_s: of the part that was analysed; by default all of it. audio_used: `index` of the track
    in the clips; None: no audio, or an older manifest. timecode: of the video's first frame, "" without timecode.
    turn: degrees that the program added to the `rotation` of the file.
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
    edited: somebody has changed it since the program made it.
    unedited_sha256: of the file before the first edit; left out if there was none, or if it is not known.
    """

    sha256: str | None = None
    edited: bool = False
    unedited_sha256: str | UnsetType = UNSET

    def is_edited(self, sha256_now: str | None) -> bool:
        """Whether the present timeline.json contains edits. sha256_now: its digest, None if there is none."""
        if sha256_now in (None, self.unedited_sha256):
            return False
        return self.edited or self.sha256 not in (None, sha256_now)

    @property
    def before_edits(self) -> str | UnsetType:
        """Digest of the timeline.json that the program made, before all edits; UNSET if it is not known."""
        return self.unedited_sha256 if self.edited else self.sha256 or UNSET


class ManifestShot(ManifestPart, frozen=True, kw_only=True):
    """A shot: frames [start, end), and the same in seconds; its active picture, xyxy in display px."""

    index: int
    transition: Transition
    start_s: float
    end_s: float
    start: int
    end: int
    active: PixelBox | None = None


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
        """The entry as the renderer returned it."""
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
    variants: dict[str, ManifestVariant] = msgspec.field(default_factory=dict)
    extras: dict[str, tuple[str, ...]]
    files: tuple[ManifestFile, ...]
    warnings: tuple[str, ...]
    decode_failures: int
    statistics: ManifestStatistics


View = TypeVar("View", bound=msgspec.Struct)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of complete results in `folder`; None if there is none that this version understands."""
    return read_view(folder, Manifest)


def read_view(folder: Path, view: type[View]) -> View | None:
    """Only those fields of the manifest in `folder` that the structure `view` names; None if they are missing."""
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
    """The contents of the file; None if there is none, b"" if it cannot be read."""
    try:
        return (folder / MANIFEST_FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        logger.debug("%s: %s", folder / MANIFEST_FILE, error)
        return b""


def decode(data: bytes, view: type[View], folder: Path) -> View | None:
    """`data`, the manifest of `folder`, as `view`; None if it does not fit."""
    try:
        return msgspec.json.decode(data, type=view)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        logger.debug("%s: %s", folder / MANIFEST_FILE, error)
        return None
