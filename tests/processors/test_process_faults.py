"""What happens to a run from outside: full disks, missing rights, other runs, killed encoders, inputs and clocks that
change. Real files and real encoders; only the faces are scripted."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import main
from config import Settings
from core.media.clip_writer import ClipWriter
from core.settings_file import load_settings
from processors import face_analyzer
from processors.batch.batch_inputs import find_inputs
from processors.batch.batch_request import BatchRequest
from processors.batch.batch_summary import BatchSummary
from processors.batch_runner import run_batch
from processors.results.existing_results import examine_folder
from processors.results.run_plan import Action, plan_run
from processors.video import analysis_key
from processors.video_processor import VideoProcessor
from tests.material.killed_run import ScriptedAnalyzer, processors
from tests.material.ordinary_user import locking, ordinary
from tests.material.small_disk import small_disk
from tests.processors.test_resume import write_video
from utils.console.batch_monitor import BatchMonitor
from utils.console.console_log import configure_logging
from utils.fingerprints import fingerprint

pytestmark = pytest.mark.errors_expected

NAMES = ("a", "b")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    for seed, name in enumerate(NAMES):
        write_video(folder / f"{name}.mp4", seed)
    return folder


@pytest.fixture(autouse=True)
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    script_faces(monkeypatch, tmp_path)
    yield
    configure_logging(0, lambda _: None)  # whoever called main left the test's own stream there


def script_faces(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setattr(ScriptedAnalyzer, "log", folder / "analysed.log")
    patch.setattr(face_analyzer, "FaceAnalyzer", ScriptedAnalyzer)
    patch.setattr(analysis_key, "code_digest", lambda: "scripted")


def settings_for(cache: Path, **run: Any) -> Settings:
    values: dict[str, dict[str, Any]] = {
        "clip": {"size": 64},
        "encode": {"preset": "ultrafast", "codec": "x264"},
        "analysis": {"embedder": "dlib"},
        # What a gallery knew at the time of a video is in its manifest; here all bytes have to be the same.
        "people": {"no_gallery": True},
        "run": {"cache_dir": str(cache), **run},
    }
    return load_settings(None, values)


def batch(inputs: Path, output: Path, settings: Settings) -> BatchSummary:
    request = BatchRequest(find_inputs([str(inputs)], output), output, settings)
    return run_batch(request, BatchMonitor(), processors(settings, output))


def results(output: Path) -> dict[str, bytes]:
    """Every file of the videos' folders by name."""
    files = [p for p in output.rglob("*") if p.is_file() and p.parent != output]
    return {p.relative_to(output).as_posix(): p.read_bytes() for p in files}


def half_written(folder: Path) -> list[Path]:
    return [p for p in folder.rglob(".partial-*") if p.is_file()]


@pytest.fixture(scope="module")
def wanted(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Results of a run that nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        script_faces(patch, folder)
        assert batch(inputs, folder / "out", settings_for(folder / "cache")).exit_code == 0
    return results(folder / "out")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 4_000_000) as folder:
        yield folder


def fill(disk: Path, room_bytes: int) -> Path:
    """Leave so much room on `disk`, in whole pages; returns what takes the rest."""
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(disk).free))
    os.truncate(ballast, ballast.stat().st_size - room_bytes)
    return ballast


