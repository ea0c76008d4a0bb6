"""Fixtures of the benchmarks: the floors are those of the embedder that a user's run takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import AnalysisSettings, RunSettings, Settings
from tests.material.real_models import models, models_cache, net_files

__all__ = ["models", "models_cache", "net_files"]


@pytest.fixture(scope="session")
def model_settings(models_cache: Path) -> Settings:
    """On the CPU, offline, otherwise as a run without options."""
    return Settings(
        analysis=AnalysisSettings(device="cpu"),
        run=RunSettings(cache_dir=str(models_cache), offline=True),
    )
