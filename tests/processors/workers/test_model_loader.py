"""Loading the models of a run; what is missing is said before the first video."""

from __future__ import annotations

import importlib.util
import sys
from types import SimpleNamespace
from typing import Any

import pytest

import core.model_manager
from config import ClipSettings, OutputSettings, Settings
from core.errors import ModelError, ModelUnavailableError, ToolMissingError
from processors.workers import model_loader
from processors.workers.model_loader import load_models


@pytest.mark.parametrize(
    ("error", "kind", "expected"),
    [
        (ImportError("No module named 'dlib'"), ModelError, "a package is missing or broken: No module named 'dlib'"),
        (RuntimeError("operator torchvision::nms does not exist"), ModelError, "must be of matching releases"),
        (OSError("libfoo.so: cannot open"), ModelError, "libfoo.so"),
        (ModelUnavailableError("no weights", hint="--embedder dlib"), ModelUnavailableError, "no weights"),
    ],
)
def test_models_that_cannot_be_loaded_are_a_model_error(monkeypatch, error, kind, expected):
    def broken(settings):
        raise error

    monkeypatch.setattr(model_loader, "choose_encoder", lambda *_: "libx264")
    monkeypatch.setattr(core.model_manager.ModelManager, "instance", broken)
    with pytest.raises(kind, match=expected):
        load_models(Settings())


def test_what_the_analysis_imports_is_known_to_be_there_before_it_begins(monkeypatch):
    monkeypatch.setattr(model_loader, "choose_encoder", lambda *_: "libx264")
    manager: Any = SimpleNamespace(device_line="", detector=None, embedder=None)
    monkeypatch.setattr(core.model_manager.ModelManager, "instance", lambda settings: manager)
    assert load_models(Settings()) is manager
    monkeypatch.setitem(sys.modules, "processors.face_analyzer", None)  # as if it could not be imported
    with pytest.raises(ModelError, match=r"missing or broken.*face_analyzer"):
        load_models(Settings())


@pytest.mark.parametrize(
    ("version", "advice"), [((3, 13), "pip install opentimelineio"), ((3, 14), r"no release for Python 3\.14")]
)
def test_a_missing_package_of_an_export_is_known_before_models_are_loaded(monkeypatch, version, advice):
    monkeypatch.setitem(sys.modules, "opentimelineio", None)  # as if it were not installed
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(ToolMissingError, match=f"--export otio needs the package opentimelineio.*{advice}"):
        load_models(Settings(output=OutputSettings(export=("otio",))))


def test_a_missing_encoder_is_known_before_models_are_loaded(monkeypatch):
    tried = []

    def missing(*size) -> str:
        tried.append(size)
        raise ToolMissingError("no ffmpeg")

    def never(settings):
        raise AssertionError("models were loaded")

    monkeypatch.setattr(model_loader, "choose_encoder", missing)
    monkeypatch.setattr(core.model_manager.ModelManager, "instance", never)
    for clip in (ClipSettings(), ClipSettings(size="source", aspect="16:9")):
        with pytest.raises(ToolMissingError):
            load_models(Settings(clip=clip))
    assert tried == [("auto", 512, 512), ("auto", 1920, 1080)]
