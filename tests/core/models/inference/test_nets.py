"""Both backends compute the same, and failures of the conversion are reported."""

from __future__ import annotations

import pickle
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import ModelError
from core.lease import LeaseTaker
from core.models.inference import nets
from core.models.inference.batch_sizes import BATCH_SIZES
from core.models.inference.nets import OpenVINONet, converted
from core.models.inference.torch_runtime import TorchNet
from core.models.networks.weights import locate
from core.types import FloatArray
from tests.material.small_disk import no_file_above

SIDES = {"pnet": 64, "rnet": 24, "onet": 48, "dlib": 150, "mmod": 200}


def some_images(count: int, side: int = 2) -> FloatArray:
    return np.random.RandomState(count).randint(0, 256, (count, side, side, 3)).astype(np.float32)


@pytest.mark.parametrize("kind", sorted(SIDES))
def test_openvino_and_torch_compute_the_same(kind: str, net_files: dict[str, Path]) -> None:
    batch = some_images(3, SIDES[kind])
    here, there = OpenVINONet(net_files[kind], threads=1)(batch), TorchNet(kind, locate(kind), "cpu")(batch)
    assert len(here) == len(there) == {"pnet": 2, "rnet": 2, "onet": 3, "dlib": 1, "mmod": 1}[kind]
    for a, b in zip(here, there, strict=True):
        assert a.dtype == b.dtype == np.float32 and a.shape == b.shape and len(a) == 3
        assert np.allclose(a, b, atol=1e-3)


def test_an_earlier_result_survives_the_next_call(net_files: dict[str, Path]) -> None:
    net = OpenVINONet(net_files["rnet"], threads=1)
    first = net(some_images(3, 24))
    kept = [part.copy() for part in first]
    net(255 - some_images(3, 24))
    assert all(np.array_equal(a, b) for a, b in zip(first, kept, strict=True))


def test_batches_of_any_size_are_taken(net_files: dict[str, Path]) -> None:
    net = OpenVINONet(net_files["rnet"], threads=1)
    many = some_images(9, 24)
    whole = net(many)
    for part in (slice(0, 1), slice(2, 9), slice(0, 9)):
        assert all(np.allclose(a[part], b, atol=1e-5) for a, b in zip(whole, net(many[part]), strict=True))


def test_batches_are_padded_to_a_few_sizes(net_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []

    def counting(images: FloatArray) -> FloatArray:
        batch = filled_up(images)
        given.append(len(batch))
        return batch

    filled_up = nets.padded_batch
    monkeypatch.setattr(nets, "padded_batch", counting)
    net = OpenVINONet(net_files["rnet"], threads=1)
    many = some_images(150, 24)
    whole = net(many)
    for count in range(1, 150, 7):
        rows = net(many[:count])
        assert all(len(a) == count and np.allclose(a, b[:count], atol=1e-5) for a, b in zip(rows, whole, strict=True))
    assert len(set(given)) <= len(BATCH_SIZES)
    assert all(filled >= count for filled, count in zip(given[1:], range(1, 150, 7), strict=True))


def test_bytes_are_taken_like_floats(net_files: dict[str, Path]) -> None:
    net = OpenVINONet(net_files["rnet"], threads=1)
    many = some_images(5, 24)
    assert all(np.array_equal(a, b) for a, b in zip(net(many.astype(np.uint8)), net(many), strict=True))


def test_images_of_any_layout_are_taken(net_files: dict[str, Path]) -> None:
    net = OpenVINONet(net_files["rnet"], threads=1)
    many = some_images(9, 24)
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


def test_processes_that_share_a_cache_convert_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = children(monkeypatch, converting)
    done = converted(["rnet"], FILES, tmp_path)["rnet"]
    aside = [(path, path.rename(tmp_path / path.name)) for path in (done, done.with_suffix(".bin"))]
    other = LeaseTaker().take(done.parent / ".lease-conversion")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(converted, ["rnet"], FILES, tmp_path)
        with pytest.raises(TimeoutError):
            waiting.result(0.5)
        for path, kept in aside:
            kept.rename(path)
        other.release()
        assert waiting.result(20) == {"rnet": done}
    assert len(calls) == 1, "what the other process has made is not made again"


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


@pytest.mark.slow
def test_weights_cannot_run_code(tmp_path: Path) -> None:
    import torch

    from core.models.networks import torch_nets

    evidence, crafted = tmp_path / "evidence", tmp_path / "crafted.pt"
    torch.save({"conv1.weight": Trap(evidence)}, crafted)
    with pytest.raises(pickle.UnpicklingError):
        torch_nets.build("pnet", crafted)
    assert not evidence.exists()
    torch.load(crafted, weights_only=False)
    assert evidence.exists(), "the trap itself does not work"


def no_room(arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    Path(arguments[2]).write_text("half a net")
    return subprocess.CompletedProcess([], 1, b"", b"RuntimeError: basic_ios::clear: iostream error\n")


def killed(arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.CompletedProcess([], -9, b"", b"")


def test_a_conversion_without_disk_space_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children(monkeypatch, no_room)
    with no_file_above(100_000), pytest.raises(ModelError) as caught:
        converted(["rnet"], FILES, tmp_path)
    assert f"{tmp_path / 'openvino'} cannot be written: File too large" in caught.value.message
    assert caught.value.hint == "1 MB are needed; --cache-dir names another folder"
    assert list((tmp_path / "openvino").iterdir()) == []


def test_a_conversion_that_is_killed_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children(monkeypatch, killed)
    with pytest.raises(ModelError, match="killed by signal 9") as caught:
        converted(["rnet"], FILES, tmp_path)
    assert "memory" in caught.value.hint
