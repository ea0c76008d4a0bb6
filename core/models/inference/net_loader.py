"""Makes networks ready to run: finds their weights, converts them for OpenVINO, sets the size of their batches."""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from pathlib import Path

from config import Settings
from core.errors import ModelDamagedError
from core.models.inference.batching import Batched
from core.models.inference.nets import Net, OpenVINONet, converted
from core.models.inference.pending_net import PendingNet
from core.models.networks import weights
from core.models.networks.embedder_choice import facenet_folders
from core.models.networks.installed_files import installed_file
from core.models.networks.model_spec import ANALYSIS_NETS, MODELS
from core.models.networks.openvino_runtime import openvino_core
from core.thread_budget import thread_budget
from utils.processes.work_ahead import MadeOnce, make_ahead

logger = logging.getLogger(__name__)


class NetLoader:
    """Loads networks by their names in `MODELS`. It keeps none of them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._uncompiled: list[MadeOnce[Net]] = []
        self._threads = thread_budget(settings.run.threads)

    @property
    def cache_dir(self) -> Path:
        """Folder of converted and downloaded networks."""
        return weights.chosen_cache_dir(self._settings.run.cache_dir)

    def with_openvino(self, kinds: Sequence[str]) -> list[Net]:
        """The networks `kinds` on the CPU, run by OpenVINO; they are converted if that has not been done yet.

        Each is compiled by its first call, which raises `ModelError` if that fails, or before it by `compile_ahead`.

        Raises:
            ModelError: weights are missing, or the conversion fails.
            ImportError, RuntimeError: OpenVINO is missing or does not work.
        """
        files = self._converted(kinds)
        openvino_core()
        compiled = {kind: MadeOnce[Net](functools.partial(self._compiled, kind, files[kind])) for kind in kinds}
        self._uncompiled += compiled.values()
        return [Batched(PendingNet(net), MODELS[kind].cpu_batch, name=kind) for kind, net in compiled.items()]

    def compile_ahead(self) -> None:
        """Compile the networks that OpenVINO is to run, in the order of the requests, on a helper thread."""
        make_ahead(*self._uncompiled, name="networks")
        self._uncompiled.clear()

    def with_torch(self, kinds: Sequence[str], device: str) -> list[Net]:
        """The networks `kinds` on the torch device `device`.

        Raises:
            ModelError: weights are missing. GPUMemoryError, DeadDeviceError: see `TorchNet`.
        """
        return [self._torch_net(kind, file, device) for kind, file in self.weights_files(kinds).items()]

    def _torch_net(self, kind: str, file: Path, device: str) -> Net:
        from core.models.inference.torch_runtime import TorchNet, filled

        spec, net = MODELS[kind], TorchNet(kind, file, device)
        if device == "cpu":
            return Batched(net, spec.cpu_batch, name=kind)
        # Networks for any size get whole images, whose sizes vary anyway.
        return Batched(net, spec.gpu_batch, name=kind, fill=filled if spec.side else None)

    def _compiled(self, kind: str, model_file: Path) -> Net:
        threads = self._threads.filter if MODELS[kind].all_threads else self._threads.inference
        try:
            return OpenVINONet(model_file, threads=threads)
        except ModelDamagedError as error:
            # The damaged file has been removed, so this converts it again.
            logger.warning("%s", error)
            return OpenVINONet(self._converted([kind])[kind], threads=threads)

    def _converted(self, kinds: Sequence[str]) -> dict[str, Path]:
        together = ANALYSIS_NETS if set(kinds) <= set(ANALYSIS_NETS) else kinds
        return converted(together, self.weights_files(together), self.cache_dir)

    def weights_files(self, kinds: Sequence[str]) -> dict[str, Path]:
        """The file with the weights of each network; may download one."""
        return {kind: self._weights_of(kind) for kind in kinds}

    def _weights_of(self, kind: str) -> Path:
        if kind in ("sface", "facenet-casia"):
            return installed_file(MODELS[kind].weights)
        if kind != "facenet":
            return weights.locate(kind)
        folders = facenet_folders(self._settings)
        return weights.locate(
            kind,
            explicit=self._settings.run.facenet_weights,
            folders=folders,
            download_to=folders[0] if folders and not self._settings.run.offline else None,
        )
