"""Which models tell who speaks: found once per run, loaded when a video needs them."""

from __future__ import annotations

import contextlib
import functools
import itertools
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import RunSettings, Settings, SpeechSettings
from core.errors import ModelUnavailableError, SettingsError
from core.models import weights
from core.models.face_mesh import FACE_MESH_FILE, FaceMesh, locate_face_mesh
from core.models.installed_files import is_installed
from core.models.speech_net import SPEECH_WEIGHTS, load_speech_nets, locate_speech_weights
from core.models.voice_activity import VOICE_ACTIVITY_FILE, VoiceActivity, locate_voice_activity
from processors.speech.speech_pass import SpeechModels, models_name

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SpeechFiles:
    """Verified files of the models, before anything is loaded.

    weights: by key of `SPEECH_WEIGHTS`; none: the signal is voice activity times movement of the mouth.
    """

    voice_activity: Path
    mesh: Path
    weights: dict[str, Path]

    @property
    def name(self) -> str:
        return models_name(self.weights)

    def describe(self) -> dict[str, Any]:
        """For keys and manifests; the same on every machine."""
        used = {"voice_activity": VOICE_ACTIVITY_FILE.sha256, "face_mesh": FACE_MESH_FILE.sha256}
        used |= {key: SPEECH_WEIGHTS[key].sha256 for key in sorted(self.weights)}
        return {"name": self.name, "sha256": used}


def find_speech_files(settings: Settings) -> SpeechFiles:
    """The files that `settings` ask for; may download LR-ASD's weights.

    Raises:
        ModelUnavailableError: a package or a file that is asked for is missing.
        ModelChecksumError: a file is damaged or another one.
    """
    return _find_files(settings.speech, settings.run)


@functools.lru_cache(maxsize=1)
def _find_files(speech: SpeechSettings, run: RunSettings) -> SpeechFiles:
    voice_activity, mesh = locate_voice_activity(), locate_face_mesh()
    if speech.speech_model == "movement":
        return SpeechFiles(voice_activity, mesh, {})
    folders = _weights_folders(run)
    try:
        found = locate_speech_weights(
            explicit=run.speech_weights,
            folders=folders,
            download_to=folders[0] if folders and not run.offline else None,
        )
    except ModelUnavailableError as error:
        if speech.speech_model == "lr-asd" or run.speech_weights:
            raise
        logger.warning("speech is told by movement of mouths instead of LR-ASD: %s", error.message)
        found = {}
    return SpeechFiles(voice_activity, mesh, found)


def load_speech_models(settings: Settings) -> SpeechModels:
    """The models of `find_speech_files`, ready for one thread.

    Raises:
        ModelError: a file cannot be had or read.
    """
    return _load_models(settings.speech, settings.run)


@functools.lru_cache(maxsize=1)
def _load_models(speech: SpeechSettings, run: RunSettings) -> SpeechModels:
    files = _find_files(speech, run)
    nets = []
    if files.weights:
        nets = load_speech_nets(files.weights, weights.chosen_cache_dir(run.cache_dir))
    return SpeechModels(VoiceActivity(files.voice_activity), FaceMesh(files.mesh), nets)


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
    folders = _weights_folders(settings.run)
    here = [k for k in keys if any(weights.file_exists(f / SPEECH_WEIGHTS[k].name) for f in folders)]
    possible = {models_name(here or ())} if settings.run.offline else {models_name(here or ()), models_name(keys)}
    return frozenset(possible)


def _weights_folders(run: RunSettings) -> list[Path]:
    with contextlib.suppress(SettingsError):
        return [weights.chosen_cache_dir(run.cache_dir) / "weights"]
    return []
