"""A temporary cache for a run whose user's cache folder cannot be used.

In a container, under another user id or as a service there may be no home folder, or one that belongs to another user.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from config import PROGRAM, Settings
from core.analysis_store import ANALYSES_FOLDER
from core.errors import OutputError, SettingsError
from core.models.embedder_spec import EMBEDDERS
from core.models.inference.nets import CONVERTED_FOLDER, missing_bytes
from core.models.networks.embedder_choice import possible_embedders
from core.models.networks.model_spec import ANALYSIS_NETS
from core.models.networks.weights import default_cache_dir
from processors.video.analysis_key import make_store
from utils.console.printable_text import ascii_safe
from utils.files import PARTIAL_PREFIX, scratch_file

logger = logging.getLogger(__name__)

_WEIGHTS_FOLDER = "weights"
_NOT_KEPT = (
    "converted networks and analyses are not kept after this run; use --cache-dir DIR to choose a writable folder"
)


@contextlib.contextmanager
def usable_cache(settings: Settings) -> Iterator[Settings]:
    """Yield `settings` with a cache folder that can be written within the block; then remove analyses kept too long.

    A folder given by --cache-dir need not be writable. If the user's cache folder cannot be written or has no space for
    the networks, a temporary folder replaces it, with one warning; it links to the contents of the user's folder.

    Raises:
        OutputError: no temporary folder can be created either.
        SettingsError: there is no folder given by --cache-dir, and it cannot be created.
    """
    with _writable_cache(settings) as usable:
        try:
            yield usable
        finally:
            # At the end, when the analyses that the block needed have just been used.
            if (kept_s := settings.run.keep_analyses_s) is not None:
                removed = make_store(usable).remove_unused(kept_s)
                logger.debug("%d stored analyses and signals removed: unused for %s", len(removed), kept_s)


@contextlib.contextmanager
def _writable_cache(settings: Settings) -> Iterator[Settings]:
    """Yield `settings` with a cache folder that can be written; the errors of `usable_cache`."""
    if settings.run.cache_dir:
        _make_given(Path(settings.run.cache_dir))
        yield settings
        return
    folder: Path | None = None
    try:
        folder = default_cache_dir()
        _check_writable(folder, settings)
    except SettingsError as error:
        reason = error.message
    except OSError as error:
        reason = f"the cache folder {folder} cannot be written ({error.strerror or error})"
    else:
        yield settings
        return
    try:
        place = tempfile.TemporaryDirectory(prefix=f"{PROGRAM}-", ignore_cleanup_errors=True)
    except OSError as error:
        message = f"{reason}, and no temporary folder can be created ({error.strerror or error})"
        raise OutputError(message, hint="use --cache-dir DIR to choose a writable folder") from error
    with place as temporary:
        if folder is not None:
            _link(folder, Path(temporary))
        logger.warning("%s: %s", ascii_safe(reason), _NOT_KEPT)
        run = msgspec.structs.replace(settings.run, cache_dir=temporary)
        yield msgspec.structs.replace(settings, run=run)


def _make_given(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "a file has its name" if isinstance(error, FileExistsError) else error.strerror or error
        raise SettingsError(
            f"the cache folder cannot be created: {reason}",
            path=folder,
            hint="--cache-dir names a folder that exists or can be created; without it, ~/.cache/face-clips is used",
        ) from error


def _check_writable(folder: Path, settings: Settings) -> None:
    """Try to write what a run with `settings` may have to write; raises OSError if that is impossible."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [CONVERTED_FOLDER, _WEIGHTS_FOLDER, *([ANALYSES_FOLDER] if settings.run.cache else [])]
    # The last embedder needs no download; an earlier one may be unavailable only because the disk is full.
    embedder = possible_embedders(settings)[-1]
    size = missing_bytes((*ANALYSIS_NETS, *EMBEDDERS[embedder].shares), folder)
    for place in (folder, *(folder / part for part in parts)):
        if place == folder or place.is_symlink() or place.exists():
            with scratch_file(place) as file:
                file.write(bytes(max(size, 1)))
                file.flush()
            size = 0


def _link(folder: Path, temporary: Path) -> None:
    """Create links in `temporary` to the readable files in `folder`."""
    for part in (CONVERTED_FOLDER, _WEIGHTS_FOLDER, ANALYSES_FOLDER):
        (temporary / part).mkdir(mode=0o700)
        with contextlib.suppress(OSError):
            for file in (folder / part).iterdir():
                if not file.name.startswith(PARTIAL_PREFIX):
                    (temporary / part / file.name).symlink_to(file.absolute())
