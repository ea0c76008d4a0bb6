"""A cache folder that cannot be used: what takes its place, and what is said about it."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import RunSettings, Settings
from core.errors import OutputError, SettingsError
from core.models.inference.nets import CONVERTED_FOLDER, missing_bytes
from core.models.networks.model_spec import MODELS
from core.models.networks.weights import default_cache_dir, file_exists, torch_cache_dir
from processors.batch.cache_fallback import usable_cache
from processors.video.analysis_key import make_store, possible_keys
from tests.material.real_models import models_cache, net_files
from tests.material.small_disk import no_file_above, small_disk
from utils.fingerprints import Fingerprint
from utils.images.fonts import font_folders

__all__ = ["models_cache", "net_files"]

OFFLINE = Settings(run=RunSettings(offline=True))


@pytest.fixture(autouse=True)
def _own_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    caplog.set_level(logging.WARNING)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.delenv("TORCH_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    yield
    assert list((tmp_path / "tmp").glob("face-clips-*")) == [], "left behind"


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user has neither $HOME nor an entry in the list of users."""

    def unknown(user: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {user}")

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


def assert_temporary(caplog: pytest.LogCaptureFixture, tmp_path: Path, reason: str) -> None:
    """A run gets a temporary folder, for as long as it lasts, and one line says why."""
    with usable_cache(OFFLINE) as settings:
        folder = Path(settings.run.cache_dir)
        assert folder.parent == tmp_path / "tmp"
        assert make_store(settings).folder.parent == folder
        (folder / "net.bin").write_bytes(b"x")
    assert not folder.exists()
    (warning,) = warnings(caplog)
    assert reason in warning and "analyses are not kept" in warning and "--cache-dir" in warning
    assert "\n" not in warning


def test_the_users_folder_is_taken_where_it_can_be_written(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    with usable_cache(OFFLINE) as settings:
        assert settings == OFFLINE
    assert list((home / ".cache" / "face-clips").iterdir()) == [] and not warnings(caplog)


@pytest.mark.usefixtures("nobody")
def test_without_a_home_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert_temporary(caplog, tmp_path, "no home folder")


@pytest.mark.usefixtures("nobody")
def test_nothing_else_needs_a_home_folder() -> None:
    with pytest.raises(SettingsError, match="--cache-dir"):
        default_cache_dir()
    assert torch_cache_dir() is None
    assert possible_keys(Fingerprint(1, "a" * 64), OFFLINE)
    assert font_folders({})


@pytest.mark.parametrize("part", [".cache", ".cache/face-clips", ".cache/face-clips/analyses"])
def test_a_file_in_the_way(home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, part: str) -> None:
    (home / part).parent.mkdir(parents=True, exist_ok=True)
    (home / part).write_text("in the way")
    assert_temporary(caplog, tmp_path, str(home / ".cache" / "face-clips"))


def test_analyses_that_are_not_to_be_kept_need_no_folder(home: Path) -> None:
    (home / ".cache" / "face-clips").mkdir(parents=True)
    (home / ".cache" / "face-clips" / "analyses").write_text("in the way")
    settings = Settings(run=RunSettings(offline=True, cache=False))
    with usable_cache(settings) as usable:
        assert usable == settings


def test_a_disk_with_no_room_for_the_networks(home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with no_file_above(1_000_000):
        assert_temporary(caplog, tmp_path, "File too large")


def test_a_full_disk(home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with small_disk(home, 2_000_000):
        assert_temporary(caplog, tmp_path, "No space left")
        assert not list(home.rglob(".partial*"))


def test_networks_that_are_there_need_no_room(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    networks = home / ".cache" / "face-clips" / "openvino"
    networks.mkdir(parents=True)
    kinds = ("pnet", "rnet", "onet", "mmod", "sface", "dlib", "facenet-casia")
    assert missing_bytes(kinds, networks.parent) == sum(MODELS[kind].weights.size for kind in kinds)
    for kind in kinds:
        (networks / f"{kind}-{MODELS[kind].weights.sha256[:16]}-ov1-c2.bin").write_bytes(b"x")
    assert missing_bytes(kinds, networks.parent) == 0
    with no_file_above(1_000_000), usable_cache(OFFLINE) as settings:
        assert settings == OFFLINE
    assert not warnings(caplog)


def test_what_the_users_folder_holds_is_used_and_stays(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache = home / ".cache" / "face-clips"
    for name in ("openvino/net.xml", "openvino/.partial-1-net.xml", f"analyses/{'a' * 64}.npz", "weights/facenet.pt"):
        (cache / name).parent.mkdir(parents=True, exist_ok=True)
        (cache / name).write_text(name)

    def refused(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("processors.batch.cache_fallback.scratch_file", refused)
    with usable_cache(OFFLINE) as settings:
        folder = Path(settings.run.cache_dir)
        assert (folder / "openvino" / "net.xml").read_text() == "openvino/net.xml"
        assert sorted(path.name for path in folder.rglob("*.*")) == [f"{'a' * 64}.npz", "facenet.pt", "net.xml"]
        (entry,) = make_store(settings).entries()
        assert make_store(settings).remove(entry)
    assert len(list(cache.rglob("*.*"))) == 4, "only links were removed"
    assert len(warnings(caplog)) == 1


@pytest.mark.usefixtures("nobody")
def test_no_temporary_folder_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**kwargs: object) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", refused)
    with (
        pytest.raises(OutputError, match=r"no home folder.*no temporary folder can be created.*--cache-dir"),
        usable_cache(OFFLINE),
    ):
        pass


def test_a_folder_that_was_named_is_taken_as_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    named = Settings(run=RunSettings(cache_dir=str(tmp_path / "named")))
    with usable_cache(named) as settings:
        assert settings is named
    assert not warnings(caplog)


def test_a_folder_that_was_named_and_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, reason in (("file", "a file has its name"), ("file/inside", "Not a directory")):
        with (
            pytest.raises(SettingsError, match=f"cannot be created: {reason}.*--cache-dir"),
            usable_cache(Settings(run=RunSettings(cache_dir=str(tmp_path / name)))),
        ):
            pass


def test_a_folder_that_must_not_be_looked_into_holds_no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", refused)
    assert not file_exists(Path("/root/.cache/torch/x.pt"))


def as_nobody(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A run as a user without a name and without rights; skips the test where such a user cannot be had."""
    wrapper = ["unshare", "--user", "--map-user=12345", "--map-group=12345"]
    try:
        possible = subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        possible = False
    if not possible:
        pytest.skip("no user namespaces here")
    inherited = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_CACHE_HOME", "TORCH_HOME")}
    argv = [*wrapper, sys.executable, "main.py", *arguments]
    return subprocess.run(
        argv, env={**inherited, **environment}, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("cache_dir", [False, True])
def test_a_user_without_a_home_folder_gets_clips(
    tmp_path: Path, sample: Path, models_cache: Path, net_files: object, cache_dir: bool
) -> None:
    cache = tmp_path / "cache"
    if cache_dir:
        shutil.copytree(models_cache / CONVERTED_FOLDER, cache / CONVERTED_FOLDER)
    # With one network less to convert, and little of the video; the folders are what counts.
    flags = ["--embedder", "dlib", "--end", "2", *(["--cache-dir", str(cache)] if cache_dir else [])]
    (tmp_path / "locked").mkdir(mode=0o500)
    home = {"HOME": str(tmp_path / "locked")} if cache_dir else {}
    done = as_nobody(
        str(sample), "-o", str(tmp_path / "out"), "--offline", *flags, TMPDIR=str(tmp_path / "tmp"), **home
    )
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "out").rglob("*_clip_*.mp4"))
    warned = [line for line in done.stderr.splitlines() if "--cache-dir" in line]
    if cache_dir:
        assert not warned and list(cache.rglob("*.npz"))
    else:
        assert len(warned) == 1 and "no home folder" in warned[0]


@pytest.mark.parametrize(("kept", "left"), [("forever", ["a", "b"]), ("30d", ["b"]), ("0d", [])])
def test_analyses_kept_too_long_go_at_the_end(tmp_path: Path, kept: str, left: list[str]) -> None:
    settings = Settings(run=RunSettings(cache_dir=str(tmp_path / "cache"), keep_analyses=kept))
    store = make_store(settings)
    store.folder.mkdir(parents=True)
    for digit, days in (("a", 40), ("b", 20)):
        path = store.folder / f"{digit * 64}.npz"
        path.write_bytes(b"x")
        os.utime(path, (time.time() - days * 86400,) * 2)
    with usable_cache(settings):
        assert len(store.entries()) == 2, "whoever is about to use them still can"
    assert sorted(entry.analysis[0] for entry in store.entries()) == left


def test_analyses_kept_too_long_go_where_the_run_fails(tmp_path: Path) -> None:
    settings = Settings(run=RunSettings(cache_dir=str(tmp_path), keep_analyses="0d"))
    store = make_store(settings)
    store.folder.mkdir(parents=True)
    (store.folder / f"{'a' * 64}.npz").write_bytes(b"x")
    with pytest.raises(OutputError), usable_cache(settings):
        raise OutputError("no space left")
    assert store.entries() == []
