"""A reader with NVDEC: its frames are on the device where they need no filter, and all are those of software."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from core.media import nvdec as nvdec_module
from core.media.decoder_choice import why_not_alike
from core.media.device_frame import DeviceFrame
from core.media.nvdec import Nvdec
from core.media.software_frame import SoftwareFrame
from core.media.video_frame import VideoFrame
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from core.models.inference.gpu_check import driver_finds_gpu
from tests.material.gpu_stand_ins import MakeNvdec
from tests.material.small_videos import gray_ramp, make_video, quadrants, run_ffmpeg


def read(path: Path, nvdec: Nvdec | None = None) -> tuple[list[VideoFrame], VideoReader]:
    with VideoReader(probe_video(path), threads=1, nvdec=nvdec) as reader:
        return list(reader.frames()), reader


def assert_same(there: list[VideoFrame], here: list[VideoFrame]) -> None:
    assert [(f.index, f.pts, f.width, f.height, f.placed) for f in there] == [
        (f.index, f.pts, f.width, f.height, f.placed) for f in here
    ]
    for mine, wanted in zip(there, here, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(mine.planes(), wanted.planes(), strict=True))


@pytest.mark.parametrize("colours", [(), ("-color_range", "pc", "-pix_fmt", "yuvj420p"), ("-colorspace", "bt709")])
def test_ordinary_frames_stay_on_the_device(tmp_path: Path, colours: tuple[str, ...], fake_nvdec: MakeNvdec) -> None:
    path = make_video(tmp_path / "v.mp4", [*gray_ramp(20, 96, 64), quadrants(96, 64)], "-bf", "2", *colours)
    here, software = read(path)
    there, reader = read(path, fake_nvdec())
    assert all(type(frame) is DeviceFrame for frame in there) and len(there) == 21
    assert_same(there, here)
    assert reader.statistics == software.statistics | {"device_frames": 21}
    assert np.abs(there[-1].rgb(96, 64).astype(int) - here[-1].rgb(96, 64)).mean() < 3


def test_ranges_are_read_as_by_software(tmp_path: Path, fake_nvdec: MakeNvdec) -> None:
    info = probe_video(make_video(tmp_path / "v.mp4", gray_ramp(25, 96, 64), "-g", "5"))
    with VideoReader(info) as software, VideoReader(info, nvdec=fake_nvdec()) as reader:
        for number in (12, 3, 20):
            bounds = [info.start_pts + round(n / info.frame_rate / info.time_base) for n in (number, number + 2)]
            there = list(reader.frames(*bounds))
            assert len(there) == 2
            assert_same(there, list(software.frames(*bounds)))


@pytest.mark.parametrize(
    "options",
    [
        ("-vf", "tinterlace=interleave_top", "-flags", "+ildct+ilme", "-c:v", "mpeg2video", "-q:v", "2"),
        ("-aspect", "2:1"),
        ("-vf", "crop=95:63:exact=1", "-c:v", "ffv1"),
        ("-x264-params", "transfer=smpte2084:colorprim=bt2020:colormatrix=bt2020nc"),
    ],
    ids=["interlaced", "wide pixels", "odd sides", "HDR"],
)
def test_frames_that_need_a_filter_are_fetched(tmp_path: Path, options: tuple[str, ...], fake_nvdec: MakeNvdec) -> None:
    path = make_video(tmp_path / "v.mkv", gray_ramp(12, 96, 64), *options)
    here, _ = read(path)
    there, reader = read(path, fake_nvdec())
    assert all(type(frame) is SoftwareFrame for frame in there) and len(there) > 4
    assert reader.device_frames == 0 and "device_frames" not in reader.statistics
    assert_same(there, here)


def test_only_the_frames_that_change_their_shape_are_fetched(tmp_path: Path, fake_nvdec: MakeNvdec) -> None:
    parts = [make_video(tmp_path / f"{width}.ts", gray_ramp(8, width, 64), "-g", "4") for width in (96, 64)]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    here, _ = read(path)
    there, reader = read(path, fake_nvdec())
    kinds = [type(frame) for frame in there]
    assert kinds == [DeviceFrame] * 8 + [SoftwareFrame] * 8
    assert reader.device_frames == 8 and reader.barred_frames == 8
    assert_same(there, here)


def test_ten_bits_are_read_as_eight(tmp_path: Path, fake_nvdec: MakeNvdec) -> None:
    path = tmp_path / "v.mkv"
    run_ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=96x64:rate=25:duration=0.4",
        "-c:v",
        "ffv1",
        "-pix_fmt",
        "yuv420p10le",
        str(path),
    )
    here, _ = read(path)
    there, _ = read(path, fake_nvdec("p010le"))
    assert all(type(frame) is DeviceFrame for frame in there) and len(there) == 10
    for mine, wanted in zip(there, here, strict=True):
        for a, b in zip(mine.planes(), wanted.planes(), strict=True):
            # swscale spreads the lost bits by dithering.
            assert np.abs(a.astype(int) - b).max() <= 1


def test_the_accelerator_shares_the_context_that_torch_has_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, Any]] = []
    path = make_video(tmp_path / "v.mp4", gray_ramp(3, 96, 64))

    class Accelerator:
        def __init__(self, kind: str, **options: Any) -> None:
            made.append(("accelerator", (kind, options)))

    def zeros(size: int, *, device: torch.device) -> None:
        made.append(("context", device))

    monkeypatch.setattr(nvdec_module, "HWAccel", Accelerator)
    monkeypatch.setattr(nvdec_module, "open_input", lambda *given, accelerator: made.append(("file", accelerator)))
    monkeypatch.setattr(torch, "zeros", zeros)
    Nvdec("cuda:1").open(path, "mov")
    assert [kind for kind, _ in made] == ["context", "accelerator", "file"]
    assert made[0][1] == torch.device("cuda:1")
    kind, options = made[1][1]
    assert kind == "cuda" and options["device"] == "1" and options["is_hw_owned"]
    assert options["options"] == {"primary_ctx": "0", "current_ctx": "1"}
    assert isinstance(made[2][1], Accelerator)


@pytest.mark.skipif(driver_finds_gpu(), reason="for machines without an NVIDIA GPU")
def test_a_machine_without_a_gpu_says_so_when_the_file_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyAV's real accelerator takes the arguments; what it needs then is a driver."""
    path = make_video(tmp_path / "v.mp4", gray_ramp(3, 96, 64))
    monkeypatch.setattr(torch, "zeros", lambda size, *, device: None)
    with pytest.raises(av.FFmpegError):
        Nvdec("cuda:0").open(path, "mov,mp4,m4a,3gp,3g2,mj2")


@pytest.mark.gpu
@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg2video"])
def test_the_gpu_decodes_what_software_decodes(tmp_path: Path, codec: str) -> None:
    path = make_video(tmp_path / "v.mkv", [quadrants(320, 192)] * 3 + gray_ramp(20, 320, 192), "-c:v", codec)
    nvdec = Nvdec("cuda:0")
    assert why_not_alike(probe_video(path), nvdec) == ""
    here, _ = read(path)
    there, _ = read(path, nvdec)
    assert all(type(frame) is DeviceFrame for frame in there)
    for mine, wanted in zip(there, here, strict=True):
        assert all(np.abs(a.astype(int) - b).max() <= 2 for a, b in zip(mine.planes(), wanted.planes(), strict=True))
        assert np.abs(mine.shrunk(128, 72).astype(int) - wanted.shrunk(128, 72)).mean() < 1
