"""The vocabulary that the stages exchange. All values are frozen.

Boxes are float32 `x1 y1 x2 y2` in source pixels *as displayed*: rotation applied and, where the
source has non-square pixels, widened or heightened to square ones. Pixel (0, 0) has its centre at
(0.5, 0.5). Time is an integer `pts` in the video stream's `time_base`; frame numbers count decoded
frames from 0 in presentation order. Intervals are half-open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
ByteArray = NDArray[np.uint8]

Transition = Literal["start", "cut", "dissolve"]

LONGEST_HOLD_S = 10
"""a picture after which none comes for longer is followed by a hole in the recording, or by a wrong time"""


@dataclass(frozen=True, slots=True)
class ColorInfo:
    """Colour tags of the source as ffmpeg names them, "" where the source has none."""

    primaries: str = ""
    transfer: str = ""
    matrix: str = ""
    range: str = ""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """One sound track."""

    index: int  # stream index in the container
    codec: str
    sample_rate_hz: int
    channels: int
    start_s: float
    """time of its first sample on the container's clock, seconds (header's word)"""
    language: str = ""
    default: bool = False
    layout: str = ""
    """libav's name of the channels' places, or their labels joined by "+"; "" where unknown"""
    late: bool = False
    """begins so late that it is only found where the file is opened with a longer look"""
    fault: str = ""
    """why it cannot be heard ("cannot be decoded"), "" where it can"""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What probing found out about one input. Numbers marked (guess) are the header's word."""

    path: Path
    container: str
    """name of the demuxer, to be demanded again whenever the file is opened"""
    stream_index: int
    codec: str
    pixel_format: str
    coded_width: int
    coded_height: int
    width: int
    """displayed width, px: rotation applied, square pixels"""
    height: int
    """displayed height, px"""
    rotation: int
    """degrees the stored picture has to be turned clockwise for display: 0, 90, 180 or 270"""
    sample_aspect_ratio: Fraction
    time_base: Fraction
    frame_rate: Fraction
    """nominal rate, frames per second; of the video of an analysis, which has seen all frames: the rate of the clips"""
    start_pts: int
    """pts of the first frame (guess)"""
    duration_s: float
    """(guess), 0.0 where unknown"""
    frame_count: int
    """(guess), 0 where unknown; for progress only"""
    interlaced: bool
    color: ColorInfo
    audio: tuple[AudioInfo, ...]
    size_bytes: int
    frame_interval: int = 0
    """ticks from a frame to the next where the file does not tell; 0: as `frame_rate` says"""
    has_repaired_times: bool = False
    """the frames' times were repaired, which depends on the frames before: reading must start at the beginning"""

    @property
    def default_audio(self) -> AudioInfo | None:
        """The track a player would choose of those that can be heard: the first flagged default, else the first."""
        return _first_choice([a for a in self.audio if not a.fault])

    @property
    def unheard_audio(self) -> AudioInfo | None:
        """The track that would be chosen before `default_audio` if it could be heard; None where there is none."""
        chosen = _first_choice(self.audio)
        return chosen if chosen is not None and chosen.fault else None

    def seconds(self, pts: int) -> float:
        """Time of `pts` in seconds on the container's clock."""
        return float(pts * self.time_base)


def _first_choice(tracks: Sequence[AudioInfo]) -> AudioInfo | None:
    return next((a for a in tracks if a.default), tracks[0] if tracks else None)


