"""Fixtures of the benchmarks: the floors are those of the embedder that a user's run takes."""

from __future__ import annotations

from tests.material.real_models import model_settings, models, models_cache, net_files

__all__ = ["model_settings", "models", "models_cache", "net_files"]
