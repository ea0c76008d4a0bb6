"""NVDEC is chosen only if everything that can be known speaks for it; each reason against it is one line."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from core.media import decoder_choice, nvdec
from core.media.decoder_choice import choose_nvdec
from core.media.device_frame import DeviceFrame
from core.media.video_probe import probe_video
from core.types import ByteArray, VideoInfo
from tests.material.fake_nvdec import FakeNvdec
from tests.material.gpu_stand_ins import MakeNvdec
from tests.material.small_videos import make_video, quadrants


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> VideoInfo:
    return probe_video(make_video(tmp_path_factory.mktemp("nvdec") / "v.mp4", [quadrants(192, 128)] * 3))


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch, fake_nvdec: MakeNvdec, caplog: pytest.LogCaptureFixture) -> FakeNvdec:
    """A machine on which everything works."""
    caplog.set_level(logging.INFO, "core.media.decoder_choice")
    fake = fake_nvdec()
    monkeypatch.setattr(decoder_choice, "hwdevices_available", lambda: ["vaapi", "cuda"])
    monkeypatch.setattr(nvdec, "Nvdec", lambda device: fake)
    return fake


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == decoder_choice.__name__]


def test_where_the_gpu_works_it_decodes(gpu: FakeNvdec, info: VideoInfo, caplog: pytest.LogCaptureFixture) -> None:
    assert choose_nvdec(info, "cuda:0") is gpu
    assert lines(caplog) == []


def test_a_cpu_is_not_even_tried(gpu: FakeNvdec, info: VideoInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder_choice, "why_not_alike", lambda *given: pytest.fail("tried"))
    assert choose_nvdec(info, "cpu") is None


def inverted(right: Callable[..., tuple[ByteArray, ...]]) -> Callable[..., tuple[ByteArray, ...]]:
    def wrong(frame: DeviceFrame) -> tuple[ByteArray, ...]:
        y, u, v = right(frame)
        return 255 - y, u, v

    return wrong


def swapped(right: Callable[..., ByteArray]) -> Callable[..., ByteArray]:
    return lambda *given: np.ascontiguousarray(right(*given)[..., ::-1])


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*given: object, **named: object) -> Any:
        raise error

    return fail


BROKEN: dict[str, tuple[str, Callable[[pytest.MonkeyPatch], None]]] = {
    "old PyAV": ("PyAV 17.1.0 is too old", lambda patch: patch.setattr(av, "__version__", "17.1.0")),
    "no CUDA": ("no CUDA", lambda patch: patch.setattr(decoder_choice, "hwdevices_available", lambda: ["vaapi"])),
    "another image": (
        "another image",
        lambda patch: patch.setattr(DeviceFrame, "planes", inverted(DeviceFrame.planes)),
    ),
    "wrong colours": ("colours are wrong", lambda patch: patch.setattr(DeviceFrame, "rgb", swapped(DeviceFrame.rgb))),
    "no kernel": (
        "CUDA error: no kernel image",
        lambda patch: patch.setattr(DeviceFrame, "rgb", failing(RuntimeError("CUDA error: no kernel\n image"))),
    ),
    "no planes": (
        "DLPack export",
        lambda patch: patch.setattr(torch, "from_dlpack", failing(NotImplementedError("DLPack export is missing"))),
    ),
    "no driver": (
        "Operation not permitted",
        lambda patch: patch.setattr(FakeNvdec, "open", failing(av.error.PermissionError(1, "Operation not permitted"))),
    ),
}


@pytest.mark.parametrize("broken", list(BROKEN))
def test_what_does_not_work_is_said_in_one_line(
    gpu: FakeNvdec, info: VideoInfo, broken: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reason, damage = BROKEN[broken]
    damage(monkeypatch)
    assert choose_nvdec(info, "cuda:0") is None
    (line,) = lines(caplog)
    assert line.startswith("v.mp4: decoded in software: ") and reason in line and "\n" not in line


@pytest.mark.parametrize(
    ("options", "reason"),
    [(("-c:v", "ffv1"), "ffv1 does not use NVDEC"), (("-aspect", "2:1"), "need a filter")],
    ids=["codec", "wide pixels"],
)
def test_a_stream_that_is_not_for_nvdec_is_decoded_in_software(
    gpu: FakeNvdec, tmp_path: Path, options: tuple[str, ...], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = make_video(tmp_path / "v.mkv", [quadrants(96, 64)] * 3, *options)
    assert choose_nvdec(probe_video(path), "cuda:0") is None
    (line,) = lines(caplog)
    assert reason in line
