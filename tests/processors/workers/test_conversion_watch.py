"""What is said while networks are converted."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from config import Settings
from core.models.networks.model_spec import MODELS
from core.settings_file import load_settings
from processors.workers import conversion_watch
from processors.workers.conversion_watch import watch_conversion
from utils.console.stage_monitor import StageMonitor


class Noting(StageMonitor):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, float, float]] = []
        self.changed = threading.Event()

    def update(self, stage: str, done: float, total: float) -> None:
        if self.told and self.told[-1] != (stage, done, total):
            self.changed.set()
        self.told.append((stage, done, total))


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(conversion_watch, "why_no_gpu", lambda: "no driver")
    monkeypatch.setattr(conversion_watch, "_POLL_S", 0.01)
    return load_settings(None, {"analysis": {"embedder": "dlib"}, "run": {"cache_dir": str(tmp_path)}})


def put(folder: Path, kind: str, prefix: str = "", suffix: str = ".xml") -> None:
    (folder / "openvino").mkdir(exist_ok=True)
    (folder / "openvino" / f"{prefix}{kind}-{MODELS[kind].weights.sha256[:16]}-ov1-c2{suffix}").touch()


def test_the_networks_are_counted_as_they_are_written(tmp_path, settings):
    put(tmp_path, "pnet", suffix=".bin")
    monitor = Noting()
    with watch_conversion(settings, monitor):
        assert monitor.told == [("convert", 0, 4)], "one is there already"
        put(tmp_path, "rnet", prefix=".partial-7-")
        assert monitor.changed.wait(10)
        assert monitor.told[-1] == ("convert", 1, 4)
    assert monitor.told[-1] == ("convert", 4, 4)


def test_nothing_is_said_where_nothing_has_to_be_converted(tmp_path, settings, monkeypatch):
    monitor = Noting()
    for kind in ("pnet", "rnet", "onet", "mmod", "dlib"):
        put(tmp_path, kind, suffix=".bin")
    with watch_conversion(settings, monitor):
        pass
    monkeypatch.setattr(conversion_watch, "why_no_gpu", lambda: "")
    with watch_conversion(load_settings(None, {"run": {"cache_dir": str(tmp_path / "new")}}), monitor):
        pass
    assert monitor.told == []
