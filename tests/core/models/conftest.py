from pathlib import Path

import pytest

from core.models.installed_files import INSTALL, installed_file, is_installed
from core.models.model_spec import MODELS
from tests.conftest import MISSING_TOOL
from tests.speech_models import face_mesh, speech_weights, voice_activity

__all__ = ["face_mesh", "facenet_graph", "speech_weights", "voice_activity"]


@pytest.fixture(scope="session")
def facenet_graph() -> Path:
    """The graph with InceptionResnetV1's weights for CASIA-WebFace."""
    entry = MODELS["facenet-casia"].weights
    if not is_installed(entry):
        pytest.skip(f"{MISSING_TOOL}{entry.package} ({INSTALL})")
    return installed_file(entry)
