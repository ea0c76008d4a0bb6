"""Which embedders a run may use: found out by looking for files, without loading anything that computes."""

from __future__ import annotations

import contextlib
from pathlib import Path

from config import Settings
from core.errors import SettingsError
from core.models.networks import weights
from core.models.networks.installed_files import is_installed
from core.models.networks.model_spec import MODELS

AUTO_ORDER = ("sface", "facenet", "dlib")
"""what the embedder `auto` tries, one after the other; docs/decisions/models.md says why"""


def facenet_folders(settings: Settings) -> list[Path]:
    """Folders searched for FaceNet's weights; a download goes into the first. The list may be empty."""
    folders = []
    with contextlib.suppress(SettingsError):
        folders.append(weights.chosen_cache_dir(settings.run.cache_dir) / "weights")
    torch_folder = weights.torch_cache_dir()
    return folders if torch_folder is None else [*folders, torch_folder]


def wanted_embedders(settings: Settings) -> tuple[str, ...]:
    """The embedders that `settings` allow, best first, whether or not their weights can be had."""
    if settings.analysis.embedder != "auto":
        return (settings.analysis.embedder,)
    return ("facenet",) if settings.run.facenet_weights else AUTO_ORDER


def possible_embedders(settings: Settings) -> tuple[str, ...]:
    """Those of `wanted_embedders` that a run may use on this machine; loads and downloads nothing.

    The list ends with the first one whose weights are here. A better one whose weights are missing is in it only if a
    download may bring them.
    """
    *better, last = wanted_embedders(settings)
    possible: list[str] = []
    for name in better:
        entry = MODELS[name].weights
        if entry.package:
            if is_installed(entry):
                return (*possible, name)
        elif any(weights.file_exists(folder / entry.name) for folder in facenet_folders(settings)):
            return (*possible, name)
        else:
            possible.append(name)
    return (*possible, last)
