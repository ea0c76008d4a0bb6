"""From crop paths to clip files: decodes only the ranges that are shown, once for all people in them.

Three things run at the same time: decoding on the prefetch thread, and for every open clip a thread of its
own that crops and feeds an encoder process. Queues between them are short, the slowest one paces.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from config import Settings
from core.audio_reader import PcmExcerpt, PcmFormat, read_audio
from core.clip_writer import ClipWriter
from core.errors import DecodeError, InterruptedRunError, OutputError
from core.ffmpeg_tool import find_ffmpeg
from core.types import ByteArray, Clip, CropPath, FaceAnalysis
from core.video_frame import VideoFrame
from core.video_reader import VideoReader
from utils.files import PARTIAL_PREFIX
from utils.images import crop_planes
from utils.iterators import prefetch
from utils.progress import StageMonitor
from utils.timebase import format_timestamp

logger = logging.getLogger(__name__)

MAX_ENCODERS = 4
"""clips that are open at a time; where more people are in the picture the range is decoded again"""

_FRAMES_AHEAD = 4
_POLL_S = 0.05

Planes = tuple[ByteArray, ByteArray, ByteArray]


@dataclass(frozen=True, slots=True)
class RenderResult:
    """What was written.

    clips: in the order of the paths. repeated_pictures: pictures that could not be decoded this time and show
    the one before. damaged_sound_packets: packets that became silence, summed over the clips.
    """

    clips: tuple[Clip, ...]
    repeated_pictures: int
    damaged_sound_packets: int


def clip_files(paths: Sequence[CropPath], analysis: FaceAnalysis) -> tuple[str, ...]:
    """Names of the clips relative to the video's folder: "person_01/clip_001_00-00-03.200.mp4".

    Numbered per person in time order; the time is that of the clip's start, from the video's first frame.
    """
    names = [""] * len(paths)
    numbers: dict[str, int] = {}
    for i in sorted(range(len(paths)), key=lambda i: (paths[i].segment.start, paths[i].segment.end, i)):
        segment = paths[i].segment
        number = numbers[segment.person] = numbers.get(segment.person, 0) + 1
        start = format_timestamp(_since_start_s(analysis, int(analysis.frame_pts[segment.start])))
        names[i] = f"{segment.person}/clip_{number:03d}_{start}.mp4"
    return tuple(names)


class ClipRenderer:
    """Renders the clips of one video after the other."""

    def __init__(
        self, settings: Settings, monitor: StageMonitor | None = None, *, max_encoders: int = MAX_ENCODERS
    ) -> None:
        self._settings = settings
        self._monitor = monitor or StageMonitor()
        self._max_encoders = max_encoders

    def render(self, analysis: FaceAnalysis, paths: Sequence[CropPath], folder: Path) -> RenderResult:
        """Write one clip per path below `folder`, under the names of `clip_files`.

        Raises:
            DecodeError: the video, or a clip's whole interval, cannot be decoded any more.
            EncodeError, OutputError, ToolMissingError: a clip cannot be written.
            InterruptedRunError: the monitor's `stop` was set. Clips that were complete stay, no others.
        """
        find_ffmpeg()  # nothing is decoded when there is no encoder
        jobs = [
            _ClipJob(path, folder / name, analysis, self._settings)
            for path, name in zip(paths, clip_files(paths, analysis), strict=True)
        ]
        total = sum(len(path.source_frames) for path in paths)
        try:
            for chosen in split_passes(jobs, self._max_encoders):
                self._run_pass(analysis, chosen, jobs, total)
        finally:
            for job in jobs:
                job.abandon()
        return RenderResult(
            clips=tuple(job.clip(folder) for job in jobs),
            repeated_pictures=sum(job.repeated for job in jobs),
            damaged_sound_packets=sum(job.sound.damaged_packets for job in jobs if job.sound is not None),
        )

    def _run_pass(self, analysis: FaceAnalysis, waiting: list[_ClipJob], jobs: Sequence[_ClipJob], total: int) -> None:
        running: list[_ClipJob] = []
        with (
            VideoReader(analysis.video) as reader,
            prefetch(_pictures(reader, waiting), _FRAMES_AHEAD, self._monitor.stop) as frames,
        ):
            for frame in frames:
                item = (frame.pts, frame.planes())
                # First those that are running: this picture may be what ends one and makes room.
                for job in running:
                    self._hand(job, item)
                while waiting and waiting[0].start_pts <= frame.pts:
                    job = waiting.pop(0)
                    self._start(job, running)
                    self._hand(job, item)
                self._monitor.update("render", sum(job.rows_done for job in jobs), total)
            self._check(running)
        for job in running:
            self._hand(job, None)
        for job in waiting:  # the video ended before them; each says so itself
            self._start(job, running)
            self._hand(job, None)
        for job in running:
            while not job.join(_POLL_S):
                self._check(running)
        self._check(running)
        self._monitor.update("render", sum(job.rows_done for job in jobs), total)

    def _start(self, job: _ClipJob, running: list[_ClipJob]) -> None:
        """Start a clip's thread as soon as there is room for one more encoder."""
        while sum(not other.join(0) for other in running) >= self._max_encoders:
            self._check(running)
            running[0].join(_POLL_S)
        job.start()
        running.append(job)

    def _hand(self, job: _ClipJob, item: tuple[int, Planes] | None) -> None:
        while not job.offer(item, _POLL_S):
            self._check([job])

    def _check(self, running: Sequence[_ClipJob]) -> None:
        if self._monitor.stop.is_set():
            raise InterruptedRunError("stopped while rendering", stage="render")
        for job in running:
            if job.failure is not None:
                raise job.failure


