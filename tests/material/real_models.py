"""Fixtures for the real networks, loaded once per session."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from config import AnalysisSettings, RunSettings, Settings
from core.model_manager import ModelManager
from core.models.inference.nets import converted
from core.models.networks.installed_files import installed_file, is_installed
from core.models.networks.model_spec import ANALYSIS_NETS, MODELS
from core.models.networks.weights import locate


@pytest.fixture(scope="session")
def models_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cache folder of the session, into which the networks are converted when first needed.

    Not the user's cache: networks converted by an older version of the program would hide a bug. Test processes that
    run side by side share it.
    """
    folder = tmp_path_factory.getbasetemp()
    return (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "models"


@pytest.fixture(scope="session")
def net_files(models_cache: Path) -> dict[str, Path]:
    """The networks converted for OpenVINO, without FaceNet, whose weights are not on every machine."""
    kinds = (*ANALYSIS_NETS, "dlib", *(kind for kind in ("sface",) if is_installed(MODELS[kind].weights)))
    models_cache.mkdir(exist_ok=True)
    with FileLock(models_cache / "conversion.lock"):  # another test process waits instead of converting them too
        return converted(kinds, {kind: locate(kind) for kind in kinds}, models_cache)


@pytest.fixture(scope="session")
def facenet_graph() -> Path:
    """The graph with InceptionResnetV1's weights for CASIA-WebFace; its package is optional."""
    return _optional_file("facenet-casia")


@pytest.fixture(scope="session")
def sface_graph() -> Path:
    """OpenCV's file of SFace; its package is optional."""
    return _optional_file("sface")


def _optional_file(kind: str) -> Path:
    entry = MODELS[kind].weights
    if not is_installed(entry):
        pytest.skip(f"the package {entry.package} of requirements-models.txt is not installed")
    return installed_file(entry)


@pytest.fixture(scope="session")
def model_settings(models_cache: Path) -> Settings:
    """On the CPU, offline, otherwise as a run without options: what users get."""
    return Settings(
        analysis=AnalysisSettings(device="cpu"),
        run=RunSettings(cache_dir=str(models_cache), offline=True),
    )


@pytest.fixture(scope="session")
def models(model_settings: Settings, net_files: dict[str, Path]) -> ModelManager:
    """The models of a run with `model_settings`."""
    assert net_files  # converting all at once takes half the time of two conversions
    return ModelManager(model_settings)
