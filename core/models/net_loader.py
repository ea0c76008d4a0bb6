"""Makes networks ready to run: finds their weights, converts them for OpenVINO, sets the size of their batches."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from config import Settings
from core.errors import ModelDamagedError
from core.models import weights
from core.models.batching import Batched
from core.models.embedder_choice import facenet_folders
from core.models.installed_files import installed_file
from core.models.model_spec import ANALYSIS_NETS, MODELS
from core.models.nets import Net, OpenVINONet, converted
from core.thread_budget import thread_budget

logger = logging.getLogger(__name__)


class NetLoader:
    """Loads networks by their names in `MODELS`. It keeps none of them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = thread_budget(settings.run.threads)

    @property
    def cache_dir(self) -> Path:
        """Folder of converted and downloaded networks."""
        return weights.chosen_cache_dir(self._settings.run.cache_dir)

    def with_openvino(self, kinds: Sequence[str]) -> list[Net]:
        """The networks `kinds` on the CPU, run by OpenVINO; they are converted if that has not been done yet.

        Raises:
            ModelError: weights are missing, or the conversion fails.
        """
        files = self._files(kinds)
        try:
            return self._converted(kinds, files)
        except ModelDamagedError as error:
            # The damaged file has been removed, so this converts it again.
            logger.warning("%s", error)
            return self._converted(kinds, files)

    def with_torch(self, kinds: Sequence[str], device: str) -> list[Net]:
        """The networks `kinds` on the torch device `device`.

        Raises:
            ModelError: weights are missing. GPUMemoryError, DeadDeviceError: see `TorchNet`.
        """
        return [self._torch_net(kind, file, device) for kind, file in self._files(kinds).items()]

    def _torch_net(self, kind: str, file: Path, device: str) -> Net:
        from core.models.torch_runtime import TorchNet, filled

        spec, net = MODELS[kind], TorchNet(kind, file, device)
        if device == "cpu":
            return Batched(net, spec.cpu_batch, name=kind)
        # Networks for any size get whole images, whose sizes vary anyway.
        return Batched(net, spec.gpu_batch, name=kind, fill=filled if spec.side else None)

    def _converted(self, kinds: Sequence[str], files: dict[str, Path]) -> list[Net]:
        together = ANALYSIS_NETS if set(kinds) <= set(ANALYSIS_NETS) else kinds
        files = {kind: files.get(kind) or self._weights_of(kind) for kind in together}
        models = converted(together, files, self.cache_dir)
        budget = self._threads
        threads = {kind: budget.filter if MODELS[kind].all_threads else budget.inference for kind in kinds}
        nets = {kind: OpenVINONet(models[kind], threads=threads[kind]) for kind in kinds}
        return [Batched(net, MODELS[kind].cpu_batch, name=kind) for kind, net in nets.items()]

    def _files(self, kinds: Sequence[str]) -> dict[str, Path]:
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
