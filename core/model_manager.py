"""The models of the process: chosen by the settings and the machine, loaded when first needed."""

from __future__ import annotations

import importlib.util
import logging
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

from config import Settings
from core.errors import ModelChecksumError, ModelUnavailableError
from core.models.embedder_spec import EMBEDDERS, embedder_digest
from core.models.face_detector import FaceDetector
from core.models.face_embedder import FaceEmbedder, embedder_of
from core.models.face_verifier import FaceVerifier
from core.models.inference.inference_device import InferenceDevice
from core.models.inference.net_loader import NetLoader
from core.models.inference.nets import Net
from core.models.mtcnn import MtcnnDetector
from core.models.networks.embedder_choice import wanted_embedders
from core.models.networks.model_spec import DETECTOR_NETS, MODELS
from core.models.proposal_weights import PYRAMID, is_yunet_usable, proposal_choice
from core.models.proposed_detector import ProposedDetector
from core.models.proposer import OnePassProposer, load_proposer
from core.models.quick_verifier import QuickVerifier
from core.models.turned_proposer import TurnedProposer
from core.thread_budget import thread_budget

logger = logging.getLogger(__name__)

_Model = TypeVar("_Model")

_TITLES = {"sface": "SFace", "facenet": "FaceNet", "dlib": "dlib's ResNet"}
"""of what `auto` chooses from"""


