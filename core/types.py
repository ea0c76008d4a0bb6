"""The vocabulary that the stages exchange. All values are frozen.

Boxes are float32 `x1 y1 x2 y2` in source pixels *as displayed*: rotation applied and non-square pixels resampled to
square ones. Pixel (0, 0) has its centre at (0.5, 0.5). A `pts` is an integer time in the video stream's `time_base`;
seconds count from the first frame. Frame numbers count decoded frames from 0 in presentation order. Intervals are
half-open.

Other modules import all types from here; those of the input are defined in `core.video_info`, those of the analysis in
`core.face_analysis`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.face_analysis import (
    GRADUAL,
    LONGEST_HOLD_S,
    VIEW_HEIGHT,
    VIEW_WIDTH,
    ByteArray,
    Detections,
    FaceAnalysis,
    FloatArray,
    IntArray,
    PixelBox,
    PixelSpan,
    Seconds,
    Shot,
    Tracklet,
    Transition,
)
from core.video_info import IS_SILENT, AudioInfo, ColorInfo, SourceTimecode, VideoInfo

__all__ = [
    "GRADUAL",
    "IS_SILENT",
    "LONGEST_HOLD_S",
    "VIEW_HEIGHT",
    "VIEW_WIDTH",
    "AudioInfo",
    "ByteArray",
    "Clip",
    "ColorInfo",
    "CropPath",
    "Detections",
    "FaceAnalysis",
    "FloatArray",
    "Identity",
    "IntArray",
    "PixelBox",
    "PixelSpan",
    "RenderResult",
    "Seconds",
    "Segment",
    "Shot",
    "SourceTimecode",
    "Timeline",
    "Tracklet",
    "TrackletDivision",
    "Transition",
    "VideoInfo",
]


@dataclass(frozen=True, slots=True)
class Segment:
    """Frames [start, end) of one shot in which a person is shown; becomes one clip."""

    person: str
    shot: int
    start: int
    end: int
    tracklets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """One person of one video.

    name: what the person is called, "person_01". tracklets: ids in time order.
    id: who it is, whatever the name; by default the name. folder: of the clips, relative to the video's output
    folder; by default the name. All three are unique in a timeline.
    """

    name: str
    tracklets: tuple[int, ...]
    segments: tuple[Segment, ...]
    still: bool = False
    """the face never moves by itself: a portrait, a poster, a photograph"""
    id: str = ""
    folder: str = ""

    def __post_init__(self) -> None:
        """Fills in the defaults of `id` and `folder`."""
        object.__setattr__(self, "id", self.id or self.name)
        object.__setattr__(self, "folder", self.folder or self.name)


@dataclass(frozen=True, slots=True)
class TrackletDivision:
    """Somebody divided a tracklet: from frame `frame` on, its rows are the tracklet `piece`."""

    tracklet: int
    frame: int
    piece: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """Who is shown when: all that rendering knows of identification.

    unknown: ids of tracklets that cannot be assigned to anybody with certainty.
    divisions: what people divided of the tracklets that the analysis found, in order; ids are those afterwards.
    """

    people: tuple[Identity, ...]
    unknown: tuple[int, ...] = ()
    statistics: dict[str, float | int] = field(default_factory=dict)
    divisions: tuple[TrackletDivision, ...] = ()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments in time order."""
        return tuple(sorted((s for p in self.people for s in p.segments), key=lambda s: (s.start, s.person)))


@dataclass(frozen=True, slots=True, eq=False)
class CropPath:
    """The virtual camera of one segment, one row per frame of the clip.

    source_frames: (M,) int64, number of the source frame shown at each output frame (constant rate).
    windows: (M, 4) float64, xyxy in display pixels, inside `visible`, with the aspect ratio of the output.
    width, height: size of the clip, px, even.
    visible: the part of the frame beyond which no pixel may be read: the active picture, or the panel of a split screen
        in which the person is; None if it is the whole frame.
    """

    segment: Segment
    source_frames: IntArray
    windows: NDArray[np.float64]
    width: int
    height: int
    visible: PixelBox | None = None

    def __post_init__(self) -> None:
        if self.windows.shape != (len(self.source_frames), 4):
            raise ValueError(f"windows {self.windows.shape} for {len(self.source_frames)} frames")


@dataclass(frozen=True, slots=True)
class Clip:
    """One finished clip file."""

    person: str
    file: str
    """path relative to the video's output folder, with forward slashes"""
    shot: int
    start: int
    end: int
    start_s: float
    """seconds from the first frame of the video"""
    end_s: float
    frames: int
    width: int
    height: int
    has_sound: bool
    upscaled: float
    """largest enlargement in the clip: output pixels per source pixel; 1.0 or less means none"""
    repeated_frames: int = 0
    """frames that could not be decoded when the clip was made and repeat the one before"""
    damaged_audio_packets: int = 0
    """audio packets that became silence"""
    recipe: str = ""
    """digest of everything that determines the bytes of the file; "" where it is not known"""


@dataclass(frozen=True, slots=True)
class RenderResult:
    """What was written.

    clips: in the order of the crop paths. encoder: ffmpeg's name of the encoder that made the clips.
    """

    clips: tuple[Clip, ...]
    encoder: str

    @property
    def repeated_frames(self) -> int:
        """Those of all clips together."""
        return sum(clip.repeated_frames for clip in self.clips)

    @property
    def damaged_audio_packets(self) -> int:
        """Those of all clips together; a packet counts for each clip that has it."""
        return sum(clip.damaged_audio_packets for clip in self.clips)
