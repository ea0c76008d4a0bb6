"""Standard output holds the program's own lines and nothing else, whatever libraries print.

Some libraries print banners or progress, in Python or from C code that never asks `sys.stdout`. While standard output
is taken, file descriptor 1 and `sys.stdout` lead to nowhere (or to stderr, see `show_library_output`), in this process
and in its children, and the program writes its lines to a duplicate of the real one.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TextIO

_STDOUT, _STDERR = 1, 2


@dataclass(frozen=True, slots=True)
class _Taken:
    """The real standard output: its file descriptor, the stream for the program's lines, and `sys.stdout` as it was."""

    descriptor: int
    lines: TextIO
    stream: TextIO | None


_taken: _Taken | None = None


@contextlib.contextmanager
def own_stdout() -> Iterator[None]:
    """Standard output is taken within the block. Where it is taken already, nothing changes."""
    if _taken is not None:
        yield
        return
    take_stdout()
    try:
        yield
    finally:
        _give_back()


def take_stdout() -> None:
    """Take standard output until the process ends: what C code has buffered is written when it exits."""
    global _taken
    if _taken is not None:
        return
    _open_if_closed()
    stream = sys.stdout
    if stream is not None:
        stream.flush()
    descriptor = os.dup(_STDOUT)
    # A stream that leads elsewhere (a test that captures it) is no way out for C code, and remains ours.
    lines = stream if stream is not None and not _is_stdout(stream) else _open(descriptor, stream)
    _taken = _Taken(descriptor, lines, stream)
    _lead_to_nowhere(_STDOUT)
    sys.stdout = _open(_STDOUT, stream)


def show_library_output(shown: bool) -> None:
    """Whether what libraries print on standard output is to be seen, on stderr. Until it is said, it is not."""
    if _taken is None:
        return
    if shown:
        with contextlib.suppress(OSError):  # stderr may be closed
            os.dup2(_STDERR, _STDOUT)
    else:
        _lead_to_nowhere(_STDOUT)


def print_lines(lines: Iterable[str]) -> None:
    """Write lines to the real standard output. A reader that has left early is no error."""
    stream = sys.stdout if _taken is None else _taken.lines
    if stream is None:
        return
    try:
        stream.writelines(f"{line}\n" for line in lines)
        stream.flush()
    except BrokenPipeError:
        # The interpreter must not stumble over it at exit.
        _lead_to_nowhere(stream.fileno())


def _give_back() -> None:
    global _taken
    taken = _taken
    if taken is None:
        return
    import ctypes  # takes long, and the program itself never comes here

    sys.stdout.flush()
    ctypes.CDLL(None).fflush(None)
    taken.lines.flush()
    os.dup2(taken.descriptor, _STDOUT)
    os.close(taken.descriptor)
    sys.stdout = taken.stream
    _taken = None


def _open(descriptor: int, like: TextIO | None) -> TextIO:
    encoding = "utf-8" if like is None else like.encoding
    return open(descriptor, "w", 1, encoding=encoding, errors="backslashreplace", closefd=False)


def _is_stdout(stream: TextIO) -> bool:
    try:
        return stream.fileno() == _STDOUT
    except (OSError, ValueError, AttributeError):
        return False


def _open_if_closed() -> None:
    # Otherwise the next file that is opened, a clip for example, would get the number that libraries print to.
    for descriptor in (_STDOUT, _STDERR):
        try:
            os.fstat(descriptor)
        except OSError:
            _lead_to_nowhere(descriptor)


def _lead_to_nowhere(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != descriptor:
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