def split_passes(jobs: Sequence[_ClipJob], limit: int) -> list[list[_ClipJob]]:
    """Jobs in time order, in as few passes as it takes for no more than `limit` to overlap in any of them."""
    passes: list[list[_ClipJob]] = []
    for job in sorted(jobs, key=lambda job: (job.start_pts, job.end_pts)):
        for members in passes:
            if sum(other.end_pts > job.start_pts for other in members) < limit:
                members.append(job)
                break
        else:
            passes.append([job])
    return passes


def _pictures(reader: VideoReader, jobs: Sequence[_ClipJob]) -> Iterator[VideoFrame]:
    """The frames that the jobs show; what lies between is left to the reader to skip."""
    ranges: list[list[int]] = []
    for job in jobs:
        if ranges and job.start_pts <= ranges[-1][1]:
            ranges[-1][1] = max(ranges[-1][1], job.end_pts)
        else:
            ranges.append([job.start_pts, job.end_pts])
    for start_pts, end_pts in ranges:
        yield from reader.frames(start_pts, end_pts)


def _since_start_s(analysis: FaceAnalysis, pts: int) -> float:
    return round(analysis.video.seconds(pts - int(analysis.frame_pts[0])), 6)


class _ClipJob:
    """One clip under way: takes pictures in presentation order, crops and encodes them on a thread."""

    def __init__(self, path: CropPath, target: Path, analysis: FaceAnalysis, settings: Settings) -> None:
        self._path = path
        self._target = target
        self._analysis = analysis
        self._settings = settings
        self._wanted = analysis.frame_pts[path.source_frames]
        self._queue: queue.Queue[tuple[int, Planes] | None] = queue.Queue(_FRAMES_AHEAD)
        self._thread = threading.Thread(target=self._run, name=target.name, daemon=True)
        self._abandoned = threading.Event()
        self._writer: ClipWriter | None = None
        self._last: Planes | None = None
        self._closed = False
        self.start_pts = int(analysis.frame_pts[path.segment.start])
        self.end_pts = analysis.end_pts(path.segment.end)
        self.failure: BaseException | None = None
        self.sound: PcmExcerpt | None = None
        self.rows_done = 0
        self.repeated = 0

    def start(self) -> None:
        self._thread.start()

    def offer(self, item: tuple[int, Planes] | None, timeout_s: float) -> bool:
        """Hand over a picture and its pts, None for the end; False where there was no room in time.

        A picture from the clip's end on ends it; what comes later is not for this clip.
        """
        if self._closed:
            return True
        if item is not None and item[0] >= self.end_pts:
            item = None
        try:
            self._queue.put(item, timeout=timeout_s)
        except queue.Full:
            return False
        self._closed = item is None
        return True

    def join(self, timeout_s: float) -> bool:
        """Whether the thread has ended, waiting for it at most so long."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def abandon(self) -> None:
        """Give up what is not finished; returns when the thread, the process and the files are gone."""
        self._abandoned.set()
        if self._writer is not None:
            self._writer.abort()
        if self._thread.ident is not None:
            self._thread.join()

    def clip(self, folder: Path) -> Clip:
        """What was written."""
        segment, path = self._path.segment, self._path
        return Clip(
            person=segment.person,
            file=self._target.relative_to(folder).as_posix(),
            shot=segment.shot,
            start=segment.start,
            end=segment.end,
            start_s=_since_start_s(self._analysis, self.start_pts),
            end_s=_since_start_s(self._analysis, self.end_pts),
            frames=self.rows_done,
            width=path.width,
            height=path.height,
            has_sound=self.sound is not None,
            upscaled=round(float(path.height / (path.windows[:, 3] - path.windows[:, 1]).min()), 4),
        )

    def _run(self) -> None:
        try:
            with contextlib.ExitStack() as stack:
                sound = self._extract_sound(stack)
                video = self._analysis.video
                self._writer = ClipWriter(
                    self._target,
                    self._path.width,
                    self._path.height,
                    video.frame_rate,
                    self._settings.encode,
                    color=video.color,
                    sound=sound,
                )
                if self._abandoned.is_set():
                    raise InterruptedRunError("abandoned", path=self._target, stage="render")
                with self._writer as writer:
                    self._encode(writer)
        except BaseException as error:  # carried to the thread that waits for this one
            self.failure = error
        finally:
            self._last = None

    def _extract_sound(self, stack: contextlib.ExitStack) -> tuple[Path, PcmFormat] | None:
        video = self._analysis.video
        if video.default_audio is None:
            return None
        duration_s = Fraction(len(self._wanted)) / video.frame_rate
        try:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(
                tempfile.NamedTemporaryFile(  # noqa: SIM115 - the stack closes it
                    prefix=PARTIAL_PREFIX, suffix=".pcm", dir=self._target.parent
                )
            )
            self.sound = read_audio(video, self.start_pts * video.time_base, duration_s, file, stop=self._abandoned)
            file.flush()
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputError(f"its sound cannot be written: {reason}", path=self._target, stage="render") from error
        return None if self.sound is None else (Path(file.name), self.sound.format)

    def _encode(self, writer: ClipWriter) -> None:
        while (item := self._next_item()) is not None:
            pts, planes = item
            # Rows whose frame did not come this time repeat what was shown last.
            self._write_rows(writer, self._last or planes, int(np.searchsorted(self._wanted, pts)), repeats=True)
            self._write_rows(writer, planes, int(np.searchsorted(self._wanted, pts, side="right")))
            self._last = planes
        if self._last is None:
            raise DecodeError("no picture of a clip can be decoded any more", path=self._analysis.video.path)
        self._write_rows(writer, self._last, len(self._wanted), repeats=True)

    def _next_item(self) -> tuple[int, Planes] | None:
        while not self._abandoned.is_set():
            with contextlib.suppress(queue.Empty):
                return self._queue.get(timeout=_POLL_S)
        raise InterruptedRunError("abandoned", path=self._target, stage="render")

    def _write_rows(self, writer: ClipWriter, planes: Planes, until: int, *, repeats: bool = False) -> None:
        for row in range(self.rows_done, until):
            y, u, v = crop_planes(planes, self._path.windows[row], self._path.width, self._path.height)
            writer.write(y, u, v)
            self.rows_done += 1
            self.repeated += repeats
