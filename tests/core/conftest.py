"""Fixtures of the core: the networks by themselves, with an embedder whose weights are always installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import AnalysisSettings, RunSettings, Settings
from tests.material.gpu_stand_ins import cpu_as_gpu, fake_nvdec
from tests.material.real_models import facenet_graph, models, models_cache, net_files, sface_graph

__all__ = ["cpu_as_gpu", "facenet_graph", "fake_nvdec", "models", "models_cache", "net_files", "sface_graph"]


@pytest.fixture(scope="session")
def model_settings(models_cache: Path) -> Settings:
    """On the CPU, offline, with dlib's network."""
    return Settings(
        analysis=AnalysisSettings(device="cpu", embedder="dlib"),
        run=RunSettings(cache_dir=str(models_cache), offline=True),
    )
