"""The speech models: found once per run, loaded when a video needs them."""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import RunSettings, Settings, SpeechSettings
from core.errors import ModelUnavailableError
from core.models.face_mesh import FACE_MESH_FILE, FaceMesh, locate_face_mesh
from core.models.networks import weights
from core.models.speech_net import SPEECH_WEIGHTS, load_speech_nets, locate_speech_weights, models_name
from core.models.voice_activity import VOICE_ACTIVITY_FILE, VoiceActivity, locate_voice_activity
from processors.speech.speech_choice import weights_folders
from processors.speech.speech_pass import SpeechModels

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
        """Description for keys and manifests; the same on every machine."""
        used = {"voice_activity": VOICE_ACTIVITY_FILE.sha256, "face_mesh": FACE_MESH_FILE.sha256}
        used |= {key: SPEECH_WEIGHTS[key].sha256 for key in sorted(self.weights)}
        return {"name": self.name, "sha256": used}


def find_speech_files(settings: Settings) -> SpeechFiles:
    """The files that `settings` ask for; may download LR-ASD's weights.

    Raises:
        ModelUnavailableError: a requested package or file is missing.
        ModelChecksumError: a file is damaged, or another one than expected.
    """
    return _find_files(settings.speech, settings.run)


@functools.lru_cache(maxsize=1)
def _find_files(speech: SpeechSettings, run: RunSettings) -> SpeechFiles:
    voice_activity, mesh = locate_voice_activity(), locate_face_mesh()
    if speech.speech_model == "movement":
        return SpeechFiles(voice_activity, mesh, {})
    folders = weights_folders(run)
    try:
        found = locate_speech_weights(
            explicit=run.speech_weights,
            folders=folders,
            download_to=folders[0] if folders and not run.offline else None,
        )
    except ModelUnavailableError as error:
        if speech.speech_model == "lr-asd" or run.speech_weights:
            raise
        logger.warning("speakers are found by mouth movement instead of LR-ASD: %s", error.message)
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
