"""One of the threads that make the clips of a video: decodes a part of it and feeds the clips that are shown there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait

from core.media.video_frame import VideoFrame, waiting_frames
from core.media.video_reader import VideoReader
from processors.clips.clip_spec import ClipSpec
from processors.clips.clip_task import ClipTask, Item
from processors.clips.encoder_slots import GroupSlots
from processors.clips.render_context import RenderContext
from processors.clips.render_plan import Part, merged_ranges
from utils.processes.future_threads import FutureThread
from utils.processes.malloc_tuning import MemoryReturn
from utils.processes.prefetch import prefetch

_FRAMES_AHEAD = 4
"""frames that are decoded ahead at most"""
_POLL_S = 0.05


class RenderWorker:
    """Makes parts one after the other on a thread of its own.

    A worker asks for the encoder slots of a group after the groups before it have got their last frame. The slots it
    still holds then are released without its help, so workers never wait for each other in a circle.

    Attributes:
        result: None when no part is left, or what made the worker fail.
        tasks: clips whose threads may still be running.
    """

    def __init__(self, context: RenderContext, parts: deque[Part], *, name: str) -> None:
        """parts: still to be made, shared by all workers. name: of the thread."""
        self._context = context
        self._parts = parts
        self.tasks: list[ClipTask] = []
        self._open: list[ClipTask] = []
        self._return_memory = MemoryReturn()
        self._thread = FutureThread(self._make_parts, name=name)

    @property
    def result(self) -> Future[None]:
        return self._thread.future

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def join(self) -> None:
        """Wait until the thread has ended. After a failure its clips may still be under way."""
        self._thread.join()

    def abandon_clips(self) -> None:
        """Give up unfinished clips without waiting for them; for the time after `join`."""
        for task in self.tasks:
            task.abandon()

    def join_clips(self) -> None:
        """Wait until the threads of all clips have ended."""
        for task in self.tasks:
            task.join()

    def _make_parts(self) -> None:
        while True:
            try:
                part = self._parts.popleft()
            except IndexError:
                return
            self.make(part)

    def make(self, part: Part) -> None:
        """Make the clips of `part`.

        Raises:
            DecodeError: the video, or the whole interval of a clip, cannot be decoded any more.
            EncodeError, OutputError, ToolMissingError: a clip cannot be written.
            InterruptedRunError: of `RenderContext.leave_if_stopped`.
        """
        context = self._context
        pending = deque(_with_slots(part, context))
        ahead = waiting_frames(context.video.width, context.video.height, _FRAMES_AHEAD)
        self._open = []
        with (
            VideoReader(context.video, threads=context.decode_threads) as reader,
            prefetch(_frames(reader, [spec for spec, _ in pending]), ahead, context.stop) as frames,
        ):
            for frame in frames:
                self._return_memory()
                context.leave_if_stopped()
                item = (frame.pts, frame.planes())
                # Open clips first: this frame may end one of them, and release the slot for the next.
                for task in self._open:
                    self._hand(task, item)
                while pending and pending[0][0].start_pts <= frame.pts:
                    self._hand(self._start(*pending.popleft()), item)
            self._check()
        for task in self._open:
            self._hand(task, None)
        # The video ended before these begin; each of them reports that as its own failure.
        for spec, slots in pending:
            self._hand(self._start(spec, slots), None)
        for task in self._open:
            while not wait([task.result], _POLL_S).done:
                self._check()
        self._check()

    def _start(self, spec: ClipSpec, slots: GroupSlots) -> ClipTask:
        """Start a clip as soon as another encoder may be opened."""
        slots.acquire(self._check)
        self._open = [task for task in self._open if not task.result.done() or task.failure is not None]
        # A finished task holds 16 kB, and an hour has thousands.
        self.tasks = [task for task in self.tasks if not task.has_ended]
        task = ClipTask(spec, self._context)
        self.tasks.append(task)
        self._open.append(task)
        task.start(slots.release)
        return task

    def _hand(self, task: ClipTask, item: Item | None) -> None:
        while not task.offer(item, _POLL_S):
            self._check()

    def _check(self) -> None:
        """Leave if the run has to stop or one of the open clips has failed."""
        self._context.leave_if_stopped()
        for task in self._open:
            if task.failure is not None:
                raise task.failure


def _with_slots(part: Part, context: RenderContext) -> Iterator[tuple[ClipSpec, GroupSlots]]:
    for group in part:
        slots = GroupSlots(len(group.specs), group.widest, context.slots)
        for spec in group.specs:
            yield spec, slots


def _frames(reader: VideoReader, specs: Sequence[ClipSpec]) -> Iterator[VideoFrame]:
    """The frames that the clips show; the reader skips what lies between."""
    for start_pts, end_pts in merged_ranges(specs):
        yield from reader.frames(start_pts, end_pts)
