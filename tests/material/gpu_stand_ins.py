"""Fixtures for what needs a GPU; torch, which costs seconds, is only imported by tests that use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import av
import pytest

from core.media.decoder_choice import MIN_PYAV
from core.models.inference import inference_device

if TYPE_CHECKING:
    from tests.material.fake_nvdec import FakeNvdec

MakeNvdec = Callable[..., "FakeNvdec"]


@pytest.fixture
def cpu_as_gpu(monkeypatch: pytest.MonkeyPatch) -> str:
    """Has model managers take the CPU, under torch's other name for it, for a GPU that works; returns that name."""
    monkeypatch.setattr(inference_device, "why_no_gpu", lambda: "")
    monkeypatch.setattr(inference_device, "GPU_DEVICE", "cpu:0")
    return "cpu:0"


@pytest.fixture
def fake_nvdec(monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeNvdec]:
    """Makes one, with the arguments of `FakeNvdec` after the first."""
    if int(av.__version__.split(".")[0]) < MIN_PYAV:
        pytest.skip(f"PyAV {av.__version__} does not give its planes away")
    import torch

    from tests.material.fake_nvdec import FakeNvdec

    threads = torch.get_num_threads()
    # torch's threads wait for each other by spinning: on a busy machine a frame would take half a second.
    torch.set_num_threads(1)
    yield lambda *given: FakeNvdec(monkeypatch, *given)
    torch.set_num_threads(threads)
