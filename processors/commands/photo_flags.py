"""Common parts of the commands for photos: their settings, and the networks that they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.options import Option, options

if TYPE_CHECKING:
    from config import Settings
    from core.model_manager import ModelManager
    from processors.batch.run_journal import RunJournal

_NETWORKS = {
    ("analysis", "device"),
    ("analysis", "embedder"),
    ("run", "threads"),
    ("run", "cache_dir"),
    ("run", "facenet_weights"),
    ("run", "offline"),
}
NO_PHOTOS = "they are JPEG, PNG, WebP, GIF or, with pillow-heif, HEIC files"
"""hint of the error that a folder has none"""


def network_options() -> list[Option]:
    """Settings that say which networks look at photos, and where they run."""
    return [option for option in options() if (option.section, option.name) in _NETWORKS]


def people_options() -> list[Option]:
    """Settings that say who is known, and by which rules."""
    return [option for option in options() if option.section == "people" and option.name != "only"]


def networks(settings: Settings) -> ModelManager:
    """The networks, loaded at their first use.

    Raises:
        ModelError: the requested device cannot be used.
    """
    from core.model_manager import ModelManager

    return ModelManager.instance(settings)


def refuse_after_crash(journal: RunJournal, name: str) -> None:
    """Fail if the command has crashed the program twice.

    Raises:
        PhotoError: it has. The photo is not known, because several are decoded at a time.
    """
    from core.errors import PhotoError

    if crash := journal.history.left_out(name):
        hint = "a photo is damaged in a way that its decoder cannot stand; try them in smaller groups"
        raise PhotoError(crash.reason, stage="photos", hint=hint)
