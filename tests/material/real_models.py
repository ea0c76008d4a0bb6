"""The real networks for tests, loaded once a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import AnalysisSettings, RunSettings, Settings
from core.model_manager import ModelManager
from core.models.nets import converted
from core.models.weights import locate


@pytest.fixture(scope="session")
def models_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cache folder of the session: the networks are converted into it once, by the first who needs them.

    Not the user's cache: nets converted by an older version of the program would hide a mistake.
    """
    return tmp_path_factory.getbasetemp() / "models"


@pytest.fixture(scope="session")
def net_files(models_cache: Path) -> dict[str, Path]:
    """The networks in OpenVINO's form, but for FaceNet, whose weights are not on every machine."""
    kinds = ("pnet", "rnet", "onet", "dlib")
    return converted(kinds, {kind: locate(kind) for kind in kinds}, models_cache)


@pytest.fixture(scope="session")
def model_settings(models_cache: Path) -> Settings:
    """On the CPU, without a network, faces recognised by the model that always is there."""
    return Settings(
        analysis=AnalysisSettings(device="cpu", embedder="dlib"),
        run=RunSettings(cache_dir=str(models_cache), offline=True),
    )


@pytest.fixture(scope="session")
def models(model_settings: Settings, net_files: dict[str, Path]) -> ModelManager:
    """What a run with `model_settings` would use."""
    assert net_files  # one conversion of all takes half the time of two
    return ModelManager(model_settings)
