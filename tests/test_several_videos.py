"""The real program with two worker processes: the results of one process, and an end within two seconds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.models.inference.nets import CONVERTED_FOLDER
from tests.material.real_models import models_cache, net_files
from tests.material.small_videos import run_ffmpeg

__all__ = ["models_cache", "net_files"]

PROJECT = Path(__file__).resolve().parent.parent
SMALL = ("--size", "128", "--preset", "ultrafast", "--codec", "x264", "--embedder", "dlib", "--device", "cpu")
STOP_S = 2.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Path:
    """Two parts of the sample, 2 s each, with other people in each."""
    folder = tmp_path_factory.mktemp("inputs")
    for name, start in (("a", "0"), ("b", "8")):
        run_ffmpeg("-ss", start, "-i", str(sample), "-t", "2", "-preset", "ultrafast", str(folder / f"{name}.mp4"))
    return folder


@pytest.fixture
def command(inputs: Path, models_cache: Path, net_files: dict[str, Path], tmp_path: Path) -> list[str]:
    """The program on the inputs, with the converted networks and an empty cache of analyses."""
    assert net_files
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / CONVERTED_FOLDER).symlink_to(models_cache / CONVERTED_FOLDER)
    places = ["-o", str(tmp_path / "out"), "--cache-dir", str(tmp_path / "cache")]
    return [sys.executable, str(PROJECT / "main.py"), str(inputs), *places, "--offline", *SMALL]


def results(output: Path) -> dict[str, bytes]:
    """Every file but the one that tells of the run and its times, and the gallery's."""
    files = [path for path in output.rglob("*") if path.is_file() and path.name not in ("summary.json", "people.db")]
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in files}


def test_two_workers_give_the_bytes_of_one_process(command: list[str], tmp_path: Path) -> None:
    found = []
    output = tmp_path / "out"
    for workers in ("1", "2"):
        done = subprocess.run(
            [*command, "--no-cache", "--workers", workers],
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert ("2 videos at a time" in done.stderr) == (workers == "2")
        found.append(results(output))
        output.rename(tmp_path / workers)  # the page by person names the folder, which has to be the same
    assert found[0] == found[1]
    assert any(name.startswith("a/") and name.endswith(".mp4") for name in found[0])
    assert any(name.startswith("b/") and name.endswith(".mp4") for name in found[0])


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are listed by /proc")
def test_ctrl_c_ends_all_processes(command: list[str], tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    run = subprocess.Popen(
        [*command, "--workers", "2", "--log-file", str(log)], stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 120
        while len(workers := descendants(run.pid)) < 3 or "CPU, 1 thread" not in (
            log.read_text() if log.exists() else ""
        ):
            assert run.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        started = time.monotonic()
        run.send_signal(signal.SIGINT)
        assert run.wait(20) == 130
        took_s = time.monotonic() - started
    finally:
        run.kill()
    deadline = time.monotonic() + 5
    while left := [process for process in workers if is_running(process)]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.02)
    assert took_s < STOP_S * slowness()


def descendants(process: int) -> list[int]:
    """Numbers of the processes that `process` and its children have started."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(folder.name))
    found, left = [], [process]
    while left:
        left += (new := children.get(left.pop(), []))
        found += new
    return found


def is_running(process: int) -> bool:
    try:
        return "Z" not in (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def slowness() -> float:
    """How much longer things take because other processes want the CPUs, 1 for a machine of our own."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
