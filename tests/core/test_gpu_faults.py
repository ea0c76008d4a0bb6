"""A GPU that does not work: the CPU takes its place, with one warning. Faults are simulated on the CPU."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from config import AnalysisSettings, Settings
from core.errors import DeadDeviceError, GPUMemoryError, ModelError
from core.model_manager import ModelManager
from core.models.inference import torch_runtime
from core.models.inference.nets import OpenVINONet
from core.models.inference.pending_net import PendingNet
from core.models.inference.torch_runtime import DeviceImages, TorchNet
from core.models.networks import weights
from core.types import ByteArray

NO_KERNEL = RuntimeError("CUDA error: no kernel image is available for execution on the device\nCompile with ...")
FULL = GPUMemoryError("out of GPU memory with the network")
DEAD = DeadDeviceError("the GPU failed: unspecified launch failure")
CHIPS = np.zeros((3, 150, 150, 3), np.uint8)

Fault = Callable[..., Any]


@pytest.fixture(autouse=True)
def _a_gpu(cpu_as_gpu: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "core")


@pytest.fixture
def settings(model_settings: Settings) -> Callable[[str], Settings]:
    def make(device: str) -> Settings:
        analysis = msgspec.convert({"device": device, "embedder": "dlib"}, AnalysisSettings)
        return msgspec.structs.replace(model_settings, analysis=analysis)

    return make


def failing(error: Exception) -> Fault:
    def fail(*args: object, **kwargs: object) -> Any:
        raise error

    return fail


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


def image(portraits: dict[str, ByteArray]) -> ByteArray:
    return next(iter(portraits.values()))


def assert_on_the_cpu(manager: ModelManager, caplog: pytest.LogCaptureFixture, reason: str) -> None:
    assert manager.device == "cpu" and manager.backend == "OpenVINO"
    assert manager.describe()["device"] == "cpu"
    assert reason in manager.device_line and "\n" not in manager.device_line
    (warning,) = warnings(caplog)
    assert "so the CPU is used" in warning and reason in warning and "\n" not in warning


def runs_on(model: Any, kind: type) -> bool:
    """Whether the model's network is of that kind."""
    model = getattr(model, "_model", model)
    net = (model._net if hasattr(model, "_net") else model._rnet)._net
    return isinstance(net.compiled.get() if isinstance(net, PendingNet) else net, kind)


@pytest.mark.slow
def test_a_gpu_that_works_is_used(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    manager = ModelManager(settings("auto"))
    assert manager.device == "cpu:0" and manager.backend == "torch"
    assert runs_on(manager.detector, TorchNet) and runs_on(manager.embedder, TorchNet)
    assert not warnings(caplog)


@pytest.mark.parametrize("error", [NO_KERNEL, RuntimeError("CUDA error: out of memory")], ids=str)
def test_a_trial_decides(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    monkeypatch.setattr(torch_runtime, "try_device", failing(error))
    manager = ModelManager(settings("auto"))
    assert runs_on(manager.detector, OpenVINONet) and runs_on(manager.embedder, OpenVINONet)
    assert_on_the_cpu(manager, caplog, str(error).splitlines()[0])
    caplog.clear()
    with pytest.raises(ModelError, match="does not work") as demanded:
        ModelManager(settings("cuda"))
    assert demanded.value.hint == "--device cpu" and not isinstance(demanded.value, GPUMemoryError)
    assert not warnings(caplog)


@pytest.mark.parametrize("error", [NO_KERNEL, FULL, DEAD], ids=str)
def test_what_fails_while_it_is_loaded_is_loaded_on_the_cpu(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    manager = ModelManager(settings("auto"))
    assert runs_on(manager.detector, TorchNet)
    monkeypatch.setattr(torch_runtime, "TorchNet", failing(error))
    assert runs_on(manager.embedder, OpenVINONet)
    assert runs_on(manager.detector, OpenVINONet), "what is asked for next is on the CPU too"
    assert_on_the_cpu(manager, caplog, str(error).splitlines()[0])


@pytest.mark.parametrize("error", [NO_KERNEL, FULL, DEAD], ids=str)
def test_where_a_gpu_is_demanded_that_is_a_missing_model(
    settings: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    manager = ModelManager(settings("cuda"))
    monkeypatch.setattr(torch_runtime, "TorchNet", failing(error))
    with pytest.raises(ModelError, match="the GPU does not work") as demanded:
        _ = manager.detector
    assert not isinstance(demanded.value, GPUMemoryError), "that would only be this video's failure"


@pytest.mark.slow
@pytest.mark.parametrize("error", [NO_KERNEL, FULL], ids=str)
def test_in_the_middle_of_a_video_the_cpu_continues(
    settings: Any,
    models: ModelManager,
    portraits: dict[str, ByteArray],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    manager = ModelManager(settings("auto"))
    detector, embedder = manager.detector, manager.embedder
    wanted = models.detector.detect([image(portraits)], 40)[0]
    assert len(detector.detect([image(portraits)], 40)[0]) == len(wanted)
    monkeypatch.setattr(DeviceImages, "__init__", failing(error))
    monkeypatch.setattr(TorchNet, "__call__", failing(error))
    found = detector.detect([image(portraits)], 40)[0]
    assert np.array_equal(found.boxes, wanted.boxes), "the same image was looked at again"
    assert np.array_equal(embedder.embed(CHIPS), models.embedder.embed(CHIPS))
    assert (embedder.name, embedder.side) == ("dlib", 150)
    refined = detector.refine(image(portraits), wanted.boxes)
    assert np.array_equal(refined.boxes, models.detector.refine(image(portraits), wanted.boxes).boxes)
    assert runs_on(manager.detector, OpenVINONet)
    assert_on_the_cpu(manager, caplog, str(error).splitlines()[0])


@pytest.mark.slow
def test_a_gpu_that_is_demanded_is_not_left_in_the_middle(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = ModelManager(settings("cuda")).embedder
    monkeypatch.setattr(TorchNet, "__call__", failing(FULL))
    with pytest.raises(GPUMemoryError):
        embedder.embed(CHIPS)


@pytest.mark.slow
@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_a_dead_device_ends_the_worker(settings: Any, monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    manager = ModelManager(settings(device))
    embedder = manager.embedder
    monkeypatch.setattr(TorchNet, "__call__", failing(DEAD))
    for _ in range(2):
        with pytest.raises(DeadDeviceError):
            embedder.embed(CHIPS)
    assert manager.device == "cpu:0"


@pytest.mark.slow
def test_an_error_that_the_cpu_makes_too_is_not_hidden(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = ModelManager(settings("auto")).embedder
    monkeypatch.setattr(TorchNet, "__call__", failing(RuntimeError("a bug")))
    monkeypatch.setattr(OpenVINONet, "__call__", failing(RuntimeError("a bug")))
    for _ in range(2):
        with pytest.raises(RuntimeError, match="a bug"):
            embedder.embed(CHIPS)


def test_missing_weights_are_no_fault_of_the_gpu(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = ModelManager(settings("auto"))
    monkeypatch.setattr(weights, "locate", failing(ModelError("not here")))
    with pytest.raises(ModelError, match="not here"):
        _ = manager.detector
    assert manager.device == "cpu:0"
