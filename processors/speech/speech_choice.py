"""Which speech models a run may use: decided by looking for files, without loading a model."""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path

from config import RunSettings, Settings
from core.errors import SettingsError
from core.models.face_mesh import FACE_MESH_FILE
from core.models.networks import weights
from core.models.networks.installed_files import is_installed
from core.models.speech_net import SPEECH_WEIGHTS, models_name
from core.models.voice_activity import VOICE_ACTIVITY_FILE


def possible_speech_models(settings: Settings) -> frozenset[str]:
    """Names of the models that a run with `settings` may end up with, "" for none; reads and downloads nothing."""
    if not all(is_installed(entry) for entry in (VOICE_ACTIVITY_FILE, FACE_MESH_FILE)):
        return frozenset({""})
    if settings.speech.speech_model == "movement":
        return frozenset({models_name(())})
    keys = sorted(SPEECH_WEIGHTS)
    if settings.run.speech_weights:
        count = min(len(settings.run.speech_weights), len(keys))
        return frozenset(models_name(chosen) for chosen in itertools.combinations(keys, count))
    folders = weights_folders(settings.run)
    here = [k for k in keys if any(weights.file_exists(f / SPEECH_WEIGHTS[k].name) for f in folders)]
    possible = {models_name(here or ())} if settings.run.offline else {models_name(here or ()), models_name(keys)}
    return frozenset(possible)


def weights_folders(run: RunSettings) -> list[Path]:
    """Where LR-ASD's weights lie or are downloaded to; none if no cache folder is known."""
    with contextlib.suppress(SettingsError):
        return [weights.chosen_cache_dir(run.cache_dir) / "weights"]
    return []
