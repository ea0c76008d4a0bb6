"""Finds the output folder that the user means, and how its manifest says that the results were made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.errors import SettingsError
from processors.results.manifest import read_manifest
from processors.results.manifest_outline import ManifestState, folder_owner, read_outline
from processors.results.result_tree import folder_name, result_folders
from utils.fingerprints import Fingerprint, fingerprint

_NAMES_SHOWN = 12
_HINT = "run the video again with --overwrite"


def find_folder(argument: str, output_dir: Path) -> Path:
    """The output folder that `argument` means: the folder itself, its name in `output_dir`, or the video's path.

    Raises:
        SettingsError: there is none.
    """
    path = Path(argument)
    if path.is_file():
        # By fingerprint, because a folder with the name of the file may belong to another video.
        wanted = fingerprint(path)
        for folder in result_folders(output_dir):
            if folder_owner(folder) == wanted:
                return folder.resolve()
        raise SettingsError("has no results yet", path=path, hint=f"none in {output_dir}; -o names another folder")
    for folder in (path, output_dir / argument):
        if folder.is_dir() and read_outline(folder).state is not ManifestState.MISSING:
            return folder.resolve()
    names = [folder_name(folder, output_dir) for folder in result_folders(output_dir)]
    more = ", ..." if len(names) > _NAMES_SHOWN else ""
    there = f"results in {output_dir}: {', '.join(names[:_NAMES_SHOWN])}{more}" if names else f"none in {output_dir}"
    hint = f"{there}; -o names another folder"
    raise SettingsError("is neither a video nor a folder with results", path=path, hint=hint)


def recorded_fingerprint(folder: Path) -> Fingerprint:
    """The fingerprint of the video whose results are in `folder`.

    Raises:
        SettingsError: the manifest is missing or damaged.
    """
    owner = folder_owner(folder)
    if owner is None:
        raise SettingsError("its manifest.json is missing or damaged", path=folder, hint=_HINT)
    return owner


def recorded_settings(folder: Path) -> dict[str, dict[str, Any]]:
    """The settings that the results in `folder` were made with, {section: {key: value}}, extras and variants
    included.

    Raises:
        SettingsError: the manifest is missing or damaged.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise SettingsError("its manifest.json is missing or damaged", path=folder, hint=_HINT)
    extras = manifest.extras
    formats = [name for name in extras if name not in ("preview", "reel")]
    return {
        **manifest.settings,
        "variants": {name: variant.settings for name, variant in manifest.variants.items()},
        "output": {"preview": "preview" in extras, "reel": "reel" in extras, "export": formats},
    }
