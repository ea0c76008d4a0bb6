"""What the decode pass finds: shots, detections, tracklets, and when each frame is shown. Exported by `core.types`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from core.video_info import VideoInfo
from utils.processes.spill_file import Spillable

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
ByteArray = NDArray[np.uint8]
Seconds = NDArray[np.float64]

Transition = Literal["start", "cut", "dissolve", "wipe"]
"""how a shot begins"""
GRADUAL: frozenset[Transition] = frozenset({"dissolve", "wipe"})
"""transitions of several frames, in whose middle the shot begins; a fade from or to a flat image belongs to the shot
that it shows"""

PixelBox = tuple[int, int, int, int]
"""x1, y1, x2, y2 of whole display pixels, half-open"""
PixelSpan = tuple[int, int]
"""first and last of whole display pixels along one axis, half-open"""

VIEW_WIDTH, VIEW_HEIGHT = 32, 18
"""px of a frame's small view: two of one camera set-up match, whoever moves in front of it"""

LONGEST_HOLD_S = 10
"""longest time for which one frame may be shown; a larger gap is a pause in the recording or a corrupt timestamp"""


@dataclass(frozen=True, slots=True)
class Shot:
    """Frames [start, end) between two transitions.

    transition: how it begins. active: the active picture, which is the frame without its black bars or the blurred copy
    around it, with even coordinates except at the edge of the frame; None if it is the whole frame. seams_x, seams_y:
    columns and rows at which the panels of a split screen meet, in order. mixed_first, mixed_last: how many of its
    first and of its last frames lie in the transition there, and show the neighbouring shot or a flat colour as well.
    """

    index: int
    start: int
    end: int
    transition: Transition
    active: PixelBox | None = None
    seams_x: tuple[PixelSpan, ...] = ()
    seams_y: tuple[PixelSpan, ...] = ()
    mixed_first: int = 0
    mixed_last: int = 0

    @property
    def unmixed(self) -> tuple[int, int]:
        """Its frames [first, end) that lie in no transition, and show this shot alone."""
        return self.start + self.mixed_first, self.end - self.mixed_last


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Faces of one image.

    boxes: (N, 4) float32, xyxy. scores: (N,) float32 in [0, 1]. landmarks: (N, 5, 2) float32, xy of
    left eye, right eye, nose, left and right mouth corner ("left" as seen in the image).
    Coordinates are pixels of the image that was given to the detector.
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

    def joined(self, others: Detections) -> Detections:
        """The rows of both, these first."""
        pairs = [(self.boxes, others.boxes), (self.scores, others.scores), (self.landmarks, others.landmarks)]
        return Detections(*(np.concatenate(pair) for pair in pairs))

    def scaled(self, sx: float, sy: float) -> Detections:
        """The same faces in an image that is `sx`, `sy` times as large."""
        factor = np.array([sx, sy], np.float32)
        return Detections(self.boxes * np.tile(factor, 2), self.scores, self.landmarks * factor)

    @staticmethod
    def empty() -> Detections:
        """No faces: arrays of length 0."""
        return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Tracklet:
    """One face tracked through one shot, as columns over its frames; never crosses a cut.

    frames: (T,) int64, strictly increasing.
    boxes: (T, 4) float32, landmarks: (T, 5, 2) float32, in display pixels.
    scores: (T,) float32; 0 where the face was hidden and its box is interpolated.
    sharpness: (T,) float32, variance of the Laplacian on the aligned face.
    sample_frames: (K,) int64, the frames whose faces were embedded, best first.
    sample_quality: (K,) float32 in [0, 1].
    embeddings: (K, D) float32, rows of unit length; K may be 0 where no face was good enough.
    face_jpeg: the best face with some surroundings, or b""; of a long video they are as large as all else together.
    look_frames: (M,) int64, increasing, the frames in which the surroundings of the face were examined; M may be 0.
    clothes: (M, C) uint8, colours of the clothes (`processors/faces/clothes.py`), all 0 where they are out of sight.
    views: (M, VIEW_HEIGHT * VIEW_WIDTH) uint8, the frame as a small grey image, row by row.
    is_replacement: somebody else's face was in its place until then: its track was divided where it begins.
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
    face_jpeg: Spillable = b""
    look_frames: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    clothes: ByteArray = field(default_factory=lambda: np.zeros((0, 0), np.uint8))
    views: ByteArray = field(default_factory=lambda: np.zeros((0, 0), np.uint8))
    is_replacement: bool = False
    signals: Mapping[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n, k = len(self.frames), len(self.sample_frames)
        wanted = {"boxes": (n, 4), "scores": (n,), "landmarks": (n, 5, 2), "sharpness": (n,), "sample_quality": (k,)}
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"tracklet {self.id}: {name} {getattr(self, name).shape}, expected {shape}")
        if self.embeddings.ndim != 2 or len(self.embeddings) != k:
            raise ValueError(f"tracklet {self.id}: embeddings {self.embeddings.shape} for {k} samples")
        for name in ("clothes", "views"):
            values = getattr(self, name)
            if values.ndim != 2 or len(values) != len(self.look_frames):
                raise ValueError(f"tracklet {self.id}: {name} {values.shape} for {len(self.look_frames)} looks")
        for name, values in self.signals.items():
            if values.shape != (n,):
                raise ValueError(f"tracklet {self.id}: signal {name} {values.shape}, expected {(n,)}")
        if n == 0 or np.any(np.diff(self.frames) <= 0):
            raise ValueError(f"tracklet {self.id}: frames must be non-empty and increasing")

    @property
    def start(self) -> int:
        """The first frame."""
        return int(self.frames[0])

    @property
    def end(self) -> int:
        """One past the last frame."""
        return int(self.frames[-1]) + 1

    def part(self, rows: Any, samples: Any, looks: Any) -> Tracklet:
        """Some of its rows, samples and looks, each chosen by a slice, a mask or an index array."""
        per_row = ("frames", "boxes", "scores", "landmarks", "sharpness")
        per_sample = ("sample_frames", "sample_quality", "embeddings")
        per_look = ("look_frames", "clothes", "views")
        chosen = [(name, rows) for name in per_row]
        chosen += [(name, samples) for name in per_sample]
        chosen += [(name, looks) for name in per_look]
        columns = {name: getattr(self, name)[which] for name, which in chosen}
        return replace(self, **columns, signals={name: values[rows] for name, values in self.signals.items()})

    @property
    def embedding(self) -> FloatArray | None:
        """Mean of the samples weighted by quality, (D,) float32 of unit length; None without samples."""
        if len(self.embeddings) == 0:
            return None
        weights = np.maximum(self.sample_quality, 1e-3)[:, None]
        mean = (self.embeddings * weights).sum(0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


@dataclass(frozen=True, eq=False)
class FaceAnalysis:
    """Everything the decode pass found, as it is cached. Knows nothing of people, crops or output.

    frame_pts: (N,) int64, pts of every decoded frame in presentation order.
    clock_shifts: ticks by which `frame_pts` are ahead of the times in the file after each lasting jump of its clock
        (joined MPEG-TS); the audio jumps at the same places.
    origin_pts: of the video's first frame, if only a part of the video was decoded; None if all of it was.

    Times in seconds count from the first frame of the video, decoded or not; they are computed once.
    """

    video: VideoInfo
    frame_pts: IntArray
    shots: tuple[Shot, ...]
    tracklets: tuple[Tracklet, ...]
    embedder: str
    decode_failures: int
    statistics: dict[str, float | int] = field(default_factory=dict)
    clock_shifts: tuple[int, ...] = ()
    origin_pts: int | None = None

    @property
    def frame_count(self) -> int:
        """N, the number of analysed frames."""
        return len(self.frame_pts)

    def active_picture(self, shot: int) -> PixelBox:
        """The part of the frame that is neither black bar nor blurred copy in shot number `shot`."""
        return self.shots[shot].active or (0, 0, self.video.width, self.video.height)

    @property
    def starts_s(self) -> Seconds:
        """(N,) float64: when each frame begins to be shown, seconds."""
        return self.bounds_s[:-1]

    @cached_property
    def ends_s(self) -> Seconds:
        """(N,) float64: when each frame stops being shown; before the next one starts where the recording pauses."""
        if not self.frame_count:
            return np.zeros(0)
        ends = np.minimum(self.frame_pts[1:], self.frame_pts[:-1] + self._longest_hold)
        return self._seconds(np.append(ends, self.end_pts(self.frame_count)))

    @cached_property
    def bounds_s(self) -> Seconds:
        """(N + 1,) float64: when each frame begins, and when the last one ends; [0.0] without frames."""
        if not self.frame_count:
            return np.zeros(1)
        return self._seconds(np.append(self.frame_pts, self.end_pts(self.frame_count)))

    @overload
    def seconds_at(self, frames: int) -> float: ...
    @overload
    def seconds_at(self, frames: IntArray) -> Seconds: ...
    def seconds_at(self, frames: int | IntArray) -> float | Seconds:
        """When frames begin, seconds; frame number N, an exclusive end, is when the last one ends."""
        found = self.bounds_s[frames]
        return found if isinstance(frames, np.ndarray) else float(found)

    @cached_property
    def tracklets_by_id(self) -> Mapping[int, Tracklet]:
        """Every tracklet by its id."""
        return {tracklet.id: tracklet for tracklet in self.tracklets}

    def on_screen_s(self, tracklets: Collection[int]) -> float:
        """How long any of `tracklets` (ids) is visible, seconds."""
        own = [self.tracklets_by_id[number].frames for number in tracklets if number in self.tracklets_by_id]
        frames = np.unique(np.concatenate(own)) if own else np.zeros(0, np.int64)
        return float((self.seconds_at(frames + 1) - self.seconds_at(frames)).sum())

    def end_pts(self, frame: int) -> int:
        """pts at which frame number `frame - 1` stops being shown (`frame` is an exclusive end)."""
        start = int(self.frame_pts[frame - 1])
        if frame < self.frame_count:
            return min(int(self.frame_pts[frame]), start + self._longest_hold)
        nominal = round(1 / (self.video.frame_rate * self.video.time_base))
        return start + max(nominal, 1)

    @property
    def _longest_hold(self) -> int:
        return max(round(LONGEST_HOLD_S / self.video.time_base), 1)

    def _seconds(self, pts: IntArray) -> Seconds:
        # Subtracted as integers: a stream may begin at any time, and far from zero a float loses the fraction.
        origin = self.frame_pts[0] if self.origin_pts is None else self.origin_pts
        seconds = np.asarray((pts - origin) * float(self.video.time_base), np.float64)
        seconds.setflags(write=False)  # shared by all callers
        return seconds
