"""Where known people come from: the folder of photos that name them, and the file that remembers them."""

from __future__ import annotations

from pathlib import Path

from config import PeopleSettings
from core.errors import SettingsError
from core.project_folders import PROJECT

GALLERY_FILE = "people.db"
"""in the output folder, unless --gallery names another file"""
DEFAULT_PHOTOS = PROJECT / "videos" / "people"


def photo_folder(settings: PeopleSettings) -> Path | None:
    """The folder of photos that name people; None where there is none.

    Raises:
        SettingsError: --people names no folder.
    """
    if not settings.people:
        return DEFAULT_PHOTOS if DEFAULT_PHOTOS.is_dir() else None
    folder = Path(settings.people)
    if not folder.is_dir():
        raise SettingsError("is not a folder of photos", path=folder, hint="--people DIR: Anna.jpg, or Anna/*.jpg")
    return folder


def gallery_path(settings: PeopleSettings, output_dir: Path) -> Path | None:
    """The file of the gallery; None with --no-gallery."""
    if settings.no_gallery:
        return None
    return Path(settings.gallery) if settings.gallery else output_dir / GALLERY_FILE
