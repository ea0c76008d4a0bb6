"""Makes one clip on a thread of its own: crops the frames that it is fed and sends them to an encoder."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

from core.errors import DecodeError, InterruptedRunError
from core.media.audio_reader import PcmExcerpt
from core.media.clip_writer import ClipWriter
from core.media.encoder_command import ClipAudio, ClipEncoding
from core.media.video_frame import waiting_frames
from core.types import Clip
from processors.clips.clip_spec import ClipSpec
from processors.clips.constant_rate import audio_write_errors, fill_rows
from processors.clips.render_context import RenderContext
from utils.images.plane_crops import Planes, crop_planes
from utils.processes.future_threads import FutureThread
from utils.processes.stage_times import timed

_QUEUE_FRAMES = 4
"""frames that may wait for a clip's thread at most; its encoder holds some, too"""
_POLL_S = 0.05

Item = tuple[int, Planes]
"""pts and planes of a source frame"""


class ClipTask:
    """Takes source frames in presentation order, while its thread crops and encodes them.

    Attributes:
        spec: the clip.
        result: the finished clip, or what made it fail.
    """

    def __init__(self, spec: ClipSpec, context: RenderContext) -> None:
        self.spec = spec
        self._context = context
        self._target = context.folder / spec.file
        room = waiting_frames(context.video.width, context.video.height, _QUEUE_FRAMES)
        self._queue: queue.Queue[Item | None] = queue.Queue(room)
        self._abandoned = threading.Event()
        self._writer: ClipWriter | None = None
        self._closed = False
        self._thread = FutureThread(self._make, name=self._target.name)

    @property
    def result(self) -> Future[Clip]:
        return self._thread.future

    @property
    def has_ended(self) -> bool:
        """Whether the clip's thread has ended, and with it all that it had opened."""
        return self._thread.has_ended

    @property
    def failure(self) -> BaseException | None:
        """What made the clip fail, None if it is under way or finished."""
        return self.result.exception() if self.result.done() else None

    def start(self, ended: Callable[[], None]) -> None:
        """Start the thread. ended: called by it when the result is there."""
        self.result.add_done_callback(lambda _: ended())
        self._thread.start()

    def offer(self, item: Item | None, timeout_s: float) -> bool:
        """Hand over a frame, or None after the last one; False if the queue was full for `timeout_s`.

        A frame beyond the end of the clip counts as None; what comes after that is ignored.
        """
        if self._closed:
            return True
        if item is not None and item[0] >= self.spec.end_pts:
            item = None
        try:
            self._queue.put(item, timeout=timeout_s)
        except queue.Full:
            return False
        self._closed = item is None
        return True

    def abandon(self) -> None:
        """Give up the clip if it is not finished; does not wait."""
        self._abandoned.set()
        if self._writer is not None:
            self._writer.abort()

    def join(self) -> None:
        """Wait until the thread has ended, and with it the encoder process and temporary files."""
        self._thread.join()

    def _make(self) -> Clip:
        with contextlib.ExitStack() as stack:
            file, excerpt = self._read_audio(stack)
            encoding = ClipEncoding(
                self.spec.path.width,
                self.spec.path.height,
                self._context.video.frame_rate,
                self._context.settings,
                self.spec.color,
                file,
                self.spec.encoder,
                self.spec.timecode,
            )
            self._writer = ClipWriter(self._target, encoding)
            # If the clip was abandoned before this line, there was no writer to abort.
            self._leave_if_abandoned()
            with self._writer as writer:
                repeated = self._encode(writer)
        damaged = 0 if excerpt is None else excerpt.damaged_packets
        clip = self.spec.clip(has_audio=excerpt is not None, repeated_frames=repeated, damaged_audio_packets=damaged)
        self._context.completed(clip)
        return clip

    @timed("audio")
    def _read_audio(self, stack: contextlib.ExitStack) -> tuple[ClipAudio | None, PcmExcerpt | None]:
        if self._context.video.default_audio is None:
            return None, None
        with audio_write_errors(self._target, "render"):
            self._target.parent.mkdir(parents=True, exist_ok=True)
            audio = stack.enter_context(self._context.audio.read(self.spec.interval, self._abandoned))
        return (None, None) if audio is None else audio

    def _encode(self, writer: ClipWriter) -> int:
        """Write all rows; returns how many of them repeat a frame because their own is missing."""
        repeated = 0
        for planes, rows, is_repeat in fill_rows(self._items(), self.spec.wanted_pts):
            for row in rows:
                self._write_row(writer, planes, row)
            repeated += len(rows) if is_repeat else 0
        if writer.frames == 0:
            raise DecodeError("no frame of a clip can be decoded any more", path=self._context.video.path)
        return repeated

    def _write_row(self, writer: ClipWriter, planes: Planes, row: int) -> None:
        path = self.spec.path
        with timed("render"):
            cropped = crop_planes(planes, path.windows[row], path.width, path.height, path.visible)
            for effect in self.spec.effects:
                cropped = effect.apply(cropped, path.windows[row], int(path.source_frames[row]))
        with timed("encode"):
            writer.write(*cropped)
        self._context.advanced(1)

    def _items(self) -> Iterator[Item]:
        while (item := self._next_item()) is not None:
            yield item

    def _next_item(self) -> Item | None:
        while True:
            self._leave_if_abandoned()
            with contextlib.suppress(queue.Empty):
                return self._queue.get(timeout=_POLL_S)

    def _leave_if_abandoned(self) -> None:
        if self._abandoned.is_set():
            raise InterruptedRunError("abandoned", path=self._target, stage="render")
