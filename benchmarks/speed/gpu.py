"""What a GPU gains, at 1080p: python -m benchmarks.speed.gpu [--frames 200] [--models DIR]

Frames per second of each stage and of whole runs on the GPU, beside the CPU and beside facenet-pytorch's own batch
detection on the same GPU. Without a GPU it says so, takes the same ways through the code on the CPU with a tiny
input, checks that they find the faces that the CPU's networks find, and ends with exit code 0.

Detection searches for faces from 24 px in frames of analysis size (853x480 for a 1080p video), as the program does;
facenet-pytorch gets the same frames and the same smallest face.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.processes import measure
from benchmarks.speed.source_videos import crowd, kept
from config import AnalysisSettings, RunSettings, Settings
from core.media.decoder_choice import choose_nvdec
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from core.model_manager import ModelManager
from core.models.inference.gpu_check import why_no_gpu
from core.models.inference.inference_device import GPU_DEVICE
from core.models.mtcnn import MtcnnDetector
from core.models.networks.weights import chosen_cache_dir
from core.types import ByteArray, Detections
from processors.faces.analysis_frame import AnalysisImage
from processors.faces.analysis_size import SMALLEST_FACE_PX, analysis_size
from tests.material.synthetic.portraits import COLLINS, HOPPER
from tests.material.synthetic.scenes import Actor, Film, Key, Motion, Scene
from utils.images.box_geometry import iou_matrix

BATCHES = (1, 4, 16, 64)
SAME_FACE_IOU = 0.9
WARM_UP_CALLS = 2


@dataclass(frozen=True, slots=True)
class Material:
    """images: frames of analysis size, (h, w, 3) uint8 RGB each."""

    video: Path
    images: list[ByteArray]

    def batches(self, size: int) -> Iterator[list[ByteArray]]:
        rest = iter(self.images)
        while part := list(itertools.islice(rest, size)):
            yield part


def read(video: Path, frames: int) -> Material:
    info = probe_video(video)
    size = analysis_size(info.width, info.height, AnalysisSettings().min_face)
    with VideoReader(info) as reader:
        return Material(video, [frame.rgb(*size) for frame in itertools.islice(reader.frames(), frames)])


def rate(work: Callable[[], int]) -> float:
    """Items a second; `work` says how many it did, and has their results when it returns."""
    begin = time.perf_counter()
    count = work()
    return count / (time.perf_counter() - begin)


def stages(models: ModelManager, material: Material) -> dict[str, float]:
    """Items per second of each stage on the device of `models`."""
    detector, embedder = models.detector, models.embedder
    found = detector.detect(material.images[:1], SMALLEST_FACE_PX)[0]
    boxes = found.boxes if len(found) else np.array([[40, 40, 80, 90]], np.float32)
    chips = np.zeros((256, embedder.side, embedder.side, 3), np.uint8)
    figures: dict[str, float] = {}

    def search(size: int) -> int:
        return sum(len(detector.detect(part, SMALLEST_FACE_PX)) for part in material.batches(size))

    def follow() -> int:
        return sum(1 for image in material.images if detector.refine(image, boxes))

    def embed(count: int) -> int:
        return len(embedder.embed(chips[:count]))

    for size in BATCHES:
        if size > len(material.images):
            break
        for part in itertools.islice(material.batches(size), WARM_UP_CALLS):
            detector.detect(part, SMALLEST_FACE_PX)
        figures[f"search, {size} images at once"] = rate(functools.partial(search, size))
    figures[f"follow, {len(boxes)} faces"] = rate(follow)
    for count in (1, 8, 256):
        embed(count)
        figures[f"embed, {count} faces at once (faces)"] = rate(functools.partial(embed, count))
    return figures


def facenet_pytorch(device: str, material: Material) -> dict[str, float]:
    """Its own batch detection: frames a second."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it builds arrays from ragged lists
        from facenet_pytorch import MTCNN

        mtcnn = MTCNN(keep_all=True, min_face_size=SMALLEST_FACE_PX, device=device)

        def search(size: int) -> int:
            return sum(len(mtcnn.detect(part)[0]) for part in material.batches(size))

        figures = {}
        for size in BATCHES:
            if size > len(material.images):
                break
            mtcnn.detect(material.images[:size])
            figures[f"search, {size} images at once"] = rate(functools.partial(search, size))
    return figures


