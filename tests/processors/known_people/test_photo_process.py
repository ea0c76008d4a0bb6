from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.errors import PhotoError
from processors.known_people import photo_batch
from processors.known_people.photo_process import PhotoProcess
from processors.known_people.photo_reader import read_photo
from processors.known_people.reference_photos import read_reference_photos
from tests.processors.known_people.crashing_decoder import CRASH, HANG, TALK
from tests.processors.known_people.photos import random_image, save

CRASHING = "tests.processors.known_people.crashing_decoder"


@pytest.fixture
def process() -> Iterator[PhotoProcess]:
    with PhotoProcess(CRASHING) as started:
        yield started


def test_the_same_photo_as_in_this_process(process: PhotoProcess, tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", random_image(64, 48), orientation=6)
    found, expected = process.read(path), read_photo(path)
    assert np.array_equal(found.pixels, expected.pixels) and found.pixels.flags.c_contiguous
    assert (found.path, found.width, found.height, found.sha256) == (path, 48, 64, expected.sha256)


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_any_file_name(process: PhotoProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a\nb \U0001f600.png", os.fsdecode(b"\xff\xfe.png"), "n" * 251 + ".png"):
        save(tmp_path / "a.png", random_image(64, 48)).rename(name)
        assert process.read(Path(name)).width == 64


def test_errors_are_those_of_the_reader(process: PhotoProcess, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("dear diary")
    with pytest.raises(PhotoError) as raised:
        process.read(tmp_path / "a.jpg")
    assert str(raised.value) == "a.jpg: is text, not a photo that can be read (save it as JPEG, PNG or WebP)"


def test_a_crash_is_one_photos_failure(process: PhotoProcess, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(CRASH)
    with pytest.raises(PhotoError) as raised:
        process.read(tmp_path / "bad.jpg")
    assert str(raised.value).startswith("bad.jpg: cannot be decoded: its decoder crashed (SIGABRT) (it is probably")
    assert process.read(save(tmp_path / "good.png", random_image(64, 48))).width == 64


def test_a_decoder_that_hangs_is_ended(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(HANG)
    good = save(tmp_path / "good.png", random_image(64, 48))
    with PhotoProcess(CRASHING, timeout_s=1.0) as process:
        process.read(good)
        begun = time.monotonic()
        with pytest.raises(PhotoError, match="takes longer than 1 s"):
            process.read(tmp_path / "bad.jpg")
        assert time.monotonic() - begun < 30
        assert process.read(good).width == 64


def test_what_a_library_prints_is_not_an_answer(process: PhotoProcess, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(TALK)
    with pytest.raises(PhotoError, match="is text"):
        process.read(tmp_path / "a.jpg")


def test_no_python_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "nothing"))
    with pytest.raises(PhotoError, match="cannot be decoded: No such file"), PhotoProcess() as process:
        process.read(tmp_path / "a.jpg")


def test_many_photos_continue_after_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_batch, "PhotoProcess", lambda: PhotoProcess(CRASHING))
    monkeypatch.setattr(photo_batch, "find_faces", lambda photo, models: [])
    paths = []
    for number in range(6):
        paths.append(tmp_path / f"{number}.png")
        save(paths[-1], random_image(64, 48, number))
    paths[2].write_bytes(CRASH)
    models: Any = SimpleNamespace()
    seen = list(photo_batch.see_photos(paths, models))
    assert [one.path for one in seen] == paths
    assert [one.photo is None for one in seen] == [number == 2 for number in range(6)]
    assert "crashed (SIGABRT)" in str(seen[2].error)


def test_a_reference_photo_that_crashes_its_decoder_names_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_batch, "PhotoProcess", lambda: PhotoProcess(CRASHING))
    (tmp_path / "Anna.jpg").write_bytes(CRASH)
    models: Any = SimpleNamespace(embedder=SimpleNamespace(name="dlib"))
    found = read_reference_photos(tmp_path, models)
    assert found.photos == ()
    assert [(line.path.name, line.use) for line in found.lines] == [("Anna.jpg", "left out")]
    assert "crashed (SIGABRT)" in str(found.lines[0])
