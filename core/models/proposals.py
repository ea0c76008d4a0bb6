"""Loads the network that proposes faces, from a package or a download."""

from __future__ import annotations

import contextlib
import importlib.util
from pathlib import Path

from config import Settings
from core.errors import ModelError, ModelUnavailableError, SettingsError
from core.models import weights
from core.models.installed_files import installed_file
from core.models.proposal_weights import PYRAMID
from core.models.proposer import PROPOSERS, OnePassProposer

_HINT = "--proposals mtcnn does without it"


def load_proposer(name: str, settings: Settings, *, threads: int) -> OnePassProposer:
    """The proposer `name`, a key of `PROPOSERS`, ready for use; may download its weights.

    Raises:
        ModelUnavailableError: its package or its weights cannot be had.
        ModelChecksumError: the file is damaged or another one.
        ModelError: OpenVINO is missing or cannot read it.
    """
    if importlib.util.find_spec("openvino") is None:
        raise ModelError(f"--proposals {name} needs OpenVINO", stage="models", hint=f"--proposals {PYRAMID}")
    spec = PROPOSERS[name]
    file = installed_file(spec.weights) if spec.weights.package else _downloaded(name, settings)
    return OnePassProposer(spec, file, threads=threads)


def _downloaded(name: str, settings: Settings) -> Path:
    """The file of `name` in the cache folder, where it is downloaded to."""
    entry = PROPOSERS[name].weights
    folder: Path | None = None
    with contextlib.suppress(SettingsError):
        folder = weights.chosen_cache_dir(settings.run.cache_dir) / "weights"
    if folder is not None and weights.file_exists(folder / entry.name):
        return weights.verified(folder / entry.name, entry)
    if folder is None or settings.run.offline:
        raise ModelUnavailableError(f"weights {entry.name} are not on this machine", stage="models", hint=_HINT)
    try:
        return weights.download(entry, folder)
    except ModelUnavailableError as error:
        raise ModelUnavailableError(error.message, stage="models", hint=_HINT) from error
