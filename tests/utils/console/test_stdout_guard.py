"""Who may write on standard output: the program, and nobody else."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from utils.console import stdout_guard
from utils.console.stdout_guard import print_lines, show_library_output

NOISE = """
import os, subprocess, sys
from utils.console.stdout_guard import *
def noise():
    import ctypes
    print("python")
    sys.stdout.write("no line end")
    ctypes.CDLL(None).puts(b"buffered by C")
    os.write(1, b"system call\\n")
    subprocess.run(["echo", "child"])
"""
NOISES = ("python", "no line end", "buffered by C", "system call", "child")

Script = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def script(project: Path) -> Script:
    """Runs Python text in a process of its own, in the project's folder; `shell` is what stands after the command."""

    def run(text: str, shell: str = "") -> subprocess.CompletedProcess[str]:
        command = ["sh", "-c", f'exec "$0" -c "$1" {shell}', sys.executable, NOISE + text]
        return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60, check=False)

    return run


def test_what_libraries_print_is_not_in_the_output_of_the_process(script: Script) -> None:
    done = script("take_stdout(); noise(); print_lines(['one']); noise(); print_lines(['two'])")
    assert (done.returncode, done.stdout, done.stderr) == (0, "one\ntwo\n", "")


def test_it_can_be_looked_at_on_stderr(script: Script) -> None:
    done = script("take_stdout(); show_library_output(True); noise(); print_lines(['one'])")
    assert (done.returncode, done.stdout) == (0, "one\n")
    assert all(text in done.stderr for text in NOISES)
    hidden = script("take_stdout(); show_library_output(True); show_library_output(False); noise()")
    assert (hidden.stdout, hidden.stderr) == ("", "")


def test_within_a_block_the_output_comes_back_without_what_was_printed(script: Script) -> None:
    text = "with own_stdout():\n with own_stdout():\n  noise()\n print_lines(['one'])\n noise()\nprint('two')"
    done = script(text)
    assert (done.returncode, done.stdout, done.stderr) == (0, "one\ntwo\n", "")


def test_forked_children_print_into_the_void_too(script: Script) -> None:
    text = "take_stdout()\nif os.fork() == 0:\n noise(); os._exit(0)\nos.wait(); print_lines(['one'])"
    assert script(text).stdout == "one\n"


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_where_stdout_is_closed_no_file_gets_its_number(script: Script, tmp_path: Path, closed: str) -> None:
    path = tmp_path / "clip"
    text = f"take_stdout(); file = open({str(path)!r}, 'w'); noise(); print_lines(['one']); file.write('mine')"
    done = script(text, closed)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert path.read_text() == "mine"


@pytest.mark.parametrize("closed", ["2>&-", "<&- 2>&-"])
def test_where_stderr_is_closed_no_file_gets_its_number_and_no_message_goes_to_stdout(
    script: Script, tmp_path: Path, closed: str
) -> None:
    path = tmp_path / "clip"
    text = f"open_standard_streams(); file = open({str(path)!r}, 'w'); print('message', file=sys.stderr);"
    text += "os.write(2, b'message'); take_stdout(); print_lines(['one']); file.write('mine')"
    done = script(text, closed)
    assert (done.returncode, done.stdout, done.stderr) == (0, "one\n", "")
    assert path.read_text() == "mine"


def test_nothing_that_opens_files_is_imported_before_the_streams_are_open(script: Script) -> None:
    # libffi 3.5, of which ctypes is made, keeps a file open: it would get the number of a closed stream.
    assert script("import main; sys.exit('ctypes' in sys.modules)").returncode == 0


def test_letters_that_the_encoding_lacks_are_escaped(script: Script) -> None:
    text = "sys.stdout.reconfigure(encoding='ascii'); take_stdout(); print_lines([chr(233)]); print(chr(233))"
    done = script(text)
    assert (done.returncode, done.stdout, done.stderr) == (0, "\\xe9\n", "")


def test_a_stream_in_the_place_of_stdout_gets_the_lines(capfd: pytest.CaptureFixture[str]) -> None:
    before = os.fstat(1).st_ino
    with contextlib.redirect_stdout(io.StringIO()) as stream:
        with stdout_guard.own_stdout():
            print("python")
            os.write(1, b"system call\n")
            print_lines(["one"])
        assert sys.stdout is stream
    assert stream.getvalue() == "one\n"
    assert os.fstat(1).st_ino == before and capfd.readouterr() == ("", "")


def test_where_nothing_is_taken_lines_are_printed_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    show_library_output(True)
    print_lines(["one", "two"])
    assert capsys.readouterr() == ("one\ntwo\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_lines_that_cannot_be_written_are_lost_and_the_reason_is_kept_once(script: Script) -> None:
    text = "take_stdout()\nfor line in 'ab': print_lines([line])\nprint(write_error(), write_error(), file=sys.stderr)"
    done = script(text, ">/dev/full")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "[Errno 28] No space left on device None\n")