class ModelManager:
    """Detector, embedder and verifier of a run. Use `instance` to get one."""

    _lock = threading.Lock()
    _instance: ModelManager | None = None

    def __init__(self, settings: Settings) -> None:
        """Choose the device; no model is loaded yet.

        Raises:
            ModelError: a GPU is demanded and there is none that works.
        """
        self._settings = settings
        self._threads = thread_budget(settings.run.threads)
        self._proposals = proposal_choice(settings.analysis.proposals)
        self._loader = NetLoader(settings)
        self._load_lock = threading.RLock()
        self._loaded: dict[str, object] = {}
        self._warnings: list[str] = []
        self._device = InferenceDevice(settings.analysis.device, self._load_lock, self._loaded.clear)

    @classmethod
    def instance(cls, settings: Settings) -> ModelManager:
        """The manager for `settings`; a process has one at a time."""
        with cls._lock:
            if cls._instance is None or cls._instance._settings != settings:
                cls._instance = cls(settings)
            return cls._instance

    @property
    def device(self) -> str:
        """torch's name of the device that runs the networks, "cpu" or "cuda:0"; it changes if a GPU fails."""
        return self._device.name

    @property
    def device_line(self) -> str:
        """Description of the device, and why it is not a better one."""
        if self._device.is_cpu:
            return f"CPU, {self._threads.total} threads, {self.backend}; GPU: {self._device.why_cpu}"
        import torch

        return f"GPU {torch.cuda.get_device_name(0)}, torch {torch.__version__}"

    @property
    def backend(self) -> str:
        """What runs the networks: "OpenVINO" or "torch"."""
        return self._cpu_backend if self._device.is_cpu else "torch"

    @cached_property
    def _cpu_backend(self) -> str:
        if importlib.util.find_spec("openvino") is None:
            logger.warning("OpenVINO is not installed; PyTorch runs the networks, several times slower")
            return "torch"
        return "OpenVINO"

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings for the user about the models in use, for the manifest."""
        return tuple(self._warnings)

    @property
    def detector(self) -> FaceDetector:
        """What searches whole frames of videos: MTCNN's O-Net behind what the settings name to propose faces.

        Raises:
            ModelError: its weights or its runtime are missing.
        """
        return self._detector_behind(self._proposals.everywhere)

    @property
    def newcomer_detector(self) -> FaceDetector:
        """What searches videos for newcomers; it may be quicker than `detector`.

        Raises:
            ModelError: its weights or its runtime are missing.
        """
        return self._detector_behind(self._proposals.newcomers)

    def prepare(self) -> None:
        """Compile what an analysis needs, in the order in which it does; does not wait."""
        for detector in (self.detector, self.newcomer_detector):
            if isinstance(detector, ProposedDetector):
                detector.prepare()
        if (proposer := self.quick_proposer) is not None:
            proposer.prepare()
        self._loader.compile_ahead()

    @property
    def cascade(self) -> FaceDetector:
        """The whole of MTCNN: for images of many sizes, for each of which another proposer would have to be prepared.

        Raises:
            ModelError: its weights or its runtime are missing.
        """
        return self._once("cascade", lambda: self._device.load(self._make_cascade, lambda: self.cascade))

    @property
    def proposes_on_cpu(self) -> bool:
        """Whether both detectors' `candidates` leave a GPU alone, so that any thread may call them."""
        return self._device.is_cpu or self._proposals.everywhere != PYRAMID

    @property
    def embedder(self) -> FaceEmbedder:
        """What the settings name; with `auto` sface if installed, else facenet if its weights can be had, else dlib.

        Raises:
            ModelError: an embedder is named whose weights cannot be had.
        """
        return self._once("embedder", self._load_embedder)

    @property
    def verifier(self) -> FaceVerifier:
        """dlib's MMOD detector, for second opinions.

        Raises:
            ModelError: its weights or its runtime are missing.
        """
        return self._once("verifier", lambda: self._device.load(self._make_verifier, lambda: self.verifier))

    @property
    def quick_verifier(self) -> QuickVerifier | None:
        """YuNet, for second opinions; None where it is not installed. Raises ModelError if it is unusable."""
        return None if (proposer := self.quick_proposer) is None else QuickVerifier(proposer.graph)

    @property
    def quick_proposer(self) -> OnePassProposer | None:
        """YuNet, to propose tilted faces; None where it is not installed. Raises ModelError if it is unusable."""
        return self._proposer("yunet") if is_yunet_usable() else None

    @property
    def turned_proposer(self) -> TurnedProposer | None:
        """YuNet on turned images; None where it is not installed. Raises ModelError if it is unusable."""
        return None if (proposer := self.quick_proposer) is None else TurnedProposer(proposer.graph)

    def describe(self) -> dict[str, Any]:
        """Models and device for the manifest; the same in every run with the same settings."""
        return {
            "device": self.device,
            "backend": self.backend,
            "detector": {"name": "mtcnn", "sha256": {k: MODELS[k].weights.sha256 for k in DETECTOR_NETS}},
            "proposals": {
                "name": self._proposals.newcomers,
                "everywhere": self._proposals.everywhere,
                "sha256": self._proposals.digest(),
            },
            "embedder": {"name": self.embedder.name, "sha256": embedder_digest(self.embedder.name)},
        }

    def release(self) -> None:
        """Drop the networks, about 100 MB, and what torch keeps of a GPU's memory for the next call.

        Those in use stay usable; the next request loads them again.
        """
        with self._load_lock:
            was_used = bool(self._loaded)
            self._loaded.clear()
            self._warnings.clear()
        if was_used and not self._device.is_cpu:
            from core.models.inference.torch_runtime import free_memory

            free_memory()

    def _once(self, name: str, load: Callable[[], _Model]) -> _Model:
        with self._load_lock:
            if name not in self._loaded:
                self._loaded[name] = load()
            return cast("_Model", self._loaded[name])

    def _detector_behind(self, proposals: str) -> FaceDetector:
        if proposals == PYRAMID:
            return self.cascade

        def load() -> FaceDetector:
            return ProposedDetector(self._proposer(proposals), self.cascade)

        return self._once(proposals, load)

    def _proposer(self, name: str) -> OnePassProposer:
        return self._once(f"{name} proposer", lambda: load_proposer(name, threads=self._threads.inference))

    def _make_cascade(self) -> FaceDetector:
        nets = self.nets(*DETECTOR_NETS)
        # Of all networks, a video needs these first.
        self._loader.compile_ahead()
        if self._device.is_cpu:
            return MtcnnDetector(*nets)
        import torch

        from core.models.inference.torch_runtime import DeviceImages
        from core.models.inference.upload import Upload

        upload = Upload(torch.device(self.device))
        return MtcnnDetector(*nets, sample=lambda images: DeviceImages(images, upload))

    def _make_verifier(self) -> FaceVerifier:
        return FaceVerifier(*self.nets("mmod"))

    def _load_embedder(self) -> FaceEmbedder:
        return self._device.load(self._make_embedder, lambda: self.embedder)

    def _make_embedder(self) -> FaceEmbedder:
        *better, last = wanted_embedders(self._settings)
        reasons = []
        for name in better:
            try:
                embedder = self._embedder_named(name)
            except (ModelUnavailableError, ModelChecksumError) as error:
                reasons.append(error.message)
            else:
                break
        else:
            embedder = self._embedder_named(last)
        if reasons:
            change = f"faces are recognised with {_TITLES[embedder.name]} instead of {_TITLES[better[0]]}"
            logger.warning("%s: %s", change, "; ".join(reasons))
            self._warnings.append(change)
        return embedder

    def _embedder_named(self, name: str) -> FaceEmbedder:
        return embedder_of(name, self.nets(*EMBEDDERS[name].shares))

    def nets(self, *kinds: str) -> list[Net]:
        """The networks of these names (`MODELS`), in this order, for the device that is in use."""
        if self.backend == "OpenVINO":
            return self._loader.with_openvino(kinds)
        return self._loader.with_torch(kinds, self.device)

    @property
    def cache_dir(self) -> Path:
        """Folder of converted and downloaded models."""
        return self._loader.cache_dir
