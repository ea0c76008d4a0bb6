"""The debug bundle: complete however the run ends, and without what is nobody's business."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

import main
from config import Settings
from core.settings_file import load_settings
from processors import batch_runner
from processors.batch.batch_inputs import find_inputs
from processors.commands import debug_bundle
from processors.commands.debug_bundle import DebugBundle
from processors.known_people.gallery import Gallery
from tests.material.small_videos import gray_ramp, make_video
from tests.processors.known_people.people import run

PROJECT = Path(main.__file__).resolve().parent


def contents(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture
def finished(tmp_path: Path) -> tuple[Path, Path]:
    """A folder with a video, and one with results in which somebody has a name."""
    videos, output = tmp_path / "annas-flat", tmp_path / "results-of-anna"
    videos.mkdir()
    make_video(videos / "film.mp4", gray_ramp(4, 64, 48))
    folder = output / "film"
    (folder / "Anna").mkdir(parents=True)
    people = [{"name": "Anna", "clips": 1}, {"name": "person_02", "clips": 0}]
    manifest: dict[str, Any] = {"people": people, "clips": [{"file": "Anna/clip_Anna.mp4", "person": "Anna"}]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "tracks.csv").write_text("frame,time_s,shot,person,track\n0,0.0,0,Anna,1\n0,0.0,0,person_02,2\n")
    (folder / "Anna" / "face.jpg").write_bytes(b"JPEG")
    (folder / "report.html").write_text("images")
    (output / "summary.json").write_text(json.dumps({"inputs": [{"input": str(videos / "film.mp4")}]}))
    return videos, output


def test_what_is_in_it_and_what_is_not(finished: tuple[Path, Path], tmp_path: Path) -> None:
    videos, output = finished
    target = tmp_path / "bundle" / "b.zip"
    bundle = DebugBundle(target, [str(videos), f"--config={videos}/my.toml", "--size", "96"], output, Settings())
    log = logging.getLogger("some.module")
    log.propagate = False
    log.setLevel(logging.WARNING)  # whatever tests before this one have set up
    with bundle:
        bundle.inputs = find_inputs([str(videos), str(videos / "gone.mp4")], output)
        log.addHandler(bundle.log)
        log.warning("%s has Anna in it", videos / "film.mp4")
        log.removeHandler(bundle.log)
    found = contents(target)
    assert list(target.parent.iterdir()) == [target]
    for text in found.values():
        assert "nna" not in text
        assert str(tmp_path) not in text
        assert str(Path.home()) not in text
    program = json.loads(found["program.json"])
    assert program["arguments"] == ["<folder>", "--config=my.toml", "--size", "96"]
    assert program["settings"]["clip"]["size"] == 512
    blob = subprocess.run(
        ["git", "hash-object", "main.py"], cwd=PROJECT, capture_output=True, text=True, check=False
    ).stdout.strip()
    assert program["sources"]["main.py"] == (blob or program["sources"]["main.py"])
    film, gone = json.loads(found["inputs.json"])
    assert (film["name"], film["codec"], film["width"], film["frame_rate"]) == ("film.mp4", "h264", 64, "25")
    assert gone == {"name": "gone.mp4", "folder": "gone", "problem": "no such file"}
    assert json.loads(found["results/summary.json"]) == {"inputs": [{"input": "<input>/film.mp4"}]}
    manifest = json.loads(found["results/film/manifest.json"])
    assert [person["name"] for person in manifest["people"]] == ["named_01", "person_02"]
    assert manifest["clips"] == [{"file": "named_01/clip_named_01.mp4", "person": "named_01"}]
    assert found["results/film/tracks.csv"].splitlines()[1:] == ["0,0.0,0,named_01,1", "0,0.0,0,person_02,2"]
    assert json.loads(found["log.jsonl"])["message"] == "<input>/film.mp4 has named_01 in it"
    assert json.loads(found["machine.json"])["cpu"]["usable"] >= 1
    assert "numpy" in json.loads(found["packages.json"])
    assert "MainThread" in found["threads.txt"]
    assert "traceback.txt" not in found
    assert {name.partition("/")[0] for name in found} < {*found["README.txt"].replace(";", " ").split(), "results"} | {
        "README.txt"
    }


def test_names_of_known_people_are_not_in_it(finished: tuple[Path, Path], tmp_path: Path) -> None:
    videos, output = finished
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "Dora.jpg").write_bytes(b"no photo, whatever it is called")
    with Gallery(output / "people.db") as gallery:
        number = run(gallery, "film", [1])["person_01"]
        gallery.name(f"P{number:04d}", "Carla")
    manifest = json.loads((output / "film" / "manifest.json").read_text())
    suggestion = {"id": "P0009", "name": "Egon", "similarity": 0.4}
    manifest["people"][1] |= {"known_as": "Fritz / F", "match": {"suggestion": suggestion}}
    (output / "film" / "manifest.json").write_text(json.dumps(manifest))
    settings = load_settings(None, {"people": {"people": str(tmp_path / "faces"), "only": "Gerda"}})
    bundle = DebugBundle(tmp_path / "b.zip", ["--only", "Gerda"], output, settings)
    log = logging.getLogger("some.other.module")
    log.propagate = False
    with bundle:
        bundle.inputs = find_inputs([str(videos)], output)
        log.addHandler(bundle.log)
        log.warning("Dora.jpg: left out; Carla? 0.41; Egon; Fritz / F")
        log.removeHandler(bundle.log)
    text = "\n".join(contents(tmp_path / "b.zip").values())
    assert [name for name in ("Anna", "Carla", "Dora", "Egon", "Fritz", "Gerda") if name in text] == []
    assert str(tmp_path) not in text


def test_a_clock_that_lost_its_battery(
    finished: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)
    with DebugBundle(tmp_path / "b.zip", [], finished[1], Settings()):
        pass
    assert "program.json" in contents(tmp_path / "b.zip")


def test_folders_of_weights_are_not_in_it(finished: tuple[Path, Path], tmp_path: Path) -> None:
    run = {"speech_weights": ["/secret/place/a.model", "b.model"], "facenet_weights": "/hidden/f.pt"}
    with DebugBundle(tmp_path / "b.zip", [], finished[1], load_settings(None, {"run": run})):
        pass
    program = contents(tmp_path / "b.zip")["program.json"]
    assert "secret" not in program and "hidden" not in program and "a.model" in program


def test_a_part_that_fails_costs_no_other(
    finished: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos, output = finished

    def broken() -> dict[str, str]:
        raise RuntimeError(f"{videos} is the fault")

    monkeypatch.setattr(debug_bundle, "installed_packages", broken)
    monkeypatch.setattr(debug_bundle, "MAX_FILE_BYTES", 100)
    (output / "summary.json").write_text("{")
    with DebugBundle(tmp_path / "b.zip", [], output, Settings()) as bundle:
        bundle.inputs = find_inputs([str(videos)], output)
    found = contents(tmp_path / "b.zip")
    assert "RuntimeError: <input> is the fault" in found["packages.json.error.txt"]
    assert "JSONDecodeError" in found["results/summary.json.error.txt"]
    assert "left out: it has" in found["results/film/manifest.json.error.txt"]
    assert "program.json" in found


@pytest.mark.errors_expected
def test_a_run_that_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.mp4").write_text("no video")
    arguments = [str(tmp_path / "bad.mp4"), "-o", str(tmp_path / "out"), "--debug-bundle", str(tmp_path / "b.zip")]
    assert main.main(arguments) == 1
    found = contents(tmp_path / "b.zip")
    entries = [json.loads(line) for line in found["log.jsonl"].splitlines()]
    assert any(e["level"] == "ERROR" and e["video"] == "bad" for e in entries)
    assert any("InvalidVideoError" in e.get("traceback", "") for e in entries)
    assert "not a video" in json.loads(found["inputs.json"])[0]["problem"]
    assert json.loads(found["results/summary.json"])["inputs"][0]["status"] == "failed"
    assert "debug bundle:" in capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyError("what nobody thought of"), KeyboardInterrupt()])
def test_a_run_that_breaks_off(error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(batch_runner, "run_batch", breaks)
    (tmp_path / "x.mp4").write_text("no video")
    code = main.main([str(tmp_path / "x.mp4"), "-q", "--debug-bundle", str(tmp_path / "b.zip")])
    assert code == (130 if isinstance(error, KeyboardInterrupt) else 1)
    found = contents(tmp_path / "b.zip")
    assert type(error).__name__ in found["traceback.txt"]
    assert "in breaks" in found["traceback.txt"]
    assert not (tmp_path / "b.zip.log").exists()


@pytest.mark.slow
def test_what_kills_the_process_is_reported_the_next_time(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_text("no video")
    arguments = [str(tmp_path / "x.mp4"), "-o", str(tmp_path / "out"), "--debug-bundle", str(tmp_path / "b.zip")]
    killing = "lambda *_, **__: os.kill(os.getpid(), signal.SIGSEGV)"
    for change in (f"batch_runner.run_batch = {killing}", "pass"):
        script = f"import os, signal, sys, main\nfrom processors import batch_runner\n{change}\n"
        done = subprocess.run(
            [sys.executable, "-c", f"{script}sys.exit(main.main(sys.argv[1:]))", *arguments],
            cwd=PROJECT,
            capture_output=True,
            check=False,
        )
        if change != "pass":
            assert done.returncode == -signal.SIGSEGV
            assert not (tmp_path / "b.zip").exists()
    assert done.returncode == 1
    before = contents(tmp_path / "b.zip")["log_before.txt"]
    assert "1 video -> <output>" in before
    assert "Segmentation fault" in before
    assert "in _run_batch" in before
    assert str(tmp_path) not in before


def test_a_flag_that_would_swallow_an_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = tmp_path / "film.mp4"
    film.write_text("precious")
    with pytest.raises(SystemExit) as ended:
        main.main(["--debug-bundle", str(film)])
    assert ended.value.code == 2
    assert "expected FILE.zip" in capsys.readouterr().err
    assert film.read_text() == "precious"


def test_no_room_for_it(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    assert main.main([str(tmp_path), "--debug-bundle", str(tmp_path / "file" / "b.zip")]) == 2
    said = capsys.readouterr().err
    assert "debug bundle cannot be written" in said and "name another file with --debug-bundle" in said

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    # The run's own outcome stays what it was.
    assert main.main([str(tmp_path), "--dry-run", "--debug-bundle", str(tmp_path / "b.zip")]) == 2
    said = capsys.readouterr().err
    assert "no videos in" in said
    assert "the debug bundle cannot be written" in said
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.zip.log", "file"]
