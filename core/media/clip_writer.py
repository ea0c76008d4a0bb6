"""Writes one clip file: feeds raw frames to an ffmpeg process, which makes an MP4 of them."""

from __future__ import annotations

import collections
import contextlib
import logging
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

from core.errors import EncodeError, OutputError
from core.full_disk import full_disk_hint
from core.media.encoder_command import ClipEncoding, encoder_command
from core.media.ffmpeg_tool import find_ffmpeg, full_disk
from core.types import ByteArray
from utils.files import atomic_path
from utils.processes.helper_threads import helper_thread
from utils.processes.stage_times import timed

logger = logging.getLogger(__name__)

_STDERR_LINES = 40
_FINISH_TIMEOUT_S = 600
"""for the frames that are still in the encoder, and for moving the index of a long clip to its front"""
_EXIT_TIMEOUT_S = 2
_PIPE_BYTES = 2**20
"""the largest size that Linux allows without privileges"""


class ClipWriter:
    """Writes one clip; a context manager.

    with ClipWriter(Path("clip.mp4"), ClipEncoding(512, 512, Fraction(25), settings.encode)) as writer:
        writer.write(y, u, v)

    The file gets its name when the block ends and ffmpeg has succeeded. If the block is left by an exception, or after
    `abort`, ffmpeg is killed and nothing remains.

    Attributes:
        frames: written so far.
        command: argv of the encoder; () before the block is entered.
        process: the encoder; None before the block is entered.

    Raises:
        EncodeError: the encoder failed; the log has its last messages.
        OutputError: the file cannot be created, or the disk is full.
        ToolMissingError: ffmpeg is not installed.
    """

    def __init__(self, target: Path, encoding: ClipEncoding) -> None:
        self._target = target
        self._encoding = encoding
        self._session = contextlib.ExitStack()
        self.process: subprocess.Popen[bytes] | None = None
        self._messages: collections.deque[str] = collections.deque(maxlen=_STDERR_LINES)
        self._listener = helper_thread(self._listen, name="ffmpeg stderr")
        self._aborted = False
        self._lock = threading.Lock()
        self.frames = 0
        self.command: tuple[str, ...] = ()

    def __enter__(self) -> ClipWriter:
        self._session.enter_context(self._writing())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.__exit__(kind, error, trace)

    def write(self, y: ByteArray, u: ByteArray, v: ByteArray) -> None:
        """Append one frame: Y (H, W), U and V (H/2, W/2) uint8, C-contiguous."""
        assert self.process is not None and self.process.stdin is not None
        try:
            for plane in (y, u, v):
                self.process.stdin.write(plane.data)
        except OSError as error:
            raise self._failure("the encoder ended in mid-clip") from error
        self.frames += 1

    def abort(self) -> None:
        """Kill the encoder; for any thread. A `write` under way and the end of the block raise EncodeError."""
        with self._lock:
            self._aborted = True
            if self.process is not None and self.process.poll() is None:
                self.process.kill()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with atomic_path(self._target, suffix=".mp4") as partial:
                try:
                    self._start(partial)
                    yield
                    self._finish()
                finally:
                    self._reap()
        except OSError as error:
            raise self._unwritable(error.strerror or str(error), error.errno) from error

    def _start(self, partial: Path) -> None:
        self.command = encoder_command(find_ffmpeg(), partial, self._encoding)
        with self._lock:
            if self._aborted:
                raise EncodeError("aborted", path=self._target)
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                # Ctrl-C in a terminal goes to the whole process group; the encoder must not end by itself.
                start_new_session=True,
            )
        assert self.process.stdin is not None
        _widen(self.process.stdin)
        self._listener.start()

    def _listen(self) -> None:
        """Read the encoder's messages; it would block on a full pipe."""
        assert self.process is not None and self.process.stderr is not None
        for line in self.process.stderr:
            self._messages.append(line.decode("utf-8", "replace").rstrip())

    @timed("encode")
    def _finish(self) -> None:
        assert self.process is not None and self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # the exit code is more informative
            self.process.stdin.close()
        try:
            exit_code = self.process.wait(_FINISH_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise self._failure("the encoder does not end") from error
        if exit_code != 0 or self._aborted:
            raise self._failure("the encoder failed")
        if self.frames == 0:  # ffmpeg does not fail
            raise self._failure("the encoder was given no frames")

    def _reap(self) -> None:
        """End process, thread and pipes, however the block was left."""
        if self.process is None:
            return
        assert self.process.stdin is not None and self.process.stderr is not None
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self._listener.ident is not None:  # otherwise the system had no thread left
            self._listener.join()
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.stderr.close()

    def _failure(self, message: str) -> EncodeError | OutputError:
        assert self.process is not None
        exit_code: int | None = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            exit_code = self.process.wait(_EXIT_TIMEOUT_S)
            self._listener.join()
        tail = "\n".join(self._messages)
        if (number := full_disk(exit_code, tail)) is not None:
            return self._unwritable(os.strerror(number), number)
        last = f": {self._messages[-1]}" if self._messages else ""
        logger.debug("%s: the encoder's last messages:\n%s", self._target.name, tail)
        return EncodeError(f"{message} (exit code {exit_code}){last}", path=self._target)

    def _unwritable(self, reason: str, number: int | None) -> OutputError:
        hint = full_disk_hint(number, self._target)
        return OutputError(f"cannot be written: {reason}", path=self._target, stage="encode", hint=hint)


def _widen(pipe: IO[bytes]) -> None:
    """Enlarge the pipe from 64 KiB, for fewer switches between the processes."""
    # Only Linux can do this, and a system limit may forbid it there.
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
