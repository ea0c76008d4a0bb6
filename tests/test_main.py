"""The program from outside: exit codes, standard output, signals, and what it must not import to answer at once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import main
from core.errors import OutputError, PipelineError, ToolMissingError
from processors.batch.batch_summary import BatchSummary
from tests.material.command_calls import DONE, FAILED, PROJECT, launch, pretend_videos, scripted
from tests.material.fault_material import SAMPLE

pytestmark = pytest.mark.errors_expected

videos = pytest.fixture(pretend_videos)
HEAVY = (
    "numpy",
    "torch",
    "torchvision",
    "cv2",
    "av",
    "openvino",
    "dlib",
    "scipy",
    "highspy",
    "facenet_pytorch",
    "tqdm",
)
MAX_MODULES = 250
"""modules, those of the standard library included, that an answer without work may import: 171 today, 0.1 to 0.2 s"""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["--no-such-flag"], 2),
        (["--min-face", "3"], 2),
        (["--tracker", "magic"], 2),
        (["--config", "no-such-file.toml"], 2),
    ],
)
def test_answers_at_once_import_nothing_heavy(arguments, code):
    script = "import sys, main\ntry: code = main.main(sys.argv[1:])\nexcept SystemExit as end: code = end.code\n"
    script += f"print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules], len(sys.modules)); sys.exit(code)"
    argv = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code
    found = re.search(r"^HEAVY \[\] (\d+)$", done.stdout, re.MULTILINE)
    assert found is not None, done.stdout
    assert int(found[1]) <= MAX_MODULES
    assert "Traceback" not in done.stderr
    if code == 2:
        assert len(done.stderr.splitlines()) == 1
        assert done.stdout.startswith("HEAVY")


def test_a_missing_package_is_one_line(tmp_path):
    (tmp_path / "msgspec.py").write_text("raise ModuleNotFoundError(\"No module named 'msgspec'\", name='msgspec')")
    done = launch("--help", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 3
    assert done.stderr == f"main.py: the package 'msgspec' is not installed ({main.install_hint()})\n"


def test_another_python_than_that_of_make_is_told_which_one_to_call(tmp_path, monkeypatch):
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    monkeypatch.setattr(main, "__file__", str(tmp_path / "main.py"))
    assert "requirements.txt -c constraints.txt" in main.install_hint()
    (tmp_path / ".venv" / "bin" / "python").touch()
    assert main.install_hint() == "call .venv/bin/python main.py; this is another Python"
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    assert "requirements.txt -c constraints.txt" in main.install_hint()


def test_the_table_goes_to_stdout_and_the_rest_to_stderr(videos, tmp_path, monkeypatch, capsys):
    given = scripted(monkeypatch, DONE)
    assert main.main([str(videos), "-o", str(tmp_path / "out"), "--size", "128"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "a    1 person    2 clips     4.0 s in 2.0 s (2.0x)",
        "1 video: 1 done; 2 clips; 2.0 s",
    ]
    assert "3 videos -> " in err and str(tmp_path / "out" / "index.html") in err
    assert [i.name for i in given["inputs"]] == ["a", "b", "c"]
    assert (given["output_dir"], given["settings"].clip.size) == (tmp_path / "out", 128)


@pytest.mark.parametrize(
    ("outcome", "code", "line"),
    [
        (FAILED, 1, ""),
        (OutputError("another run is writing", path="out"), 2, "main.py: out: another run is writing"),
        (ToolMissingError("no ffmpeg", hint="install it"), 3, "main.py: no ffmpeg (install it)"),
        (ImportError("No module named 'av'"), 3, "main.py: a package is missing or broken: No module named 'av'"),
        (PipelineError("odd"), 1, "main.py: odd"),
        (ZeroDivisionError("of\nmine"), 1, "main.py: unexpected ZeroDivisionError: of mine (run again with -v"),
        (KeyboardInterrupt(), 130, "main.py: interrupted"),
    ],
)
def test_every_end_has_its_exit_code_and_no_traceback(videos, tmp_path, monkeypatch, capsys, outcome, code, line):
    scripted(monkeypatch, outcome)
    assert main.main([str(videos), "-q", "-o", str(tmp_path / "out")]) == code
    err = capsys.readouterr().err
    assert line in err and "Traceback" not in err
    assert len(err.splitlines()) == (1 if line else 0)


def test_verbose_shows_the_traceback(videos, tmp_path, monkeypatch, capsys):
    scripted(monkeypatch, ZeroDivisionError("mine"))
    assert main.main([str(videos), "-v", "-o", str(tmp_path / "out")]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_quiet_shows_no_information(videos, tmp_path, monkeypatch, capsys):
    scripted(monkeypatch, DONE)
    assert main.main([str(videos), "-q", "-o", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().err == ""


def test_the_first_word_may_name_a_command(videos, tmp_path, monkeypatch):
    given = scripted(monkeypatch, DONE)
    assert main.main(["run", str(videos / "a.mp4"), "-o", str(tmp_path / "out")]) == 0
    assert [i.name for i in given["inputs"]] == ["a"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_ask_the_batch_to_stop(videos, tmp_path, monkeypatch, number):
    def wait(monitor):
        threading.Timer(0.1, os.kill, (os.getpid(), number)).start()
        assert monitor.stop.wait(10)
        return BatchSummary((), 1.0, interrupted=True)

    scripted(monkeypatch, wait)
    before = signal.getsignal(number)
    assert main.main([str(videos), "-q", "-o", str(tmp_path / "out")]) == 130
    assert signal.getsignal(number) is before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("arguments", [("config",), ("--help",), ("photos", "--help")])
def test_stdout_on_a_full_disk_is_one_line_and_no_success(arguments):
    with Path("/dev/full").open("w") as full:
        argv = [sys.executable, str(PROJECT / "main.py"), *arguments]
        done = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "main.py: standard output cannot be written (No space left on device); only the lines for it are lost\n"
    )


def test_a_reader_that_leaves_early_is_not_an_error(videos, tmp_path):
    script = "from utils.console.stdout_guard import *; take_stdout(); print_lines(f'{i}' * 1000 for i in range(10000))"
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as p:
        assert p.stdout is not None and p.stderr is not None
        p.stdout.readline()
        p.stdout.close()
        assert p.stderr.read() == b""
        assert p.wait(30) == 0


def test_a_closed_stderr_is_not_the_end(tmp_path):
    command = ["sh", "-c", 'exec "$0" main.py "$@" 2>&-', sys.executable, str(SAMPLE), "--dry-run", "-o", str(tmp_path)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and done.stdout.startswith(str(SAMPLE)) and not done.stderr


NOISY = """
import os, sys, main
from processors import batch_runner
from processors.batch.batch_summary import BatchSummary
from processors.batch.input_result import InputResult
def run_batch(*_, **__):
    import highspy
    highspy.Highs()
    print("python")
    os.write(1, b"system call\\n")
    return BatchSummary((InputResult("a.mp4", "a", "done", people=1, clips=2, duration_s=4, wall_s=2),), 2.0)
batch_runner.run_batch = run_batch
sys.exit(main.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("flags", [["-v"], *(pytest.param(flags, marks=pytest.mark.slow) for flags in ([], ["-q"]))])
def test_libraries_cannot_print_between_the_lines_on_stdout(videos, tmp_path, flags):
    argv = [sys.executable, "-c", NOISY, str(videos), "-o", str(tmp_path / "out"), *flags]
    done = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 2 and done.stdout.startswith("a    1 person")
    shown = [text in done.stderr for text in ("Running HiGHS", "python", "system call")]
    assert shown == [flags == ["-v"]] * 3
    if flags == ["-q"]:
        assert done.stderr == ""