def whole_run(video: Path, device: str, models: Path, frames: int) -> float:
    """Frames a second of the program from its start to its end, without a cached analysis."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        log = Path(folder) / "log.txt"
        options = ["--device", device, "--offline", "--no-cache", "--cache-dir", str(models), "-o", f"{folder}/out"]
        usage = measure([sys.executable, "main.py", str(video), *options], log)
        if usage.exit_code:
            raise SystemExit(f"--device {device} failed:\n{log.read_text(errors='replace')}")
    return frames / usage.wall_s


def decoding(video: Path, device: str, frames: int) -> float | None:
    """Frames a second, decoded and made the analysis' two images of; None where the GPU does not decode."""
    info = probe_video(video)
    nvdec = choose_nvdec(info, device)
    if nvdec is None and device != "cpu":
        return None
    size = analysis_size(info.width, info.height, AnalysisSettings().min_face)

    def work() -> int:
        with VideoReader(info, nvdec=nvdec) as reader:
            return sum(AnalysisImage(f, *size)().ndim > 0 for f in itertools.islice(reader.frames(), frames))

    return rate(work)


def settings_for(device: str, models: Path) -> Settings:
    return Settings(
        analysis=AnalysisSettings(device="cuda" if device == "cuda" else "cpu"),
        run=RunSettings(cache_dir=str(models), offline=True),
    )


def manager(device: str, models: Path) -> ModelManager:
    return ModelManager(settings_for(device, models))


def measure_gpu(frames: int, models: Path) -> None:
    video = crowd(1920, 1080, 60)
    material = read(video, frames)
    columns: dict[str, dict[str, float | None]] = {}
    for name, device in (("cuda", GPU_DEVICE), ("cpu", "cpu")):
        columns[name] = {"decode, scale": decoding(video, device, frames), **stages(manager(name, models), material)}
    columns["facenet-pytorch, cuda"] = {**facenet_pytorch(GPU_DEVICE, material)}
    count = probe_video(video).frame_count
    for name in ("cuda", "cpu"):
        columns[name]["whole run"] = whole_run(video, name, models, count)
    print(manager("cuda", models).device_line)
    height, width = material.images[0].shape[:2]
    print(f"{len(material.images)} images of {width}x{height}; whole run: {video.name}\n")
    print(f"| frames a second | {' | '.join(columns)} |")
    print("|---" * (len(columns) + 1) + "|")
    for stage in columns["cuda"]:
        cells = (figures.get(stage) for figures in columns.values())
        print(f"| {stage} | {' | '.join('-' if cell is None else f'{cell:.1f}' for cell in cells)} |")


def check_on_cpu(models: Path) -> None:
    """Run the GPU code path on the CPU: frames on a device, networks in torch."""
    import torch

    from core.models.inference.net_loader import NetLoader
    from core.models.inference.torch_runtime import DeviceImages
    from core.models.inference.upload import Upload
    from core.models.networks.model_spec import DETECTOR_NETS

    keys = ((Key(0, 0.3, 0.45, 0.3),), (Key(0, 0.7, 0.45, 0.35),))
    actors = tuple(Actor(who, Motion(keys=key)) for who, key in zip((COLLINS, HOPPER), keys, strict=True))
    video = kept("gpu-check.mp4", Film(scenes=(Scene(length=4, seed=3, actors=actors),)))
    material = read(video, 4)
    upload = Upload(torch.device("cpu"))
    # A device with a number is what they take for a GPU.
    nets = NetLoader(settings_for("cpu", models)).with_torch(DETECTOR_NETS, "cpu:0")
    device = MtcnnDetector(*nets, sample=lambda images: DeviceImages(images, upload))
    here = manager("cpu", models).detector
    found = device.detect(material.images, SMALLEST_FACE_PX)
    for mine, wanted in zip(found, here.detect(material.images, SMALLEST_FACE_PX), strict=True):
        if not _same(mine, wanted):
            raise SystemExit(f"the two ways find different faces: {mine.boxes}, {wanted.boxes}")
    print(f"{sum(map(len, found))} faces in {len(found)} images, the same as the CPU's networks find")


def _same(a: Detections, b: Detections) -> bool:
    if len(a) != len(b) or len(a) == 0:
        return len(a) == len(b)
    return bool((iou_matrix(a.boxes, b.boxes).max(1) >= SAME_FACE_IOU).all())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=200, help="images for the stages")
    parser.add_argument("--models", type=Path, default=chosen_cache_dir(""), help="cache folder with the networks")
    args = parser.parse_args()
    reason = why_no_gpu()
    if reason:
        print(f"No GPU: {reason}. The same code on the CPU, with a tiny input:")
        check_on_cpu(args.models.resolve())
    else:
        measure_gpu(args.frames, args.models.resolve())


if __name__ == "__main__":
    main()
