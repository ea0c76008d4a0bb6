"""The settings of the benchmarks that look for faces themselves."""

from __future__ import annotations

from typing import Any

from config import Settings
from core.settings_file import load_settings


def offline_settings(cache_dir: str, **analysis: Any) -> Settings:
    """The defaults, without downloads. cache_dir: "" for the user's. analysis: settings of that section."""
    return load_settings(None, {"run": {"offline": True, "cache_dir": cache_dir}, "analysis": analysis})
