"""Batches when memory is short, the conversion's faults, and that both backends compute the same."""

from __future__ import annotations

import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import GPUMemoryError, ModelError
from core.nets import OpenVINONet, TorchNet, converted, in_batches
from core.types import FloatArray
from core.weights import locate

SIDES = {"pnet": 64, "rnet": 24, "onet": 48, "dlib": 150}


def some_pictures(count: int, side: int = 2) -> FloatArray:
    return np.random.RandomState(count).randint(0, 256, (count, side, side, 3)).astype(np.float32)


class Memory:
    """A net with room for `room` pictures at a time; notes the batches it was given."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.batches: list[int] = []

    def __call__(self, pictures: FloatArray) -> tuple[FloatArray, ...]:
        self.batches.append(len(pictures))
        if len(pictures) > self.room:
            raise GPUMemoryError("full")
        return pictures.sum((1, 2, 3))[:, None], pictures[:, 0, 0]


@pytest.mark.parametrize("size", [1, 3, 10, 64])
def test_batches_give_what_one_call_gives(size: int) -> None:
    many, net = some_pictures(10), Memory(10**6)
    whole = net(many)
    in_parts = in_batches(net, many, size)
    assert len(in_parts) == 2
    assert all(np.array_equal(a, b) for a, b in zip(in_parts, whole, strict=True))
    assert max(net.batches[1:]) <= size and sum(net.batches[1:]) == 10


@pytest.mark.parametrize("room", [1, 2, 3, 7])
def test_short_memory_halves_the_batch_and_changes_nothing(room: int, caplog: pytest.LogCaptureFixture) -> None:
    many, net = some_pictures(13), Memory(room)
    result = in_batches(net, many, 8)
    assert all(np.array_equal(a, b) for a, b in zip(result, Memory(99)(many), strict=True))
    assert sum(n for n in net.batches if n <= room) == 13
    assert "memory is short" in caplog.text


def test_memory_that_runs_out_half_way_loses_no_picture() -> None:
    class Shrinking(Memory):
        def __call__(self, pictures: FloatArray) -> tuple[FloatArray, ...]:
            self.room = 8 if len(self.batches) < 2 else 2
            return super().__call__(pictures)

    many = some_pictures(30)
    result = in_batches(Shrinking(8), many, 8)
    assert all(np.array_equal(a, b) for a, b in zip(result, Memory(99)(many), strict=True))


def test_not_even_one_picture_fits() -> None:
    net = Memory(0)
    with pytest.raises(GPUMemoryError):
        in_batches(net, some_pictures(4), 4)
    assert net.batches == [4, 2, 1]


def test_the_same_batch_is_not_tried_twice() -> None:
    net = Memory(2)
    in_batches(net, some_pictures(5), 1024)
    assert net.batches[0] == 5 and net.batches.count(5) == 1


def test_torch_out_of_memory_is_our_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from core import torch_nets

    class Full(torch.nn.Module):  # type: ignore[misc]
        def forward(self, batch: Any) -> Any:
            if len(batch) > 2:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory")
            return batch.mean((1, 2)), batch[:, 0, 0]

    def build(kind: str, weights: Path) -> Any:
        return Full()

    monkeypatch.setattr(torch_nets, "build", build)
    net = TorchNet("pnet", Path("unused"), "cpu")
    with pytest.raises(GPUMemoryError, match="batch of 3"):
        net(some_pictures(3))
    means, corners = in_batches(net, some_pictures(5), 5)
    assert np.allclose(means, some_pictures(5).mean((1, 2)), atol=1e-3)
    assert np.array_equal(corners, some_pictures(5)[:, 0, 0])


@pytest.mark.parametrize("kind", sorted(SIDES))
def test_openvino_and_torch_compute_the_same(kind: str, net_files: dict[str, Path]) -> None:
    batch = some_pictures(3, SIDES[kind])
    here, there = OpenVINONet(net_files[kind], threads=1)(batch), TorchNet(kind, locate(kind), "cpu")(batch)
    assert len(here) == len(there) == {"pnet": 2, "rnet": 2, "onet": 3, "dlib": 1}[kind]
    for a, b in zip(here, there, strict=True):
        assert a.dtype == b.dtype == np.float32 and a.shape == b.shape and len(a) == 3
        assert np.allclose(a, b, atol=1e-3)


def test_an_earlier_result_survives_the_next_call(net_files: dict[str, Path]) -> None:
    net = OpenVINONet(net_files["rnet"], threads=1)
    first = net(some_pictures(3, 24))
    kept = [part.copy() for part in first]
    net(255 - some_pictures(3, 24))
    assert all(np.array_equal(a, b) for a, b in zip(first, kept, strict=True))


def test_batches_of_any_size_are_taken(net_files: dict[str, Path]) -> None:
    net = OpenVINONet(net_files["rnet"], threads=1)
    many = some_pictures(9, 24)
    whole = net(many)
    for part in (slice(0, 1), slice(2, 9), slice(0, 9)):
        assert all(np.allclose(a[part], b, atol=1e-5) for a, b in zip(whole, net(many[part]), strict=True))


def test_pictures_of_any_layout_are_taken(net_files: dict[str, Path]) -> None:
    net = OpenVINONet(net_files["rnet"], threads=1)
    many = some_pictures(9, 24)
    for view in (many[::2], many[:, ::-1], many[..., ::-1]):
        wanted = net(np.ascontiguousarray(view).copy())
        assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(net(view), wanted, strict=True))


Child = Callable[[list[str]], "subprocess.CompletedProcess[bytes]"]


def children(monkeypatch: pytest.MonkeyPatch, behaviour: Child) -> list[list[str]]:
    """Replace the converting process; the calls, as (kind, weights, target) three by three."""
    calls: list[list[str]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        assert options["timeout"] > 0 and not options.get("shell")
        calls.append(command[3:])
        return behaviour(command[3:])

    monkeypatch.setattr(subprocess, "run", run)
    return calls


def converting(arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    for target in arguments[2::3]:
        Path(target).write_text("net")
        Path(target).with_suffix(".bin").write_bytes(b"numbers")
    return subprocess.CompletedProcess([], 0, b"", b"")


def failing(arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    Path(arguments[2]).write_text("half a net")
    return subprocess.CompletedProcess([], 1, b"", b"Traceback ...\nRuntimeError: \xff no such layer\n")


def never_ending(arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    Path(arguments[2]).with_suffix(".bin").write_text("half a net")
    raise subprocess.TimeoutExpired("python", 300)


FILES = {kind: Path(f"{kind}.pt") for kind in SIDES}


def test_each_net_is_converted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = children(monkeypatch, converting)
    first = converted(["rnet"], FILES, tmp_path)
    all_three = converted(["pnet", "rnet", "onet"], FILES, tmp_path)
    assert converted(["pnet", "rnet", "onet"], FILES, tmp_path) == all_three
    assert [call[::3] for call in calls] == [["rnet"], ["pnet", "onet"]]
    assert all_three["rnet"] == first["rnet"]
    kept = sorted(p.suffix for p in (tmp_path / "openvino").iterdir())
    assert kept == [".bin"] * 3 + [".xml"] * 3


def test_a_net_without_its_numbers_is_converted_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = children(monkeypatch, converting)
    converted(["rnet"], FILES, tmp_path)["rnet"].with_suffix(".bin").unlink()
    assert converted(["rnet"], FILES, tmp_path)["rnet"].with_suffix(".bin").is_file()
    assert len(calls) == 2


@pytest.mark.parametrize(("behaviour", "reason"), [(failing, "no such layer"), (never_ending, "timed out")])
def test_a_failed_conversion_is_our_error_and_leaves_nothing(
    behaviour: Child, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    children(monkeypatch, behaviour)
    with pytest.raises(ModelError, match=reason):
        converted(["rnet"], FILES, tmp_path)
    assert list((tmp_path / "openvino").iterdir()) == []


def test_a_cache_folder_that_cannot_be_made_is_our_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError):
        converted(["rnet"], FILES, tmp_path / "file")


def test_a_damaged_converted_net_is_our_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children(monkeypatch, converting)
    path = converted(["rnet"], FILES, tmp_path)["rnet"]
    with pytest.raises(ModelError):
        OpenVINONet(path, threads=1)


class Trap:
    """Unpickling it creates a file."""

    def __init__(self, evidence: Path) -> None:
        self.evidence = evidence

    def __reduce__(self) -> Any:
        return Path.touch, (self.evidence,)


def test_weights_cannot_run_code(tmp_path: Path) -> None:
    import torch

    from core import torch_nets

    evidence, crafted = tmp_path / "evidence", tmp_path / "crafted.pt"
    torch.save({"conv1.weight": Trap(evidence)}, crafted)
    with pytest.raises(pickle.UnpicklingError):
        torch_nets.build("pnet", crafted)
    assert not evidence.exists()
    torch.load(crafted, weights_only=False)
    assert evidence.exists(), "the trap itself does not work"