@pytest.mark.parametrize(
    "share", [0.25, *(pytest.param(share, marks=pytest.mark.slow) for share in (0.0, 0.05, 0.6, 0.95))]
)
def test_output_disk_full(share: float, inputs: Path, wanted: dict[str, bytes], disk: Path, tmp_path: Path) -> None:
    """Wherever the room ends, what is there is whole, and the next run completes it."""
    output, settings = disk / "out", settings_for(tmp_path / "cache")
    output.mkdir()
    size = sum(-(-len(data) // 4096) * 4096 for data in wanted.values())
    ballast = fill(disk, int(share * size))
    try:
        summary = batch(inputs, output, settings)
    except Exception as error:
        assert "No space left on device" in str(error)
        assert type(error).__name__ == "OutputError"
    else:
        assert summary.exit_code == 1
        reasons = [result.reason for result in summary.results if result.status == "failed"]
        assert reasons
        assert [r for r in reasons if "No space left" not in r] == []
    assert half_written(output) == []
    for name in NAMES:
        # Either nothing at all, or everything.
        folder, mark = output / name, fingerprint(inputs / f"{name}.mp4")
        plan = plan_run(examine_folder(folder, mark, settings).facts)
        assert not folder.exists() or plan.action is Action.SKIP
    ballast.unlink()
    assert batch(inputs, output, settings).exit_code == 0
    assert results(output) == wanted


@pytest.mark.slow
@pytest.mark.parametrize("room", [0, 8192])
def test_cache_disk_full(
    room: int,
    inputs: Path,
    wanted: dict[str, bytes],
    disk: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It costs the next run an analysis, nothing else."""
    cache = disk / "cache"
    ballast = fill(disk, room)
    with caplog.at_level(logging.WARNING):
        assert batch(inputs, tmp_path / "out", settings_for(cache)).exit_code == 0
    assert results(tmp_path / "out") == wanted
    assert [r.getMessage() for r in caplog.records if "cannot be stored" in r.getMessage()]
    assert all("No space left" in r.getMessage() for r in caplog.records)
    assert not cache.exists() or half_written(cache) == []
    ballast.unlink()
    assert batch(inputs, tmp_path / "again", settings_for(cache)).exit_code == 0
    assert results(tmp_path / "again") == wanted


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Callable[[Path], None]]:
    """Takes the right to write away from a folder."""
    with locking(tmp_path) as lock:
        yield lock


@pytest.mark.slow
def test_no_right_to_write_to_the_output_folder(inputs: Path, tmp_path: Path, locked: Callable[[Path], None]) -> None:
    output = tmp_path / "out"
    output.mkdir()
    locked(output)
    for folder in (output, output / "deeper"):
        done = ordinary(["main.py", str(inputs), "-o", str(folder), "--offline"])
        assert done.returncode == 2
        assert "cannot write to the output folder: Permission denied" in done.stderr
        assert "Traceback" not in done.stderr
    assert list(output.iterdir()) == []


@pytest.mark.slow
def test_no_right_to_write_to_one_videos_folder(inputs: Path, tmp_path: Path, locked: Callable[[Path], None]) -> None:
    output, cache = tmp_path / "out", tmp_path / "cache"
    script = ["-m", "tests.material.killed_run", str(inputs), str(output), str(cache)]
    assert ordinary([*script, "64", "0"]).returncode == 0
    before = results(output)
    for folder in (output / "a", output / "a" / "person_01"):
        locked(folder)
    done = ordinary([*script, "96", "0"])
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    after = results(output)
    assert {n: d for n, d in after.items() if n.startswith("a/")} == {
        n: d for n, d in before.items() if n.startswith("a/")
    }
    assert after["b/manifest.json"] != before["b/manifest.json"]
    assert half_written(output) == []


# A call that waits after its first analysis until the file GO is there: INPUTS OUTPUT CACHE GO.
WAITING_CALL = """
import sys, time
from pathlib import Path
from tests.material import killed_run
inputs, output, cache, go = map(Path, sys.argv[1:])
find = killed_run.ScriptedAnalyzer.analyze

def waiting(self, info):
    found = find(self, info)
    while not go.exists():
        time.sleep(0.02)
    return found

killed_run.ScriptedAnalyzer.analyze = waiting
cache.mkdir()
sys.exit(killed_run.run(inputs, output, cache, 64))
"""


@pytest.mark.parametrize("ending", ["done", "killed"])
def test_two_calls_share_one_folder(
    ending: str, inputs: Path, wanted: dict[str, bytes], tmp_path: Path, project: Path
) -> None:
    """Each does a video, or the second one does what the first was killed over; the bytes are those of one call."""
    output, go, caches = tmp_path / "out", tmp_path / "go", [tmp_path / "cache", tmp_path / "other cache"]
    argv = [sys.executable, "-c", WAITING_CALL, str(inputs), str(output), str(caches[0]), str(go)]
    with subprocess.Popen(argv, cwd=project) as first:
        try:
            log = caches[0] / "analysed.log"
            wait_for(lambda: log.exists() and log.read_text().endswith("a.mp4\n"))
            # Nobody edits or removes what is being worked on; cleaning up leaves it alone.
            assert main.main(["clean", "--older-than", "0h", "-o", str(output), "-q"]) == 0
            script = ["-m", "tests.material.killed_run", str(inputs), str(output), str(caches[1]), "64", "0"]
            with subprocess.Popen([sys.executable, *script], cwd=project) as second:
                wait_for((output / "b" / "manifest.json").exists)
                assert second.poll() is None, "it waits for the first one's video"
                if ending == "done":
                    go.touch()
                    assert first.wait(60) == 0
                else:
                    first.kill()
                assert second.wait(60) == 0
        finally:
            first.kill()
    assert results(output) == wanted
    assert (caches[1] / "analysed.log").read_text().split() == ["b.mp4", *(["a.mp4"] if ending == "killed" else [])]
    assert half_written(output) == []
    assert list(output.glob(".lease-*")) == []
    told = json.loads((output / "summary.json").read_text())["inputs"]
    assert [(entry["folder"], entry["clips"]) for entry in told] == [("a", 2), ("b", 2)]
    assert batch(inputs, output, settings_for(tmp_path / "third cache")).exit_code == 0
    assert results(output) == wanted


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_encoder_killed_in_mid_clip(
    inputs: Path, wanted: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its video fails with a line, the others are done, and the next run does it."""
    write, settings, output = ClipWriter.write, settings_for(tmp_path / "cache"), tmp_path / "out"

    def killing(self: Any, y: Any, u: Any, v: Any) -> None:
        if self.frames == 5 and "/.partial-a." in " ".join(self.command):
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
        write(self, y, u, v)

    with monkeypatch.context() as patch:
        patch.setattr(ClipWriter, "write", killing)
        summary = batch(inputs, output, settings)
    assert [result.status for result in summary.results] == ["failed", "done"]
    assert "the encoder ended in mid-clip (exit code -9)" in summary.results[0].reason
    assert half_written(output) == []
    assert not (output / "a").exists()
    assert batch(inputs, output, settings).exit_code == 0
    assert results(output) == wanted


@pytest.mark.parametrize("moment", ["before", "between"])
@pytest.mark.parametrize("change", ["deleted", "grown", "another"])
def test_an_input_that_changes_under_way(
    change: str,
    moment: str,
    inputs: Path,
    wanted: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is written about a mixture of two states, and no analysis of one is kept for the other."""
    videos, cache, output = tmp_path / "videos", tmp_path / "cache", tmp_path / "out"
    shutil.copytree(inputs, videos)
    before = getattr(VideoProcessor, {"before": "analyse", "between": "finish"}[moment])

    def changing(self: Any, *arguments: Any) -> Any:
        path = videos / "a.mp4"
        if self._info.path == path:
            if change == "deleted":
                path.unlink()
            elif change == "grown":
                path.write_bytes((inputs / "a.mp4").read_bytes() + bytes(5000))
            else:
                write_video(path, 9)
        return before(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(VideoProcessor, before.__name__, changing)
        summary = batch(videos, output, settings_for(cache))
    assert [result.status for result in summary.results] == ["failed", "done"]
    reason = summary.results[0].reason
    assert "unexpected" not in reason
    assert "\n" not in reason
    assert any(said in reason for said in ("changed", "No such file", "decoded any more")), reason
    assert not (output / "a").exists()
    shutil.copy(inputs / "a.mp4", videos)
    assert batch(videos, output, settings_for(cache)).exit_code == 0
    assert results(output) == wanted


def test_a_clock_that_jumps(
    inputs: Path, wanted: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Back to 1970, then years ahead with every look: only house-keeping asks what day it is."""
    looks = iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: (next(looks) % 2) * 4e9)
    monkeypatch.setattr(time, "time_ns", lambda: int(time.time() * 1e9))
    summary = batch(inputs, tmp_path / "out", settings_for(tmp_path / "cache"))
    assert summary.exit_code == 0
    assert summary.wall_s < 60
    assert results(tmp_path / "out") == wanted
    # What is kept is found all the same.
    summary = batch(inputs, tmp_path / "again", settings_for(tmp_path / "cache"))
    assert [result.analysis_cached for result in summary.results] == [True, True]
