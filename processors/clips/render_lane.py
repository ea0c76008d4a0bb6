"""One of the lanes in which the clips of a video are made: decodes a part of it and feeds the clips shown there."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from core.media.video_frame import VideoFrame
from core.media.video_reader import VideoReader
from core.types import VideoInfo
from processors.clips.clip_job import ClipJob, Planes
from processors.clips.encoder_slots import EncoderRooms
from processors.clips.render_plan import ClipGroup, Part
from utils.malloc_tuning import MemoryReturn
from utils.prefetch import prefetch

_FRAMES_AHEAD = 4
_POLL_S = 0.05

Check = Callable[[], None]


class RenderLane:
    """Makes parts, one after the other. Lanes of one video share the rooms.

    A lane asks for a group's rooms when the groups before it have got their last picture: what it holds then comes
    back by itself, so that lanes never wait for each other in a circle.
    """

    def __init__(
        self,
        video: VideoInfo,
        rooms: EncoderRooms,
        *,
        threads: int,
        stop: threading.Event,
        leave: Check,
        advanced: Callable[[int], None],
    ) -> None:
        """threads: for decoding. stop: ends the decoding. leave: raises where the lane has to leave.

        advanced: told how many more pictures are in the clips.
        """
        self._video = video
        self._rooms = rooms
        self._threads = threads
        self._stop = stop
        self._leave = leave
        self._advanced = advanced
        self._running: list[ClipJob] = []
        self._return_memory = MemoryReturn()

    def make(self, part: Part) -> None:
        """Make the clips of `part`.

        Raises:
            DecodeError: the video, or a clip's whole interval, cannot be decoded any more.
            EncodeError, OutputError, ToolMissingError: a clip cannot be written.
            What `leave` raises. After an error clips are still under way.
        """
        waiting = deque(_in_order(part, self._rooms))
        jobs = [job for job, _ in waiting]
        done = 0
        self._running = []
        with (
            VideoReader(self._video, threads=self._threads) as reader,
            prefetch(_pictures(reader, jobs), _FRAMES_AHEAD, self._stop) as frames,
        ):
            for frame in frames:
                self._return_memory()
                self._leave()
                item = (frame.pts, frame.planes())
                # First those that are running: this picture may be what ends one and makes room.
                for job in self._running:
                    self._hand(job, item)
                while waiting and waiting[0][0].start_pts <= frame.pts:
                    self._hand(self._started(*waiting.popleft()), item)
                done, before = sum(job.rows_done for job in jobs), done
                self._advanced(done - before)
            self._check()
        for job in self._running:
            self._hand(job, None)
        for entry in waiting:  # the video ended before them; each says so itself
            self._hand(self._started(*entry), None)
        for job in self._running:
            while not job.join(_POLL_S):
                self._check()
        self._check()
        self._advanced(sum(job.rows_done for job in jobs) - done)

    def _started(self, job: ClipJob, rooms: _GroupRooms) -> ClipJob:
        """Start a clip's thread as soon as there is room for one more encoder; forget those that are done."""
        rooms.enter(self._check)
        self._running = [other for other in self._running if not other.join(0) or other.failure is not None]
        job.start(rooms.leave)
        self._running.append(job)
        return job

    def _hand(self, job: ClipJob, item: tuple[int, Planes] | None) -> None:
        while not job.offer(item, _POLL_S):
            self._check()

    def _check(self) -> None:
        self._leave()
        for job in self._running:
            if job.failure is not None:
                raise job.failure


class _GroupRooms:
    """The rooms of a group: taken together for its first clip, given back as soon as fewer clips are left."""

    def __init__(self, group: ClipGroup, rooms: EncoderRooms) -> None:
        self._rooms = rooms
        self._lock = threading.Lock()
        self._widest = group.widest
        self._left = len(group.jobs)
        self._taken = False
        self._room = threading.Semaphore(group.widest)

    def enter(self, check: Check) -> None:
        """Wait until one more clip may be opened."""
        if not self._taken:
            self._rooms.take(self._widest, _POLL_S, check)
            self._taken = True
        while not self._room.acquire(timeout=_POLL_S):
            check()
        check()

    def leave(self) -> None:
        """A clip has ended; any thread may say so."""
        self._room.release()
        with self._lock:
            self._left -= 1
            one_less = self._left < self._widest
        if one_less:
            self._rooms.give()


def _in_order(part: Iterable[ClipGroup], rooms: EncoderRooms) -> Iterator[tuple[ClipJob, _GroupRooms]]:
    for group in part:
        own = _GroupRooms(group, rooms)
        for job in group.jobs:
            yield job, own


def _pictures(reader: VideoReader, jobs: Iterable[ClipJob]) -> Iterator[VideoFrame]:
    """The frames that the jobs show; what lies between is left to the reader to skip."""
    ranges: list[list[int]] = []
    for job in jobs:
        if ranges and job.start_pts <= ranges[-1][1]:
            ranges[-1][1] = max(ranges[-1][1], job.end_pts)
        else:
            ranges.append([job.start_pts, job.end_pts])
    for start_pts, end_pts in ranges:
        yield from reader.frames(start_pts, end_pts)
