"""Networks are compiled while nobody needs them yet; what is wrong with them is told to whoever calls them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from config import Settings
from core.errors import ModelDamagedError
from core.models.inference import net_loader
from core.models.inference.net_loader import NetLoader
from core.types import FloatArray

IMAGES = np.zeros((3, 24, 24, 3), np.float32)


class Compiled:
    """A network whose only output is the number of its threads; the file "damaged" cannot be read."""

    def __init__(self, model_file: Path, *, threads: int) -> None:
        if model_file.name == "damaged":
            raise ModelDamagedError("damaged and removed", path=model_file)
        self.threads = threads

    def __call__(self, images: FloatArray) -> tuple[FloatArray, ...]:
        return (np.full((len(images), 1), self.threads, np.float32),)


@pytest.fixture
def loader(monkeypatch: pytest.MonkeyPatch) -> NetLoader:
    monkeypatch.setattr(net_loader, "OpenVINONet", Compiled)
    monkeypatch.setattr(net_loader, "openvino_core", lambda: None)
    monkeypatch.setattr(NetLoader, "weights_files", lambda self, kinds: {kind: Path(kind) for kind in kinds})
    return NetLoader(Settings())


def use_files(monkeypatch: pytest.MonkeyPatch, *names: str) -> list[str]:
    """Each conversion gives the next of these files; returns the kinds that were converted, as that happens."""
    files, kinds_of_calls = iter(names), list[str]()

    def convert(kinds: Sequence[str], weights: dict[str, Path], cache_dir: Path) -> dict[str, Path]:
        kinds_of_calls.append(" ".join(kinds))
        return dict.fromkeys(kinds, Path(next(files)))

    monkeypatch.setattr(net_loader, "converted", convert)
    return kinds_of_calls


def test_a_network_answers_as_soon_as_it_is_called(loader: NetLoader, monkeypatch: pytest.MonkeyPatch) -> None:
    use_files(monkeypatch, "intact")
    (net,) = loader.with_openvino(["sface"])
    assert len(net(IMAGES)[0]) == len(IMAGES)


def test_networks_are_compiled_ahead_in_the_order_of_the_requests(
    loader: NetLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_files(monkeypatch, "first", "second")
    asked: list[str] = []
    done = threading.Event()

    class Noted(Compiled):
        def __init__(self, model_file: Path, *, threads: int) -> None:
            super().__init__(model_file, threads=threads)
            asked.append(model_file.name)
            if len(asked) == 2:
                done.set()

    monkeypatch.setattr(net_loader, "OpenVINONet", Noted)
    nets = [*loader.with_openvino(["sface"]), *loader.with_openvino(["facenet"])]
    assert not asked
    loader.compile_ahead()
    assert done.wait(10)
    loader.compile_ahead()
    assert [len(net(IMAGES)[0]) for net in nets] == [3, 3] and asked == ["first", "second"]


def test_a_damaged_network_is_converted_again(
    loader: NetLoader, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    converted = use_files(monkeypatch, "damaged", "intact")
    with caplog.at_level(logging.WARNING):
        (net,) = loader.with_openvino(["sface"])
        assert len(net(IMAGES)[0]) == len(IMAGES)
    assert len(converted) == 2 and "damaged and removed" in caplog.text


def test_one_that_stays_damaged_is_told_to_the_caller(loader: NetLoader, monkeypatch: pytest.MonkeyPatch) -> None:
    use_files(monkeypatch, *["damaged"] * 9)
    (net,) = loader.with_openvino(["sface"])
    with pytest.raises(ModelDamagedError, match="damaged and removed"):
        net(IMAGES)
