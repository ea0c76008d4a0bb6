"""Uploads: the two buffers take turns, and none is written again before the copy from it is done."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.models.inference import upload as upload_module
from core.models.inference.upload import Upload
from core.types import ByteArray

CPU = torch.device("cpu")


class Copying:
    """Events of a device that reads the buffers only when it is waited for, as late as a GPU may."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log: list[str] = []
        self._events = 0
        self._begun: list[tuple[torch.Tensor, torch.Tensor]] = []
        copy = torch.Tensor.copy_
        self._copy = copy

        def begin(target: torch.Tensor, source: torch.Tensor, *, non_blocking: bool) -> torch.Tensor:
            assert non_blocking
            self._begun.append((target, source))
            return target

        monkeypatch.setattr(torch.Tensor, "copy_", begin)

    def event(self) -> _Event:
        self._events += 1
        return _Event(self, str(self._events))

    def take(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        begun, self._begun = self._begun, []
        return begun

    def finish(self, copies: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
        for target, source in copies:
            self._copy(target, source)


class _Event:
    def __init__(self, device: Copying, name: str) -> None:
        self.device, self.name = device, name
        self.waiting: list[tuple[torch.Tensor, torch.Tensor]] = []

    def record(self) -> None:
        self.device.log.append(f"copy {self.name}")
        self.waiting = self.device.take()
        assert len(self.waiting) == 1

    def synchronize(self) -> None:
        self.device.log.append(f"wait {self.name}")
        self.device.finish(self.waiting)
        self.waiting = []


def noise(*shape: int) -> ByteArray:
    return np.random.RandomState(sum(shape)).randint(0, 256, shape, np.uint8)


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.int64])
def test_uploads_are_copies_of_any_type_and_layout(kind: type[np.generic]) -> None:
    upload = Upload(CPU)
    first = noise(4, 6, 5, 3).astype(kind)
    there = [upload(part) for part in (first[:, ::-1], [row[::2] for row in first], first[:1])]
    assert np.array_equal(there[0].numpy(), first[:, ::-1]), "a buffer was used again"
    assert np.array_equal(there[1].numpy(), first[:, ::2])
    assert np.array_equal(there[2].numpy(), first[:1])
    assert all(tensor.numpy().dtype == kind for tensor in there)


@pytest.mark.parametrize("chunk_bytes", [1, 8 * 8 * 3, 3 * 8 * 8 * 3, 1 << 20])
def test_chunks_of_any_size_are_put_together(chunk_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_module, "CHUNK_BYTES", chunk_bytes)
    upload = Upload(CPU)
    for count in (1, 2, 7, 3):
        assert np.array_equal(upload(noise(count, 8, 8, 3)).numpy(), noise(count, 8, 8, 3))


def test_the_buffers_take_turns_and_wait_for_their_own_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_module, "CHUNK_BYTES", 2 * 8 * 8 * 3)
    device = Copying(monkeypatch)
    upload = Upload(CPU, make_event=device.event)
    many = noise(5, 8, 8, 3)
    there = upload(many)
    assert device.log == ["wait 1", "copy 1", "wait 2", "copy 2", "wait 1", "copy 1"]
    # The copy from the second buffer is still to be made, and so is the third.
    one = upload(many[:1])
    assert device.log[6:] == ["wait 2", "copy 2"]
    upload(many[:1])
    upload(many[:1])
    assert np.array_equal(there.numpy(), many), "a buffer was written while it was being copied"
    assert np.array_equal(one.numpy(), many[:1])


def test_a_buffer_that_has_to_grow_waits_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Copying(monkeypatch)
    upload = Upload(CPU, make_event=device.event)
    sizes = (1, 1, 4, 9, 2, 2, 1, 1)
    there = [upload(noise(count, 8, 8, 3)) for count in sizes]
    upload(noise(1, 8, 8, 3))
    upload(noise(1, 8, 8, 3))
    for count, tensor in zip(sizes, there, strict=True):
        assert np.array_equal(tensor.numpy(), noise(count, 8, 8, 3))


def test_the_buffers_are_used_again_and_grow_to_a_chunk_only(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 8 * 8 * 3
    monkeypatch.setattr(upload_module, "CHUNK_BYTES", 4 * size)
    upload = Upload(CPU)
    for _ in range(2):
        upload(noise(2, 8, 8, 3))
    memory = [buffer.memory.data_ptr() for buffer in upload.buffers]
    assert len(set(memory)) == 2
    for _ in range(2):
        upload(noise(1, 8, 8, 3))
    assert [buffer.memory.data_ptr() for buffer in upload.buffers] == memory
    upload(noise(90, 8, 8, 3))
    assert [buffer.memory.numel() for buffer in upload.buffers] == [4 * size, 4 * size]
    upload(noise(1, 30, 30, 3))
    assert max(buffer.memory.numel() for buffer in upload.buffers) == 30 * 30 * 3, "an array is one chunk at least"


@pytest.mark.gpu
def test_a_gpu_gets_what_was_sent() -> None:
    upload = Upload(torch.device("cuda:0"))
    many = [noise(count, 720, 1280, 3) for count in (3, 1, 2)]
    there = [upload(images) for images in many]
    assert all(np.array_equal(tensor.cpu().numpy(), images) for tensor, images in zip(there, many, strict=True))
