"""From crop paths to clip files: decodes only the ranges that are shown, once for all people in them.

Three things run at the same time: decoding on the prefetch thread, and for every open clip a thread of its
own that crops and feeds an encoder process. Queues between them are short, the slowest one paces.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from config import Settings
from core.errors import EncodeError, InterruptedRunError
from core.ffmpeg_tool import H264_ENCODER
from core.h264_encoder import choose_encoder
from core.threads import thread_budget
from core.types import Clip, CropPath, FaceAnalysis
from core.video_frame import VideoFrame
from core.video_reader import VideoReader
from processors.clip_job import ClipJob, Planes
from processors.clip_names import clip_files
from processors.clip_sounds import ClipSounds
from processors.finished_clips import FinishedClips
from utils.iterators import prefetch
from utils.memory import MemoryReturn
from utils.progress import StageMonitor

logger = logging.getLogger(__name__)

MAX_ENCODERS = 4
"""clips that are open at a time; where more people are in the picture the range is decoded again"""

_FRAMES_AHEAD = 4
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class RenderResult:
    """What was written.

    clips: in the order of the paths. repeated_pictures: pictures that could not be decoded this time and show
    the one before. damaged_sound_packets: packets that became silence, summed over the clips. encoder: which
    one made the clips, as ffmpeg names it.
    """

    clips: tuple[Clip, ...]
    repeated_pictures: int
    damaged_sound_packets: int
    encoder: str


class ClipRenderer:
    """Renders the clips of one video after the other."""

    def __init__(
        self, settings: Settings, monitor: StageMonitor | None = None, *, max_encoders: int = MAX_ENCODERS
    ) -> None:
        self._settings = settings
        self._threads = thread_budget(settings.run.threads)
        self._monitor = monitor or StageMonitor()
        self._max_encoders = max_encoders

    def render(
        self,
        analysis: FaceAnalysis,
        paths: Sequence[CropPath],
        folder: Path,
        finished: FinishedClips | None = None,
        completed: Callable[[Clip], None] = lambda clip: None,
    ) -> RenderResult:
        """Write one clip per path below `folder`, under the names of `clip_files`.

        finished: clips in `folder` that an earlier try has finished; they are not made again, and each clip
        that is finished now is noted there.
        completed: called with each clip that is made, by a thread of its own, while others are still made.

        Raises:
            DecodeError: the video, or a clip's whole interval, cannot be decoded any more.
            EncodeError, OutputError, ToolMissingError: a clip cannot be written.
            InterruptedRunError: the monitor's `stop` was set. Clips that were complete stay, no others.
        """
        # Nothing is decoded when there is no encoder.
        codec = self._settings.encode.codec
        encoder = choose_encoder(codec, *self._settings.clip.frame_size)
        try:
            return self._render_by(encoder, analysis, paths, folder, finished, completed)
        except EncodeError as error:
            # A GPU may run out of sessions or memory, or fall away, after a trial that went well.
            if codec != "auto" or encoder == H264_ENCODER:
                raise
            logger.warning("%s failed: %s; the clips are made again by %s", encoder, error.message, H264_ENCODER)
            return self._render_by(H264_ENCODER, analysis, paths, folder, finished, completed)

    def _render_by(
        self,
        encoder: str,
        analysis: FaceAnalysis,
        paths: Sequence[CropPath],
        folder: Path,
        finished: FinishedClips | None,
        completed: Callable[[Clip], None],
    ) -> RenderResult:
        names = clip_files(paths, analysis, self._settings.clip.template)
        done = [
            None if finished is None else finished.find(path, name, encoder)
            for path, name in zip(paths, names, strict=True)
        ]

        def note(job: ClipJob) -> None:
            made = job.finished(folder)
            if finished is not None:
                finished.add(job.path, encoder, made)
            completed(made.clip)

        kbps = self._settings.encode.audio_kbps
        with ClipSounds(analysis.video, folder, kbps, analysis.clock_shifts) as sounds:
            jobs = [
                ClipJob(path, folder / name, analysis, self._settings.encode, encoder, sounds, note)
                for path, name, clip in zip(paths, names, done, strict=True)
                if clip is None
            ]
            if len(jobs) < len(paths):
                logger.info("%d of %d clips were finished by an earlier run", len(paths) - len(jobs), len(paths))
            total = sum(len(job.path.source_frames) for job in jobs)
            try:
                for chosen in split_passes(jobs, self._max_encoders):
                    self._run_pass(analysis, chosen, jobs, total)
            finally:
                # All are told before the first is waited for: one may be waiting for another's sound.
                for job in jobs:
                    job.abandon()
                for job in jobs:
                    job.wait()
        made = iter(jobs)
        clips = [next(made).finished(folder) if clip is None else clip for clip in done]
        return RenderResult(
            clips=tuple(clip.clip for clip in clips),
            repeated_pictures=sum(clip.repeated_pictures for clip in clips),
            damaged_sound_packets=sum(clip.damaged_sound_packets for clip in clips),
            encoder=encoder,
        )

    def _run_pass(self, analysis: FaceAnalysis, waiting: list[ClipJob], jobs: Sequence[ClipJob], total: int) -> None:
        running: list[ClipJob] = []
        room = threading.Semaphore(self._max_encoders)
        return_memory = MemoryReturn()
        with (
            VideoReader(analysis.video, threads=self._threads.decode) as reader,
            prefetch(_pictures(reader, waiting), _FRAMES_AHEAD, self._monitor.stop) as frames,
        ):
            for frame in frames:
                return_memory()
                item = (frame.pts, frame.planes())
                # First those that are running: this picture may be what ends one and makes room.
                for job in running:
                    self._hand(job, item)
                while waiting and waiting[0].start_pts <= frame.pts:
                    job = waiting.pop(0)
                    self._start(job, running, room)
                    self._hand(job, item)
                self._monitor.update("render", sum(job.rows_done for job in jobs), total)
            self._check(running)
        for job in running:
            self._hand(job, None)
        for job in waiting:  # the video ended before them; each says so itself
            self._start(job, running, room)
            self._hand(job, None)
        for job in running:
            while not job.join(_POLL_S):
                self._check(running)
        self._check(running)
        self._monitor.update("render", sum(job.rows_done for job in jobs), total)

    def _start(self, job: ClipJob, running: list[ClipJob], room: threading.Semaphore) -> None:
        """Start a clip's thread as soon as there is room for one more encoder; forget those that are done."""
        while not room.acquire(timeout=_POLL_S):
            self._check(running)
        self._check(running)
        running[:] = [other for other in running if not other.join(0) or other.failure is not None]
        job.start(room.release)
        running.append(job)

    def _hand(self, job: ClipJob, item: tuple[int, Planes] | None) -> None:
        while not job.offer(item, _POLL_S):
            self._check([job])

    def _check(self, running: Sequence[ClipJob]) -> None:
        if self._monitor.stop.is_set():
            raise InterruptedRunError("stopped while rendering", stage="render")
        for job in running:
            if job.failure is not None:
                raise job.failure


def split_passes(jobs: Sequence[ClipJob], limit: int) -> list[list[ClipJob]]:
    """Jobs in time order, in as few passes as it takes for no more than `limit` to overlap in any of them."""
    passes: list[list[ClipJob]] = []
    for job in sorted(jobs, key=lambda job: (job.start_pts, job.end_pts)):
        for members in passes:
            if sum(other.end_pts > job.start_pts for other in members) < limit:
                members.append(job)
                break
        else:
            passes.append([job])
    return passes


def _pictures(reader: VideoReader, jobs: Sequence[ClipJob]) -> Iterator[VideoFrame]:
    """The frames that the jobs show; what lies between is left to the reader to skip."""
    ranges: list[list[int]] = []
    for job in jobs:
        if ranges and job.start_pts <= ranges[-1][1]:
            ranges[-1][1] = max(ranges[-1][1], job.end_pts)
        else:
            ranges.append([job.start_pts, job.end_pts])
    for start_pts, end_pts in ranges:
        yield from reader.frames(start_pts, end_pts)
