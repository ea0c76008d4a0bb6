"""What goes into the gallery and comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.types import FloatArray
from processors.known_people.person_names import person_id
from utils.fingerprints import Fingerprint


@dataclass(frozen=True, slots=True)
class EmbedderKey:
    """A recognition network: vectors of two networks, or of other weights of one, cannot be compared."""

    name: str
    weights_sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class GalleryFace:
    """One face to be kept. vector: (D,) float32, unit length. thumbnail: JPEG or b"".

    tracklet: which of the video it is from; -1 for a photo's.
    """

    vector: FloatArray
    quality: float
    thumbnail: bytes = b""
    tracklet: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class NamedPhoto:
    """A photo that names the person on it. sha256: of the file. place: the folder of photos it is from."""

    name: str
    sha256: str
    place: str
    face: GalleryFace


@dataclass(frozen=True, slots=True)
class VideoKey:
    """A video and the analysis that its tracklets are numbered by."""

    fingerprint: Fingerprint
    analysis: str
    name: str
    folder: str

    @property
    def text(self) -> str:
        """What the gallery calls the video: its content, so that it may be moved and renamed."""
        return f"{self.fingerprint.size_bytes}:{self.fingerprint.sha256}"


@dataclass(frozen=True, slots=True, eq=False)
class PersonOfVideo:
    """A person of a video's timeline. on_screen_s: seconds. clips: how many there are."""

    label: str
    tracklets: tuple[int, ...]
    on_screen_s: float = 0.0
    clips: int = 0
    faces: tuple[GalleryFace, ...] = ()


Decided = Literal["auto", "user", "dropped", "forgotten"]


@dataclass(frozen=True, slots=True)
class Appearance:
    """Somebody in a video. person: number, or None where they were dropped or forgotten."""

    folder: str
    video: str
    analysis: str
    label: str
    tracklets: tuple[int, ...]
    person: int | None
    decided: Decided
    on_screen_s: float
    clips: int


@dataclass(frozen=True, slots=True)
class GalleryPerson:
    """A person of the gallery. faces, photos: how many there are, photos among the faces."""

    number: int
    name: str
    faces: int
    photos: int
    appearances: tuple[Appearance, ...]

    @property
    def id(self) -> str:
        """The number as users see it, "P0007"."""
        return person_id(self.number)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was deleted, and what is left for somebody else to delete.

    faces: how many vectors and thumbnails were deleted. places: folders of photos that name the person still.
    analyses: keys of stored analyses that hold vectors of the person. appearances: whose clips stay.
    still_in_log: why parts of it can still be found in the gallery's files; "" where nothing can.
    """

    number: int
    name: str
    faces: int
    places: tuple[str, ...]
    analyses: tuple[str, ...]
    appearances: tuple[Appearance, ...]
    still_in_log: str = ""
