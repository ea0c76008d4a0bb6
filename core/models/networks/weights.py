"""Finds the weights of the models in installed packages and folders, or downloads them; checks their sha256."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from config import PROGRAM
from core.errors import ModelChecksumError, ModelUnavailableError, SettingsError
from core.models.networks.model_spec import MODELS, WeightsFile
from utils.files import atomic_path

logger = logging.getLogger(__name__)

CACHE_DIR_HINT = "--cache-dir DIR names a folder for it"

DOWNLOAD_TIMEOUT_S = 5.0
"""without a network, a run must continue within seconds"""

MIN_BYTES_PER_S = 50_000
"""a download that is slower than this on average is given up"""


def default_cache_dir() -> Path:
    """`$XDG_CACHE_HOME/face-clips`, by default `~/.cache/face-clips`.

    Raises:
        SettingsError: the user has no home folder (a container that runs as another user, a service).
    """
    folder = _user_cache_dir()
    if folder is None:
        raise SettingsError("this user has no home folder for the cache", hint=CACHE_DIR_HINT)
    return folder / PROGRAM


def chosen_cache_dir(setting: str) -> Path:
    """The folder that the setting `cache_dir` names; empty: the default.

    Raises:
        SettingsError: there is no default.
    """
    return Path(setting) if setting else default_cache_dir()


def torch_cache_dir() -> Path | None:
    """Where torch.hub and facenet-pytorch keep downloaded weights; None if there is no home folder."""
    if home := os.environ.get("TORCH_HOME"):
        return Path(os.path.expanduser(home)) / "checkpoints"  # noqa: PTH111 - like torch, and it never raises
    folder = _user_cache_dir()
    return None if folder is None else folder / "torch" / "checkpoints"


def _user_cache_dir() -> Path | None:
    if folder := os.environ.get("XDG_CACHE_HOME"):
        return Path(folder)
    try:
        return Path.home() / ".cache"
    except RuntimeError:
        return None


def file_exists(path: Path) -> bool:
    """Whether `path` is a file; False if its folder is not accessible."""
    try:
        return path.is_file()
    except OSError:
        return False


def locate(key: str, *, explicit: str = "", folders: Sequence[Path] = (), download_to: Path | None = None) -> Path:
    """Path of the weights of the model `key`, with their sha256 checked.

    Searched in this order: `explicit` (nothing else is tried if it is given), the installed package, `folders`, a
    download into `download_to` (None: no download).

    Raises:
        ModelUnavailableError: there is no such file and it could not be downloaded.
        ModelChecksumError: the file is damaged or a different one.
    """
    entry = MODELS[key].weights
    if explicit:
        path = Path(explicit)
        if not file_exists(path):
            raise ModelUnavailableError("no such weights file", path=path, stage="models", hint="check the path")
        return verified(path, entry)
    candidates = [folder / entry.name for folder in folders]
    if entry.package:
        candidates.insert(0, _package_folder(entry.package) / entry.folder / entry.name)
    for path in candidates:
        if file_exists(path):
            return verified(path, entry)
    if entry.url and download_to is not None:
        return download(entry, download_to)
    hint = f"reinstall {entry.package}" if entry.package else "download it by hand or allow the download"
    raise ModelUnavailableError(f"weights {entry.name} are not on this machine", stage="models", hint=hint)


def verified(path: Path, entry: WeightsFile) -> Path:
    """`path`, if it is the file `entry`.

    Raises:
        ModelChecksumError: wrong size or sha256.
    """
    _check(path, entry, called=path)
    return path


def _check(path: Path, entry: WeightsFile, *, called: Path) -> None:
    stat = path.stat()
    if stat.st_size != entry.size or _sha256(str(path), stat.st_mtime_ns) != entry.sha256:
        raise ModelChecksumError(
            f"is not the expected {entry.name} (sha256 {entry.sha256[:12]}...)",
            path=called,
            stage="models",
            hint="delete it and run again" if called == path else f"{entry.url} serves a different file",
        )


def download(entry: WeightsFile, folder: Path) -> Path:
    """Download `entry` into `folder`, where it appears only complete and verified.

    Raises:
        ModelUnavailableError: no network, an error response, or too slow.
        ModelChecksumError: a different file was sent.
    """
    # Imported late: they take 30 ms, and hardly any run needs them.
    import http.client
    import urllib.error
    import urllib.request

    logger.info("downloading %s (%d MB)", entry.name, entry.size // 1_000_000)
    final = folder / entry.name
    try:
        with (
            atomic_path(final) as partial,
            urllib.request.urlopen(entry.url, timeout=DOWNLOAD_TIMEOUT_S) as answer,
            partial.open("wb") as file,
        ):
            left = entry.size + 1  # one byte too many is enough to detect a different file
            begin = time.monotonic()
            while left > 0 and (block := answer.read1(min(left, 1 << 20))):
                file.write(block)
                left -= len(block)
                if time.monotonic() - begin > DOWNLOAD_TIMEOUT_S + (entry.size - left) / MIN_BYTES_PER_S:
                    raise TimeoutError("timed out: too slow")
            file.flush()
            _check(partial, entry, called=final)
    except (TimeoutError, urllib.error.URLError, http.client.HTTPException, OSError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise ModelUnavailableError(
            f"{entry.name} could not be downloaded: {getattr(error, 'reason', error)}",
            stage="models",
            hint=f"put the file into {folder} or name it with --facenet-weights",
        ) from error
    return final


@lru_cache(maxsize=64)
def _sha256(path: str, _mtime_ns: int) -> str:
    with Path(path).open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _package_folder(package: str) -> Path:
    # find_spec does not import the package: facenet_pytorch would pull in torch, and
    # face_recognition_models needs pkg_resources, which new setuptools no longer has.
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModelUnavailableError(
            f"the package {package} is not installed",
            hint="python -m pip install -r requirements.txt -c constraints.txt",
        )
    return Path(spec.origin).parent
