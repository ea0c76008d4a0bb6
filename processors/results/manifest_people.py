"""People in manifest.json: when each is shown, how they were recognised, and how certain that is."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from processors.known_people.people_list import MatchEntry

Number = int | float | None
"""a JSON number; None stands for NaN and infinity"""


class ManifestPart(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all parts. The order of fields is the order of keys in the file."""


class ManifestSegment(ManifestPart, frozen=True, kw_only=True):
    """Part of a shot in which a person is shown: frames [start, end), and the same in seconds."""

    shot: int
    start_s: float
    end_s: float
    start: int
    end: int
    tracklets: tuple[int, ...]


class ManifestDoubt(ManifestPart, frozen=True, kw_only=True):
    """How consistent a person's tracklets are. similarity: of the two parts that are least alike, None with fewer than
    two tracklets to compare. part: tracklets of the smaller one. nearest: the most similar other person who may be the
    same, "" without one.
    """

    doubtful: bool = False
    similarity: Number = None
    part: tuple[int, ...] = ()
    nearest: str = ""
    nearest_similarity: Number = None


class ManifestPerson(ManifestPart, frozen=True, kw_only=True):
    """A person. clips: number of clips.

    name: of the person's folder. id: in the gallery, "" without one. known_as: the name in full, "" for nobody known.
    match: how the person was recognised. turns, speaks_s: how often and how long the person speaks, if speech was
    analysed.
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
    """A tracklet that could not be assigned to a person, or that shows somebody a second time.

    seen_s: for how long its face is seen. face_px: median height of the box, display px. quality: of the best sample,
    in [0, 1], None if no face was good enough to be compared. nearest: the most similar person whom it may show, ""
    without one. repeats: the person whom it shows a second time, as in a mirror or on a screen; left out otherwise.
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
    repeats: str | UnsetType = UNSET


class ManifestNames(ManifestPart, frozen=True, kw_only=True):
    """What the names are based on; "" stands for nothing.

    gallery: its state. photos: digest of the folder of photos. only: the value of `--only`.
    """

    gallery: str = ""
    photos: str = ""
    only: str = ""
