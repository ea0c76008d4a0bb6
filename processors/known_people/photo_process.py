"""Decodes photos in a process of its own: a decoder that crashes or hangs over hostile bytes costs one photo.

The process is this module, run with `-m`. A request is a line of JSON, and so is the head of an answer, which the
pixels follow as they are. Nothing that comes back is executed or unpickled, and its size is checked.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec
import numpy as np

from core.errors import PhotoError
from core.project_folders import PROJECT
from core.types import ByteArray
from processors.known_people.photo_reader import WORKING_SIDE_PX, Photo, read_photo

DECODE_TIMEOUT_S = 60.0
"""for one photo; the largest that is read takes 3 s on a slow core"""
_START_TIMEOUT_S = 60.0
"""added for the first photo of a process"""


class _Answer(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """shown: height and width of the pixels that follow; without them there is an error."""

    shown: tuple[int, int] | None = None
    width: int = 0
    height: int = 0
    sha256: str = ""
    message: str = ""
    hint: str = ""


class PhotoProcess:
    """A process that decodes one photo after the other, started when the first one comes. For one thread at a time."""

    def __init__(self, module: str = __name__, timeout_s: float = DECODE_TIMEOUT_S) -> None:
        """module: what the process runs. timeout_s: for one photo."""
        self._module = module
        self._timeout_s = self._limit_s = timeout_s
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PhotoProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process; the next photo would start another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    # What was not written yet goes with the process.
                    with contextlib.suppress(OSError):
                        pipe.close()

    def read(self, path: Path) -> Photo:
        """The photo at `path`, as `read_photo` has it.

        Raises:
            PhotoError: it cannot be used, or its decoder crashed or took too long.
        """
        process = self._running(path)
        late = threading.Event()
        watch = threading.Timer(self._limit_s, _end, (process, late))
        watch.daemon = True
        watch.start()
        try:
            answer, pixels = _ask(process, path)
        except (EOFError, OSError, ValueError, msgspec.MsgspecError) as error:
            process.kill()
            cause = f"takes longer than {self._limit_s:.0f} s" if late.is_set() else _crash(process.wait())
            self.close()
            hint = "it is probably damaged: save it again with another program"
            raise _error(path, f"cannot be decoded: its decoder {cause}", hint) from error
        finally:
            watch.cancel()
        if late.is_set():  # just after the answer
            self.close()
        self._limit_s = self._timeout_s
        if answer.shown is None:
            raise _error(path, answer.message, answer.hint)
        return Photo(path, pixels.reshape(*answer.shown, 3), answer.width, answer.height, answer.sha256)

    def _running(self, path: Path) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._limit_s = self._timeout_s + _START_TIMEOUT_S
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", self._module],
                    cwd=PROJECT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
            except OSError as error:
                raise _error(path, f"cannot be decoded: {error.strerror or error}", "") from error
        return self._process


def serve(read: Callable[[Path], Photo] = read_photo) -> None:
    """Answer requests until there are no more; what the process of `PhotoProcess` does. read: decodes a photo."""
    # Ctrl-C reaches every process of the terminal; the process that started this one decides when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # A library that prints must not get between the answers.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    for line in sys.stdin.buffer:
        path = Path(os.fsdecode(bytes.fromhex(line.decode())))
        try:
            photo = read(path)
        except PhotoError as error:
            _write(answers, _Answer(message=error.message, hint=error.hint))
            continue
        height, width = photo.pixels.shape[:2]
        _write(answers, _Answer(shown=(height, width), width=photo.width, height=photo.height, sha256=photo.sha256))
        answers.write(photo.pixels.data)
        answers.flush()


def _write(answers: IO[bytes], answer: _Answer) -> None:
    answers.write(msgspec.json.encode(answer) + b"\n")
    answers.flush()


def _ask(process: subprocess.Popen[bytes], path: Path) -> tuple[_Answer, ByteArray]:
    if process.stdin is None or process.stdout is None:
        raise EOFError
    # In hexadecimal digits a name with a line feed is one line, and one that is no valid text keeps its bytes.
    process.stdin.write(os.fsencode(path.absolute()).hex().encode() + b"\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    answer = msgspec.json.decode(line, type=_Answer)
    if answer.shown is None:
        return answer, np.zeros(0, np.uint8)
    height, width = answer.shown
    if not (0 < height <= WORKING_SIDE_PX and 0 < width <= WORKING_SIDE_PX):
        raise ValueError(f"{width}x{height} px")
    data = bytearray(height * width * 3)
    if process.stdout.readinto(data) != len(data):  # type: ignore[attr-defined]
        raise EOFError
    return answer, np.frombuffer(data, np.uint8)


def _end(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    process.kill()


def _crash(code: int) -> str:
    try:
        return f"crashed ({signal.Signals(-code).name})"
    except ValueError:
        return "crashed"


def _error(path: Path, message: str, hint: str) -> PhotoError:
    return PhotoError(message, path=path, stage="photo", hint=hint)


if __name__ == "__main__":
    serve()
