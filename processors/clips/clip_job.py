"""One clip under way: crops the pictures it is given and feeds an encoder, on a thread of its own."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np

from config import EncodeSettings
from core.errors import DecodeError, InterruptedRunError, OutputError
from core.media.audio_reader import PcmExcerpt
from core.media.clip_writer import ClipSound, ClipWriter
from core.types import ByteArray, Clip, CropPath, FaceAnalysis
from processors.clips.clip_names import since_start_s
from processors.clips.resume_journal import FinishedClip
from processors.clips.shared_audio import ClipSounds
from utils.helper_threads import helper_thread
from utils.plane_crops import crop_planes
from utils.stage_times import timed

_FRAMES_AHEAD = 4
_POLL_S = 0.05

Planes = tuple[ByteArray, ByteArray, ByteArray]


class ClipJob:
    """Takes pictures in presentation order; a thread crops and encodes them.

    Attributes:
        path: the camera of the clip. start_pts, end_pts: the interval of the source that is shown.
        failure: what ended the thread, None while all is well.
        sound: the clip's sound once it was read, None where there is none.
        rows_done: pictures encoded so far. repeated: those among them that could not be decoded this time.
    """

    def __init__(
        self,
        path: CropPath,
        target: Path,
        analysis: FaceAnalysis,
        settings: EncodeSettings,
        encoder: str,
        sounds: ClipSounds,
        completed: Callable[[ClipJob], None],
    ) -> None:
        """encoder: of `choose_encoder`. completed: called by the thread when the clip's file is complete."""
        self.path = path
        self._target = target
        self._analysis = analysis
        self._settings = settings
        self._encoder = encoder
        self._completed = completed
        self._wanted = analysis.frame_pts[path.source_frames]
        self._sounds = sounds
        self._queue: queue.Queue[tuple[int, Planes] | None] = queue.Queue(_FRAMES_AHEAD)
        self._thread = helper_thread(self._run, name=target.name)
        self._abandoned = threading.Event()
        self._ended: Callable[[], None] = lambda: None
        self._writer: ClipWriter | None = None
        self._last: Planes | None = None
        self._closed = False
        self.start_pts = int(analysis.frame_pts[path.segment.start])
        self.end_pts = analysis.end_pts(path.segment.end)
        video = analysis.video
        self._interval = self.start_pts * video.time_base, Fraction(len(self._wanted)) / video.frame_rate
        sounds.expect(self._interval)
        self.failure: BaseException | None = None
        self.sound: PcmExcerpt | None = None
        self.rows_done = 0
        self.repeated = 0

    def start(self, ended: Callable[[], None]) -> None:
        """ended: called by the thread as the last thing it does, however it ends."""
        self._ended = ended
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
        """Give up what is not finished; `wait` returns when the thread, the process and the files are gone."""
        self._abandoned.set()
        if self._writer is not None:
            self._writer.abort()

    def wait(self) -> None:
        """Until the thread has ended; at once where it never began."""
        if self._thread.ident is not None:
            self._thread.join()

    def finished(self, folder: Path) -> FinishedClip:
        """What was written. folder: the video's."""
        segment, path = self.path.segment, self.path
        clip = Clip(
            person=segment.person,
            file=self._target.relative_to(folder).as_posix(),
            shot=segment.shot,
            start=segment.start,
            end=segment.end,
            start_s=since_start_s(self._analysis, self.start_pts),
            end_s=since_start_s(self._analysis, self.end_pts),
            frames=self.rows_done,
            width=path.width,
            height=path.height,
            has_sound=self.sound is not None,
            upscaled=round(float(path.height / (path.windows[:, 3] - path.windows[:, 1]).min()), 4),
        )
        return FinishedClip(clip, self.repeated, 0 if self.sound is None else self.sound.damaged_packets)

    def _run(self) -> None:
        try:
            with contextlib.ExitStack() as stack:
                sound = self._extract_sound(stack)
                video = self._analysis.video
                self._writer = ClipWriter(
                    self._target,
                    self.path.width,
                    self.path.height,
                    video.frame_rate,
                    self._settings,
                    color=video.color,
                    sound=sound,
                    encoder=self._encoder,
                )
                if self._abandoned.is_set():
                    raise InterruptedRunError("abandoned", path=self._target, stage="render")
                with self._writer as writer:
                    self._encode(writer)
            self._completed(self)
        except BaseException as error:  # carried to the thread that waits for this one
            self.failure = error
        finally:
            self._last = None
            self._ended()

    @timed("sound")
    def _extract_sound(self, stack: contextlib.ExitStack) -> ClipSound | None:
        if self._analysis.video.default_audio is None:
            return None
        try:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            sound = stack.enter_context(self._sounds.read(self._interval, self._abandoned))
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputError(f"its sound cannot be written: {reason}", path=self._target, stage="render") from error
        if sound is None:
            return None
        file, self.sound = sound
        return file

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
            with timed("render"):
                y, u, v = crop_planes(planes, self.path.windows[row], self.path.width, self.path.height)
            with timed("encode"):
                writer.write(y, u, v)
            self.rows_done += 1
            self.repeated += repeats
