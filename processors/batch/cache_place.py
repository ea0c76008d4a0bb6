"""Where a run keeps converted networks, downloaded weights and analyses when the user's cache folder cannot be used.

In a container, under another user id or as a service there may be no home folder, or one that belongs to somebody else.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from config import Settings
from core.analysis_store import ANALYSES_FOLDER
from core.errors import OutputError, SettingsError, ascii_safe
from core.model_manager import possible_embedders
from core.models.model_spec import DETECTOR
from core.models.nets import CONVERTED_FOLDER, missing_bytes
from core.models.weights import default_cache_dir
from utils.files import PARTIAL_PREFIX, scratch_file

logger = logging.getLogger(__name__)

_WEIGHTS_FOLDER = "weights"
_NOT_KEPT = (
    "converted networks and analyses are not kept after this run; --cache-dir DIR names a folder that can be used"
)


@contextlib.contextmanager
def usable_cache(settings: Settings) -> Iterator[Settings]:
    """`settings` as they are to be used within the block: their cache folder can be written.

    What --cache-dir names is taken as it is. Where the user's cache folder cannot be written or has no room for the
    networks, a temporary folder takes its place, with one warning; what the user's folder holds is found in it.

    Raises:
        OutputError: no temporary folder can be made either.
    """
    if settings.run.cache_dir:
        yield settings
        return
    folder: Path | None = None
    try:
        folder = default_cache_dir()
        _try_out(folder, settings)
    except SettingsError as error:
        reason = error.message
    except OSError as error:
        reason = f"the cache folder {folder} cannot be written ({error.strerror or error})"
    else:
        yield settings
        return
    try:
        place = tempfile.TemporaryDirectory(prefix="face-clips-", ignore_cleanup_errors=True)
    except OSError as error:
        message = f"{reason}, and no temporary folder either ({error.strerror or error})"
        raise OutputError(message, hint="--cache-dir DIR names a folder that can be used") from error
    with place as temporary:
        if folder is not None:
            _link(folder, Path(temporary))
        logger.warning("%s: %s", ascii_safe(reason), _NOT_KEPT)
        run = msgspec.structs.replace(settings.run, cache_dir=temporary)
        yield msgspec.structs.replace(settings, run=run)


def _try_out(folder: Path, settings: Settings) -> None:
    """Write what a run with `settings` may have to write there; OSError where that is not possible."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [CONVERTED_FOLDER, _WEIGHTS_FOLDER, *([ANALYSES_FOLDER] if settings.run.cache else [])]
    # The last one can always be had; if the first is, it may only be missing because of a full disk.
    embedder = possible_embedders(settings)[-1]
    size = missing_bytes((*DETECTOR, embedder), folder)
    for place in (folder, *(folder / part for part in parts)):
        if place == folder or place.is_symlink() or place.exists():
            with scratch_file(place) as file:
                file.write(bytes(max(size, 1)))
                file.flush()
            size = 0


def _link(folder: Path, temporary: Path) -> None:
    """Links in `temporary` to what lies in `folder`, as far as that can be read."""
    for part in (CONVERTED_FOLDER, _WEIGHTS_FOLDER, ANALYSES_FOLDER):
        (temporary / part).mkdir(mode=0o700)
        with contextlib.suppress(OSError):
            for file in (folder / part).iterdir():
                if not file.name.startswith(PARTIAL_PREFIX):
                    (temporary / part / file.name).symlink_to(file.absolute())
