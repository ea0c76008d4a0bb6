"""Keeps the output of libraries off standard output, which carries only the program's own lines.

Some libraries print banners or progress, from Python or from C code that bypasses `sys.stdout`. While standard output
is guarded, file descriptor 1 and `sys.stdout` lead to /dev/null (or to stderr, see `show_library_output`) in this
process and its children, and the program writes its lines to a duplicate of the real descriptor.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TextIO

_STDIN, _STDOUT, _STDERR = 0, 1, 2


@dataclass(frozen=True, slots=True)
class _Taken:
    """The real standard output: its descriptor, the stream for the program's lines, and the previous `sys.stdout`."""

    descriptor: int
    lines: TextIO
    stream: TextIO | None


_taken: _Taken | None = None
_write_error: OSError | None = None


def open_standard_streams() -> None:
    """Let standard streams that the caller has closed lead to /dev/null; to be called before anything is opened.

    Otherwise the next file or pipe that is opened, for example a clip, would get the number of a standard stream, and
    whatever is printed would end up there. Importing `ctypes` may open a file, too (libffi 3.5).
    """
    for descriptor, flags in ((_STDIN, os.O_RDONLY), (_STDOUT, os.O_WRONLY), (_STDERR, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            _redirect_to_null(descriptor, flags)
    if sys.stderr is None:
        # `print` would write messages for it to standard output.
        sys.stderr = _open(_STDERR, None)


@contextlib.contextmanager
def own_stdout() -> Iterator[None]:
    """Take over standard output within the block. If it is taken over already, nothing changes."""
    if _taken is not None:
        yield
        return
    take_stdout()
    try:
        yield
    finally:
        _restore_stdout()


def take_stdout() -> None:
    """Take over standard output until the process ends: C code flushes its buffers at exit."""
    global _taken
    if _taken is not None:
        return
    open_standard_streams()
    stream = sys.stdout
    if stream is not None:
        stream.flush()
    descriptor = os.dup(_STDOUT)
    # C code cannot reach a stream that leads elsewhere (a test that captures it), so the program keeps using it.
    lines = stream if stream is not None and not _is_stdout(stream) else _open(descriptor, stream)
    _taken = _Taken(descriptor, lines, stream)
    _redirect_to_null(_STDOUT)
    sys.stdout = _open(_STDOUT, stream)


def show_library_output(shown: bool) -> None:
    """Show on stderr, or drop, what libraries print on standard output. By default it is dropped."""
    if _taken is None:
        return
    if shown:
        with contextlib.suppress(OSError):  # stderr may be closed
            os.dup2(_STDERR, _STDOUT)
    else:
        _redirect_to_null(_STDOUT)


def print_lines(lines: Iterable[str]) -> None:
    """Write lines to the real standard output. It is not an error if the reader has closed the pipe.

    If it cannot be written, as on a full disk, the lines are lost and `write_error` tells why: the work that they
    report is done, and more of it may follow.
    """
    global _write_error
    stream = sys.stdout if _taken is None else _taken.lines
    if stream is None:
        return
    try:
        stream.writelines(f"{line}\n" for line in lines)
        stream.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            _write_error = _write_error or error
        # Otherwise the interpreter would report the error again at exit.
        _redirect_to_null(stream.fileno())


def write_error() -> OSError | None:
    """The first error of `print_lines` since this was last called; None if all lines were written."""
    global _write_error
    error, _write_error = _write_error, None
    return error


def _restore_stdout() -> None:
    global _taken
    taken = _taken
    if taken is None:
        return
    import ctypes  # slow to import, and only tests get here

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


def _redirect_to_null(descriptor: int, flags: int = os.O_WRONLY) -> None:
    null = os.open(os.devnull, flags)
    if null != descriptor:
        os.dup2(null, descriptor)
        os.close(null)
