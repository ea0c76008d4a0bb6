"""From crop paths to clip files: decodes only the ranges that are shown, once for all people in them.

Three things run at the same time: lanes that decode at different places of the video, each on a prefetch thread, and
for every open clip a thread of its own that crops and feeds an encoder process. Queues between them are short, the
slowest one paces.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from config import Settings
from core.errors import EncodeError, InterruptedRunError
from core.media.ffmpeg_tool import H264_ENCODER
from core.media.h264_encoder import NVENC, choose_encoder
from core.media.video_reader import is_indexed
from core.thread_budget import thread_budget
from core.types import Clip, CropPath, FaceAnalysis, RenderResult
from processors.clips.clip_job import ClipJob
from processors.clips.clip_names import clip_files
from processors.clips.encoder_slots import EncoderRooms
from processors.clips.render_lane import RenderLane
from processors.clips.render_plan import Part, overlapping_groups, split_parts, split_passes
from processors.clips.resume_journal import FinishedClips
from processors.clips.shared_audio import ClipSounds
from utils.helper_threads import helper_thread
from utils.stage_monitor import StageMonitor

logger = logging.getLogger(__name__)

MAX_ENCODERS = 6
"""clips that are open at a time; where more people are in the picture the range is decoded again"""

_ENCODERS_AT_ONCE = {NVENC: 4}
"""drivers allow three to eight sessions"""

_ROOMS = 4
"""for encoders of several lanes together: each takes 59 MB at 512x512 px"""

_MOST_LANES = 4
_PX_PER_CPU = 1920 * 1088 // 2


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
            try:
                self._make(analysis, jobs, min(self._max_encoders, _ENCODERS_AT_ONCE.get(encoder, self._max_encoders)))
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

    def _make(self, analysis: FaceAnalysis, jobs: Sequence[ClipJob], encoders: int) -> None:
        """Make the clips in as many lanes as the machine has use for, no more than `encoders` at a time."""
        parts = deque(_parts(analysis, jobs, encoders))
        video = analysis.video
        rooms = EncoderRooms(min(max(_ROOMS, self._threads.total), encoders))
        progress = _Progress(self._monitor, sum(len(job.path.source_frames) for job in jobs))
        failures: list[BaseException] = []

        def leave() -> None:
            if self._monitor.stop.is_set() or failures:
                raise InterruptedRunError("stopped while rendering", stage="render")

        def work() -> None:
            lane = RenderLane(
                video,
                rooms,
                threads=self._threads.decode,
                stop=self._monitor.stop,
                leave=leave,
                advanced=progress.advance,
            )
            try:
                while (part := _next(parts)) is not None:
                    lane.make(part)
            except BaseException as error:  # carried to the thread that waits for this one
                failures.append(error)  # the others leave because of the first one

        others = min(lane_count(self._threads.total, video.width * video.height), len(parts)) - 1
        threads = [helper_thread(work, name=f"lane {number}") for number in range(others)]
        for thread in threads:
            thread.start()
        work()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]


def _parts(analysis: FaceAnalysis, jobs: Sequence[ClipJob], encoders: int) -> Iterator[Part]:
    for chosen in split_passes(jobs, encoders):
        groups = overlapping_groups(chosen)
        yield from split_parts(groups) if _is_the_same_from_anywhere(analysis) else [tuple(groups)]


def _is_the_same_from_anywhere(analysis: FaceAnalysis) -> bool:
    """Whether decoding may begin anywhere, and need not begin at the beginning each time.

    What becomes of damaged pictures and times depends on what came before. Where what is marked as key frames is none,
    or nothing is marked, every part would be decoded from the beginning.
    """
    found = analysis.statistics
    is_sound = analysis.decode_failures == 0 and found.get("repaired_times") == 0
    has_key_frames = found.get("key_frames", 0) > 0 and found.get("false_key_frames") == 0
    return is_indexed(analysis.video) and is_sound and has_key_frames


def _next(parts: deque[Part]) -> Part | None:
    with contextlib.suppress(IndexError):
        return parts.popleft()
    return None


class _Progress:
    """Adds up what the lanes have done."""

    def __init__(self, monitor: StageMonitor, total: int) -> None:
        self._monitor = monitor
        self._total = total
        self._done = 0
        self._lock = threading.Lock()

    def advance(self, pictures: int) -> None:
        with self._lock:
            self._done += pictures
            self._monitor.update("render", self._done, self._total)


def lane_count(cpus: int, picture_px: int) -> int:
    """How many lanes decode at a time. One clip keeps about two CPUs busy; a lane at 1080p takes about 100 MB."""
    return max(1, min(cpus // 2 + 1, _MOST_LANES, cpus * _PX_PER_CPU // picture_px))