@dataclass(frozen=True, slots=True)
class Shot:
    """Frames [start, end) between two transitions; `transition` is how it begins."""

    index: int
    start: int
    end: int
    transition: Transition


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Faces of one picture.

    boxes: (N, 4) float32, xyxy. scores: (N,) float32 in [0, 1]. landmarks: (N, 5, 2) float32, xy of
    left eye, right eye, nose, left and right mouth corner ("left" as seen in the picture).
    The coordinate frame is the one of the picture that was given to the detector.
    """

    boxes: FloatArray
    scores: FloatArray
    landmarks: FloatArray

    def __post_init__(self) -> None:
        n = len(self.scores)
        if self.boxes.shape != (n, 4) or self.landmarks.shape != (n, 5, 2):
            raise ValueError(f"boxes {self.boxes.shape}, scores {self.scores.shape}, landmarks {self.landmarks.shape}")

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, index: Any) -> Detections:
        """Rows chosen by a slice, a mask or an index array."""
        return Detections(self.boxes[index], self.scores[index], self.landmarks[index])

    def scaled(self, sx: float, sy: float) -> Detections:
        """The same faces in a picture that is `sx`, `sy` times as large."""
        factor = np.array([sx, sy], np.float32)
        return Detections(self.boxes * np.tile(factor, 2), self.scores, self.landmarks * factor)

    @staticmethod
    def empty() -> Detections:
        return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Tracklet:
    """One face followed through one shot, as columns over its frames; never crosses a cut.

    frames: (T,) int64, strictly increasing.
    boxes: (T, 4) float32, landmarks: (T, 5, 2) float32, in display pixels.
    scores: (T,) float32; 0 where the face was hidden and its place is interpolated.
    sharpness: (T,) float32, variance of the Laplacian on the aligned face.
    sample_frames: (K,) int64, the frames whose faces were embedded, best first.
    sample_quality: (K,) float32 in [0, 1].
    embeddings: (K, D) float32, rows of unit length; K may be 0 where no face was good enough.
    face_jpeg: the best face with some surroundings, or b"".
    signals: further values per frame by name, (T,) float32 each; a signal that is missing was not measured.
    """

    id: int
    shot: int
    frames: IntArray
    boxes: FloatArray
    scores: FloatArray
    landmarks: FloatArray
    sharpness: FloatArray
    sample_frames: IntArray
    sample_quality: FloatArray
    embeddings: FloatArray
    face_jpeg: bytes = b""
    signals: Mapping[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n, k = len(self.frames), len(self.sample_frames)
        wanted = {"boxes": (n, 4), "scores": (n,), "landmarks": (n, 5, 2), "sharpness": (n,), "sample_quality": (k,)}
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"tracklet {self.id}: {name} {getattr(self, name).shape}, expected {shape}")
        if self.embeddings.ndim != 2 or len(self.embeddings) != k:
            raise ValueError(f"tracklet {self.id}: embeddings {self.embeddings.shape} for {k} samples")
        for name, values in self.signals.items():
            if values.shape != (n,):
                raise ValueError(f"tracklet {self.id}: signal {name} {values.shape}, expected {(n,)}")
        if n == 0 or np.any(np.diff(self.frames) <= 0):
            raise ValueError(f"tracklet {self.id}: frames must be non-empty and increasing")

    @property
    def start(self) -> int:
        return int(self.frames[0])

    @property
    def end(self) -> int:
        """One past the last frame."""
        return int(self.frames[-1]) + 1

    @property
    def embedding(self) -> FloatArray | None:
        """Mean of the samples weighted by quality, (D,) float32 of unit length; None without samples."""
        if len(self.embeddings) == 0:
            return None
        weights = np.maximum(self.sample_quality, 1e-3)[:, None]
        mean = (self.embeddings * weights).sum(0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class FaceAnalysis:
    """Everything the decode pass found: the cached unit. Knows nothing of people, crops or output.

    frame_pts: (N,) int64, pts of every decoded frame in presentation order.
    clock_shifts: what they are ahead of the times in the file after each lasting leap of its clock (joined MPEG-TS),
        in ticks; the sound leaps at the same places.
    """

    video: VideoInfo
    frame_pts: IntArray
    shots: tuple[Shot, ...]
    tracklets: tuple[Tracklet, ...]
    embedder: str
    decode_failures: int
    statistics: dict[str, float | int] = field(default_factory=dict)
    clock_shifts: tuple[int, ...] = ()

    @property
    def frame_count(self) -> int:
        return len(self.frame_pts)

    @property
    def frame_ends(self) -> IntArray:
        """(N,) int64, pts at which each frame stops being shown: `end_pts` of all frames at once."""
        if not len(self.frame_pts):
            return np.zeros(0, np.int64)
        longest = max(round(LONGEST_HOLD_S / self.video.time_base), 1)
        ends = np.minimum(self.frame_pts[1:], self.frame_pts[:-1] + longest)
        return np.append(ends, self.end_pts(self.frame_count))

    def end_pts(self, frame: int) -> int:
        """pts at which frame number `frame - 1` stops being shown (`frame` is an exclusive end).

        No picture is shown for longer than `LONGEST_HOLD_S`.
        """
        start = int(self.frame_pts[frame - 1])
        if frame < self.frame_count:
            return min(int(self.frame_pts[frame]), start + max(round(LONGEST_HOLD_S / self.video.time_base), 1))
        nominal = round(1 / (self.video.frame_rate * self.video.time_base))
        return start + max(nominal, 1)


def frame_times(analysis: FaceAnalysis) -> NDArray[np.float64]:
    """(N + 1,) float64: seconds from the first frame at which each frame begins, and at which the last one ends."""
    ends = [analysis.end_pts(analysis.frame_count)] if analysis.frame_count else [0]
    pts = np.concatenate([analysis.frame_pts, np.array(ends, np.int64)])
    # Taken off as integers: a stream may begin at any time, and far from zero a float loses the fraction.
    return np.asarray((pts - pts[0]) * float(analysis.video.time_base), np.float64)


@dataclass(frozen=True, slots=True)
class Segment:
    """Frames [start, end) of one shot in which a person is to be shown; becomes one clip."""

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
class Timeline:
    """Who is to be shown when: the narrow waist between analysis and rendering.

    unknown: ids of tracklets that belong to nobody for sure.
    """

    people: tuple[Identity, ...]
    unknown: tuple[int, ...] = ()
    statistics: dict[str, float | int] = field(default_factory=dict)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments in time order."""
        return tuple(sorted((s for p in self.people for s in p.segments), key=lambda s: (s.start, s.person)))


@dataclass(frozen=True, slots=True, eq=False)
class CropPath:
    """The virtual camera of one segment, one row per picture of the clip.

    source_frames: (M,) int64, number of the source frame shown at each output frame (constant rate).
    windows: (M, 4) float64, xyxy in display pixels, inside the picture, aspect ratio of the output.
    width, height: size of the clip, px, even.
    """

    segment: Segment
    source_frames: IntArray
    windows: NDArray[np.float64]
    width: int
    height: int

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
    """largest enlargement in the clip: output pixels per source pixel, 1.0 or less means none"""


@dataclass(frozen=True, slots=True)
class RenderResult:
    """What was written.

    clips: in the order of the paths. repeated_frames: pictures that could not be decoded this time and show
    the one before. damaged_audio_packets: packets that became silence, summed over the clips. encoder: which
    one made the clips, as ffmpeg names it.
    """

    clips: tuple[Clip, ...]
    repeated_frames: int
    damaged_audio_packets: int
    encoder: str
