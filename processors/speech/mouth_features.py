"""Another pass over the video with finished boxes: the motion of mouths on the 25 Hz grid."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.errors import InterruptedRunError
from core.media.video_reader import VideoReader
from core.models.face_mesh import FaceMesh, mouth_opening
from core.models.speech_net import CHUNK_FRAMES, CONTEXT_FRAMES, RATE_HZ, SpeechNet, chunks
from core.types import ByteArray, FaceAnalysis, FloatArray, IntArray, Tracklet
from processors.speech.mouth_region import face_image, mouth_image, smoothed_boxes


@dataclass(frozen=True, slots=True, eq=False)
class MouthFeatures:
    """One tracklet's mouth over a run of consecutive grid rows.

    first: number of the first row. opening: (K,) heights of the face. visual: (K, 128) by key of the network.
    """

    tracklet: int
    first: int
    opening: NDArray[np.float64]
    visual: dict[str, FloatArray]


def grid_frames(times_s: NDArray[np.float64]) -> IntArray:
    """(N,) int64: the frame shown in the middle of each 1/25 s. times_s: (frames + 1,), `FaceAnalysis.bounds_s`."""
    middles = (np.arange(int(times_s[-1] * RATE_HZ)) + 0.5) / RATE_HZ
    return np.clip(np.searchsorted(times_s, middles, side="right") - 1, 0, max(len(times_s) - 2, 0)).astype(np.int64)


def runs(tracklet: Tracklet, frames: IntArray, wanted: NDArray[np.bool_]) -> list[tuple[IntArray, IntArray]]:
    """The wanted rows of a tracklet: (grid rows, positions in the tracklet) of each run without a gap.

    frames: from `grid_frames`. wanted: (N,), which rows of the grid are wanted.
    """
    at = np.clip(np.searchsorted(tracklet.frames, frames), 0, len(tracklet.frames) - 1)
    rows = np.flatnonzero((tracklet.frames[at] == frames) & wanted)
    if not len(rows):
        return []
    pieces = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    return [(piece, at[piece]) for piece in pieces]


@dataclass(slots=True, eq=False)
class _Run:
    """A run that is being collected; `mouths` are those not yet encoded, because their context is incomplete."""

    tracklet: int
    rows: IntArray
    boxes: NDArray[np.float64]
    opening: list[float] = field(default_factory=list)
    mouths: list[ByteArray] = field(default_factory=list)
    dropped: int = 0
    visual: dict[str, list[FloatArray]] = field(default_factory=dict)
    encoded: int = 0


class MouthReader:
    """Measures mouths with the face mesh and the networks' visual encoders, if any."""

    def __init__(self, mesh: FaceMesh, nets: Sequence[SpeechNet] = ()) -> None:
        self._mesh = mesh
        self._nets = nets

    def read(
        self,
        analysis: FaceAnalysis,
        times_s: NDArray[np.float64],
        wanted: NDArray[np.bool_],
        *,
        decode_threads: int = 1,
        stop: threading.Event | None = None,
    ) -> Iterator[MouthFeatures]:
        """Every run of every tracklet, each after its last frame.

        times_s: (frames + 1,) seconds, `FaceAnalysis.bounds_s`. wanted: (N,), which rows of the grid are wanted.
        Only the parts of the video with a wanted face are decoded. Memory per face: 1 kB per row and network, and the
        images of fewer than a hundred rows.

        Raises:
            DecodeError: the file cannot be opened any more.
            InterruptedRunError: `stop` was set meanwhile.
        """
        frames = grid_frames(times_s)
        waiting = _rows_by_frame(analysis, frames, wanted)
        with VideoReader(analysis.video, threads=decode_threads) as reader:
            for first, last in decoded_stretches(sorted(waiting)):
                pts = analysis.frame_pts
                numbers = {int(pts[number]): number for number in range(first, last + 1)}
                for frame in reader.frames(int(pts[first]), int(pts[last]) + 1):
                    if stop is not None and stop.is_set():
                        raise InterruptedRunError("stopped", path=analysis.video.path, stage="speech")
                    luma = frame.planes()[0]
                    for run, place in waiting.pop(numbers.get(frame.pts, -1), ()):
                        self._look(run, place, luma)
                        if place == len(run.rows) - 1:
                            yield self._finished(run)
                # Frames that cannot be decoded this time may include the last one of a run.
                for number in [number for number in waiting if number <= last]:
                    for run, place in waiting.pop(number):
                        if place == len(run.rows) - 1 and run.opening:
                            yield self._finished(run)

    def _look(self, run: _Run, place: int, luma: ByteArray) -> None:
        opening = mouth_opening(self._mesh.points(face_image(luma, run.boxes[place])))
        # Frames that could not be decoded this time repeat the one before.
        missing = place - len(run.opening)
        run.opening += [opening] * (missing + 1)
        if self._nets:
            mouth = mouth_image(luma, run.boxes[place])
            run.mouths += [mouth] * (missing + 1)
            self._encode(run, whole=False)

    def _encode(self, run: _Run, *, whole: bool) -> None:
        """Encode the mouths with complete context, in chunks of one size, or all that are left."""
        known, total = run.dropped + len(run.mouths), len(run.rows)
        for fed, kept in chunks(total)[run.encoded :]:
            if known < fed.stop and not whole:
                return
            images = np.stack(run.mouths[fed.start - run.dropped : fed.stop - run.dropped])
            for net in self._nets:
                run.visual.setdefault(net.key, []).append(net.visual(images)[kept])
            run.encoded += 1
            keep_from = max(run.encoded * CHUNK_FRAMES - CONTEXT_FRAMES, 0)
            del run.mouths[: keep_from - run.dropped]
            run.dropped = keep_from

    def _finished(self, run: _Run) -> MouthFeatures:
        missing = len(run.rows) - len(run.opening)
        run.opening += run.opening[-1:] * missing
        if self._nets:
            run.mouths += run.mouths[-1:] * missing
            self._encode(run, whole=True)
        visual = {key: np.concatenate(parts) for key, parts in run.visual.items()}
        return MouthFeatures(run.tracklet, int(run.rows[0]), np.array(run.opening), visual)


def _rows_by_frame(
    analysis: FaceAnalysis, frames: IntArray, wanted: NDArray[np.bool_]
) -> dict[int, list[tuple[_Run, int]]]:
    """The rows that each frame is needed for: the run, and the number of the row in it. frames: of `grid_frames`."""
    found: dict[int, list[tuple[_Run, int]]] = {}
    for tracklet in analysis.tracklets:
        for rows, at in runs(tracklet, frames, wanted):
            run = _Run(tracklet.id, rows, smoothed_boxes(tracklet.boxes[at]))
            for place, row in enumerate(rows):
                found.setdefault(int(frames[row]), []).append((run, place))
    return found


_FAR_FRAMES = 50
"""largest gap in frames that is decoded instead of skipped by seeking"""


def decoded_stretches(frames: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of the runs of `frames`, which increase; smaller gaps are decoded too."""
    found: list[tuple[int, int]] = []
    for frame in frames:
        if found and frame - found[-1][1] <= _FAR_FRAMES:
            found[-1] = (found[-1][0], frame)
        else:
            found.append((frame, frame))
    return found
