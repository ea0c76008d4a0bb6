"""Which embedders a run may use: found out by looking for files, without loading anything that computes."""

from __future__ import annotations

import contextlib
from pathlib import Path

from config import Settings
from core.errors import SettingsError
from core.models import weights
from core.models.installed_files import is_installed
from core.models.model_spec import MODELS


def facenet_folders(settings: Settings) -> list[Path]:
    """Folders searched for FaceNet's weights; a download goes into the first. The list may be empty."""
    folders = []
    with contextlib.suppress(SettingsError):
        folders.append(weights.chosen_cache_dir(settings.run.cache_dir) / "weights")
    torch_folder = weights.torch_cache_dir()
    return folders if torch_folder is None else [*folders, torch_folder]


def possible_embedders(settings: Settings) -> tuple[str, ...]:
    """The embedders that a run with `settings` may use, best first; loads and downloads nothing."""
    choice = settings.analysis.embedder
    if choice != "auto":
        return (choice,)
    if settings.run.facenet_weights:
        return ("facenet",)
    if is_installed(MODELS["sface"].weights):
        return ("sface",)
    name = MODELS["facenet"].weights.name
    if any(weights.file_exists(folder / name) for folder in facenet_folders(settings)):
        return ("facenet",)
    return ("facenet", "dlib")
