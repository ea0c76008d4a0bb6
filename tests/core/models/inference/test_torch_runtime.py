"""The GPU code, run on the CPU: uploads, every kind of memory error, images and crops on the device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
import torch

from config import Settings
from core.errors import DeadDeviceError, GPUMemoryError, ModelError
from core.model_manager import ModelManager
from core.models.embedder_spec import EMBEDDERS
from core.models.face_detector import FaceDetector, ImageSampler
from core.models.inference import net_loader
from core.models.inference.batching import Batched
from core.models.inference.nets import Net
from core.models.inference.torch_runtime import (
    DeviceImages,
    TorchNet,
    computes_in_half,
    device_errors,
    filled,
    try_device,
)
from core.models.inference.upload import Upload
from core.models.mtcnn import MtcnnDetector
from core.models.networks import torch_nets
from core.models.networks.model_spec import MODELS
from core.models.networks.weights import locate
from core.types import ByteArray, FloatArray
from utils.images.area_sampling import SampledImages

CPU = torch.device("cpu")

SHORT = [
    torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
    RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 7.93 GiB total capacity)"),
    RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED"),
    RuntimeError("GET was unable to find an engine to execute this computation"),
]


def noise(*shape: int) -> ByteArray:
    return np.random.RandomState(sum(shape)).randint(0, 256, shape, np.uint8)


class Fails(torch.nn.Module):  # type: ignore[misc]
    """A net with room for two images."""

    def __init__(self, error: RuntimeError) -> None:
        super().__init__()
        self.error = error

    def forward(self, batch: Any) -> Any:
        if len(batch) > 2:
            raise self.error
        return batch.float().mean((1, 2)), batch[:, 0, 0]


def net_that_fails(error: RuntimeError, monkeypatch: pytest.MonkeyPatch) -> TorchNet:
    monkeypatch.setattr(torch_nets, "build", lambda kind, weights: Fails(error))
    return TorchNet("pnet", Path("unused"), "cpu")


@pytest.mark.parametrize("error", SHORT, ids=str)
def test_short_memory_in_every_form_is_our_error_and_costs_nothing(
    error: RuntimeError, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = net_that_fails(error, monkeypatch)
    many = noise(5, 2, 2, 3)
    with pytest.raises(GPUMemoryError, match="batch of 3"):
        net(many[:3])
    batched = Batched(net, 5)
    means, corners = batched(many)
    assert np.allclose(means, many.mean((1, 2)), atol=1e-3)
    assert np.array_equal(corners, many[:, 0, 0])
    assert batched.size == 2


def test_other_errors_stay_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    net = net_that_fails(RuntimeError("mat1 and mat2 shapes cannot be multiplied"), monkeypatch)
    with pytest.raises(RuntimeError, match="shapes"):
        net(noise(3, 2, 2, 3))


DEAD = [
    "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be reported later",
    "CUDA error: device-side assert triggered",
    "CUDA error: unspecified launch failure",
    "CUDA error: the launch timed out and was terminated",
    "CUDA error: misaligned address",
    "CUDA error: an illegal instruction was encountered",
    "CUDA error: uncorrectable ECC error encountered",
    "CUDA error: CUDA-capable device(s) is/are busy or unavailable",
    "CUDA error: no CUDA-capable device is detected",
    "CUDA error: unknown error",
]


@pytest.mark.parametrize("text", DEAD)
def test_a_dead_device_is_an_error_of_its_own(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = net_that_fails(RuntimeError(text), monkeypatch)
    with pytest.raises(DeadDeviceError) as dead:
        Batched(net, 5)(noise(3, 2, 2, 3))
    assert text.splitlines()[0] in str(dead.value) and "\n" not in str(dead.value)
    assert not isinstance(dead.value, ModelError), "that would end the batch"


@pytest.mark.parametrize("text", ["cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", "CUBLAS_STATUS_NOT_INITIALIZED"])
@pytest.mark.parametrize("alive", [True, False])
def test_a_device_that_answers_nothing_is_dead_whatever_a_library_says(
    text: str, alive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def synchronize(device: torch.device) -> None:
        if not alive:
            raise RuntimeError("CUDA error: something new")

    monkeypatch.setattr(torch.cuda, "synchronize", synchronize)
    alive_error = GPUMemoryError if "NOT_INITIALIZED" in text else RuntimeError
    with pytest.raises(alive_error if alive else DeadDeviceError), device_errors("a test", torch.device("cuda:0")):
        raise RuntimeError(text)


def test_a_device_is_tried_with_a_convolution(monkeypatch: pytest.MonkeyPatch) -> None:
    try_device("cpu")
    right = torch.nn.functional.conv2d
    monkeypatch.setattr(torch.nn.functional, "conv2d", lambda *tensors: right(*tensors) + 1)
    with pytest.raises(RuntimeError, match="wrong values"):
        try_device("cpu")


BOXES = np.array(
    [[3, 4, 30, 31], [-9.7, -3, 8, 14.7], [50, 40, 90, 80], [10.5, 2.5, 10.9, 2.9], [0, 0, 70, 50]], np.float32
)
OWNER = np.array([0, 2, 1, 1, 2])


@pytest.mark.parametrize("size", [(50, 70), (33, 41), (7, 70), (1, 1)])
def test_levels_on_a_device_are_those_of_the_cpu(size: tuple[int, int]) -> None:
    images = list(noise(3, 50, 70, 3))
    here, there = SampledImages(images), DeviceImages(images, Upload(CPU))
    assert (there.height, there.width) == (50, 70)
    assert np.array_equal(there.level(*size).numpy(), here.level(*size))


@pytest.mark.parametrize("side", [24, 48])
def test_crops_on_a_device_are_those_of_the_cpu(side: int) -> None:
    images = list(noise(3, 50, 70, 3))
    there = DeviceImages(images, Upload(CPU)).crops(BOXES, OWNER, side).numpy()
    assert there.shape == (5, side, side, 3) and there.dtype == np.float32
    assert np.array_equal(there, SampledImages(images).crops(BOXES, OWNER, side))


@pytest.mark.slow
def test_bright_images_of_any_size_do_not_overflow() -> None:
    white = np.full((2900, 3000, 3), 255, np.uint8)
    sampled = DeviceImages([white], Upload(CPU))
    assert np.array_equal(sampled.level(3, 4).numpy(), np.full((1, 3, 4, 3), 255, np.float32))


def device_detector(**short: int) -> tuple[MtcnnDetector, list[int]]:
    """Detector whose images and networks are torch's, on the CPU; `short`: how much each network has room for.

    The list tells how many images were tried at once.
    """
    upload, tried = Upload(CPU), []

    def sample(images: Any) -> ImageSampler:
        tried.append(len(images))
        if len(images) > short.get("images", 99):
            raise GPUMemoryError("full")
        return DeviceImages(images, upload)

    class Tight:
        def __init__(self, kind: str) -> None:
            self.net, self.room = TorchNet(kind, locate(kind), "cpu"), short.get(kind, 10**6)

        def __call__(self, images: Any) -> tuple[FloatArray, ...]:
            if len(images) > self.room:
                raise GPUMemoryError("full")
            return self.net(images)

    pnet, rnet, onet = (Batched(Tight(kind), 256, name=kind) for kind in ("pnet", "rnet", "onet"))
    return MtcnnDetector(pnet, rnet, onet, sample=sample), tried


def crowd(portraits: dict[str, ByteArray]) -> list[ByteArray]:
    """Two images with two faces each."""
    image = np.concatenate([cv2.resize(photo[:512], (240, 240)) for photo in portraits.values()], 1)
    return [image, np.ascontiguousarray(image[:, ::-1])]


@pytest.mark.parametrize("short", [{}, {"images": 1}, {"pnet": 1, "rnet": 5, "onet": 2}])
def test_the_detector_on_a_device_finds_the_same_faces_however_short_memory_is(
    short: dict[str, int], models: ModelManager, portraits: dict[str, ByteArray]
) -> None:
    images = crowd(portraits)
    detector, tried = device_detector(**short)
    found, wanted = detector.detect(images, 40), models.detector.detect(images, 40)
    assert len(found) == 2 and all(len(faces) >= 2 for faces in wanted)
    for here, there in zip(found, wanted, strict=True):
        assert np.allclose(here.boxes, there.boxes, atol=0.05)
        assert np.allclose(here.landmarks, there.landmarks, atol=0.05)
        assert np.allclose(here.scores, there.scores, atol=1e-3)
    assert tried == ([2, 1, 1] if "images" in short else [2])


def test_half_precision_finds_the_same_faces(models: ModelManager, portraits: dict[str, ByteArray]) -> None:
    """What a GPU computes with, computed here."""
    upload = Upload(CPU)
    nets = [TorchNet(kind, locate(kind), "cpu", half=True) for kind in ("pnet", "rnet", "onet")]
    detector = MtcnnDetector(*nets, sample=lambda images: DeviceImages(images, upload))
    assert_same_faces(detector, models.detector, crowd(portraits))


def test_good_scores_in_half_precision_stay_apart() -> None:
    """Ties between candidates would be broken by chance."""
    crops = noise(64, 24, 24, 3)
    full, half = (TorchNet("rnet", locate("rnet"), "cpu", half=half)(crops)[1][:, 0] for half in (False, True))
    assert np.median(full) > 0.99
    assert len(np.unique(half)) > 55 and np.abs(full - half).max() < 0.01


def assert_same_faces(detector: FaceDetector, reference: FaceDetector, images: list[ByteArray]) -> None:
    for here, there in zip(detector.detect(images, 40), reference.detect(images, 40), strict=True):
        assert len(here) == len(there) == 2
        # Both score nearly 1, so either may be the first.
        mine, wanted = (faces[np.argsort(faces.boxes[:, 0])] for faces in (here, there))
        assert np.allclose(mine.boxes, wanted.boxes, atol=2)
        assert np.allclose(mine.landmarks, wanted.landmarks, atol=2)


def test_embeddings_are_computed_in_32_bits_everywhere() -> None:
    networks = {network for spec in EMBEDDERS.values() for network in spec.shares}
    assert not any(computes_in_half(kind, "cuda") for kind in networks)
    assert all(computes_in_half(kind, "cuda") for kind in MODELS.keys() - networks)
    assert not any(computes_in_half(kind, "cpu") for kind in MODELS)


def test_the_manager_puts_together_what_a_gpu_gets(
    models: ModelManager,
    model_settings: Settings,
    portraits: dict[str, ByteArray],
    cpu_as_gpu: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: dict[str, int] = {}
    fills: dict[str, Any] = {}

    class NotedBatches(Batched):
        def __init__(self, net: Net, size: int, *, name: str, fill: Any = None) -> None:
            if isinstance(net, TorchNet):  # those of `models` are not
                sizes[name], fills[name] = size, fill
            super().__init__(net, size, name=name, fill=fill)

    monkeypatch.setattr(net_loader, "Batched", NotedBatches)
    on_gpu = msgspec.structs.replace(model_settings.analysis, device="auto")
    manager = ModelManager(msgspec.structs.replace(model_settings, analysis=on_gpu))
    assert manager.device == cpu_as_gpu
    assert_same_faces(manager.detector, models.detector, crowd(portraits))
    chips = noise(3, 150, 150, 3)
    assert np.allclose(manager.embedder.embed(chips), models.embedder.embed(chips), atol=1e-3)
    # Not what a trial finds fastest: outputs depend on the batch, so results would depend on how busy the GPU was.
    assert {"pnet", "rnet", "onet"} < sizes.keys()
    assert sizes == {name: MODELS[name].gpu_batch for name in sizes}
    assert {name for name, fill in fills.items() if fill is filled} == sizes.keys() - {"pnet"}


@pytest.mark.parametrize("kind", ["rnet", "onet", "sface", "dlib"])
def test_filling_up_a_batch_changes_no_result(kind: str, request: pytest.FixtureRequest) -> None:
    """Not even in the last digit by what it is filled up with, and by the size of the batch no more than rounding."""
    spec = MODELS[kind]
    assert spec.side is not None
    crops = noise(5, spec.side, spec.side, 3)
    weights = request.getfixturevalue("sface_graph") if kind == "sface" else locate(kind)
    net = TorchNet(kind, weights, "cpu")
    alone = net(crops)
    black = [rows[:5] for rows in net(filled(crops, 8))]
    tensors = [rows[:5] for rows in net(filled(torch.from_numpy(crops), 8))]
    other = [rows[:5] for rows in net(np.concatenate([crops, noise(3, spec.side, spec.side, 3)]))]
    for without, with_black, on_device, with_noise in zip(alone, black, tensors, other, strict=True):
        assert np.array_equal(with_black, with_noise) and np.array_equal(with_black, on_device)
        # 1e-6 of the largest output: the order in which products are added up depends on the size of the batch.
        assert np.allclose(with_black, without, rtol=0, atol=1e-6 * max(1.0, float(np.abs(without).max())))


def test_no_room_for_filling_up_is_our_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def cat(tensors: object) -> torch.Tensor:
        raise SHORT[0]

    monkeypatch.setattr(torch, "cat", cat)
    with pytest.raises(GPUMemoryError, match="batch of 8"):
        filled(torch.zeros((5, 2, 2, 3)), 8)


@pytest.mark.gpu
def test_the_gpu_passes_its_trial() -> None:
    try_device("cuda:0")


@pytest.mark.gpu
def test_the_gpu_finds_the_same_faces(models: ModelManager, portraits: dict[str, ByteArray]) -> None:
    upload = Upload(torch.device("cuda:0"))
    nets = [TorchNet(kind, locate(kind), "cuda:0") for kind in ("pnet", "rnet", "onet")]
    detector = MtcnnDetector(*nets, sample=lambda images: DeviceImages(images, upload))
    assert_same_faces(detector, models.detector, crowd(portraits))


@pytest.mark.gpu
def test_the_gpu_runs_out_of_memory_and_continues() -> None:
    net = TorchNet("onet", locate("onet"), "cuda:0")
    torch.cuda.set_per_process_memory_fraction(0.01)
    try:
        rows = Batched(net, 100_000)(np.zeros((100_000, 48, 48, 3), np.uint8))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert all(len(part) == 100_000 for part in rows)
