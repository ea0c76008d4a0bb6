"""Networks as plain functions on arrays, and their conversion for OpenVINO, which runs them on a CPU."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from core.errors import LeaseHeldError, ModelDamagedError, ModelError
from core.lease import LeaseTaker
from core.models.inference.batch_sizes import padded_size
from core.models.inference.input_normalisation import normalised, remove_normalisation
from core.models.inference.spilled_weights import SpilledWeights
from core.models.networks.model_spec import MODELS, WeightsFile
from core.models.networks.openvino_runtime import import_openvino, openvino_core
from core.project_folders import PROJECT
from core.types import FloatArray
from utils.files import PARTIAL_PREFIX, scratch_file

logger = logging.getLogger(__name__)

CONVERTER_VERSION = 2
"""part of the names of cached files; raise it when core/models/networks/torch_nets.py or a network in it changes"""

CONVERT_TIMEOUT_S = 300.0

CONVERTED_FOLDER = "openvino"
"""of the cache folder"""
_CONVERSION_LEASE = ".lease-conversion"
_POLL_S = 0.2

_BLOCK_BYTES = 1 << 20

Images = Any
"""(N, h, w, 3) RGB in [0, 255], uint8 or float32: an array, or a tensor if torch runs the network"""


class Net(Protocol):
    """A network: takes images, returns float32 arrays with N rows; not thread-safe."""

    def __call__(self, images: Images) -> tuple[FloatArray, ...]: ...


class OpenVINONet:
    """A converted network on the CPU."""

    def __init__(self, model_file: Path, *, threads: int) -> None:
        config = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1}
        if threads:
            config["INFERENCE_NUM_THREADS"] = threads
        self._tensor = import_openvino().Tensor
        core = openvino_core()
        try:
            model = core.read_model(model_file)
            self._takes_normalised = remove_normalisation(model)
            self._weights = SpilledWeights(model)
            self._model = core.compile_model(model, "CPU", config)
        except RuntimeError as error:
            with contextlib.suppress(OSError):
                model_file.unlink()
            raise ModelDamagedError(
                "the converted network is damaged and was removed", path=model_file, stage="models", hint="run again"
            ) from error
        self._outputs = len(self._model.outputs)
        self._request = self._model.create_infer_request()

    def __call__(self, images: Images) -> tuple[FloatArray, ...]:
        count = len(images)
        contiguous = padded_batch(images)
        if self._takes_normalised:
            contiguous = normalised(contiguous)
        # The tensor shares the array's memory; this name keeps it alive until the network has read it.
        self._request.set_input_tensor(self._tensor(contiguous, shared_memory=True))
        self._request.infer()
        self._weights.drop_pages(contiguous.shape)
        # The request's buffers are overwritten by the next call.
        outputs = (self._request.get_output_tensor(i).data[:count] for i in range(self._outputs))
        return tuple(np.array(output, np.float32) for output in outputs)


def padded_batch(images: Images) -> FloatArray:
    """The images, C-contiguous, followed by black ones up to the next of `BATCH_SIZES`."""
    count = len(images)
    wanted = padded_size(count)
    if wanted == count:
        return np.ascontiguousarray(images, np.float32)
    batch = np.zeros((wanted, *images.shape[1:]), np.float32)
    batch[:count] = images
    return batch


_conversion = threading.Lock()


def missing_bytes(kinds: Sequence[str], cache_dir: Path) -> int:
    """Approximate size of what `converted` would write for `kinds`; 0 if files of any OpenVINO version are there."""
    folder = cache_dir / CONVERTED_FOLDER
    files = {kind: MODELS[kind].weights for kind in kinds}
    return sum(f.size for kind, f in files.items() if not any(folder.glob(f"{kind}-{f.sha256[:16]}-*.bin")))


def converted(
    kinds: Sequence[str],
    weights: dict[str, Path],
    cache_dir: Path,
    *,
    files: Mapping[str, WeightsFile] | None = None,
    converter: str = "core.models.networks.torch_nets",
) -> dict[str, Path]:
    """Paths of the networks `kinds` in OpenVINO's format, converted once and kept in `cache_dir`.

    The conversion needs torch and about 800 MB of memory, so it runs in a child process.

    files: the weights of each kind; by default those of `MODELS`. converter: the module that the child process runs
    with the kind, its weights and the target of each network.

    Raises:
        ModelError: the conversion failed; the message contains the last line of its output.
    """
    version = import_openvino().__version__.split("-")[0]
    entries = {kind: MODELS[kind].weights for kind in kinds} if files is None else files
    names = {k: f"{k}-{entries[k].sha256[:16]}-ov{version}-c{CONVERTER_VERSION}.xml" for k in kinds}
    paths = {k: cache_dir / CONVERTED_FOLDER / name for k, name in names.items()}
    with _conversion:
        if _missing(paths):
            with _exclusive_conversion(cache_dir / CONVERTED_FOLDER):
                # Another process may have done it meanwhile.
                if missing := _missing(paths):
                    logger.info("converting %s for the CPU (once)", ", ".join(missing))
                    _convert(missing, weights, paths, entries, converter)
    return paths


def _missing(paths: Mapping[str, Path]) -> list[str]:
    return [k for k, path in paths.items() if not (path.is_file() and path.with_suffix(".bin").is_file())]


@contextlib.contextmanager
def _exclusive_conversion(folder: Path) -> Iterator[None]:
    """Wait until no other process converts networks in `folder`; it would take as much memory again."""
    taker = LeaseTaker()
    lease = None
    # In a folder that cannot be written, the conversion says so.
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        while lease is None:
            try:
                lease = taker.take(folder / _CONVERSION_LEASE, work="converting networks")
            except LeaseHeldError:
                time.sleep(_POLL_S)
    try:
        yield
    finally:
        taker.release_all()


def _convert(
    kinds: Sequence[str],
    weights: dict[str, Path],
    paths: dict[str, Path],
    entries: Mapping[str, WeightsFile],
    converter: str,
) -> None:
    partials = {k: paths[k].with_name(PARTIAL_PREFIX + f"{threading.get_native_id()}-" + paths[k].name) for k in kinds}
    arguments = [text for k in kinds for text in (k, str(weights[k].resolve()), str(partials[k].resolve()))]
    try:
        paths[kinds[0]].parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", converter, *arguments],
            cwd=PROJECT,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=CONVERT_TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            _remove(partials)
            raise _conversion_error(kinds, done, paths[kinds[0]].parent, sum(entries[k].size for k in kinds))
        for kind in kinds:
            # The .xml last: where it exists, the .bin does.
            partials[kind].with_suffix(".bin").replace(paths[kind].with_suffix(".bin"))
            partials[kind].replace(paths[kind])
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(f"converting {', '.join(kinds)} for OpenVINO failed: {error}", stage="models") from error
    finally:
        _remove(partials)


def _remove(partials: dict[str, Path]) -> None:
    for partial in partials.values():
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
            partial.with_suffix(".bin").unlink(missing_ok=True)


def _conversion_error(
    kinds: Sequence[str], done: subprocess.CompletedProcess[bytes], folder: Path, size_bytes: int
) -> ModelError:
    """The error for a failed conversion that writes about `size_bytes` into `folder`."""
    tail = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
    reason, hint = " ".join(tail), ""
    if done.returncode < 0:
        reason, hint = f"killed by signal {-done.returncode}", "the conversion needs about 1 GB of memory"
    try:
        # OpenVINO does not report why a file cannot be written.
        with scratch_file(folder) as file:
            file.writelines(bytes(_BLOCK_BYTES) for _ in range(size_bytes // _BLOCK_BYTES + 1))
            file.flush()
    except OSError as error:
        reason = f"{folder} cannot be written: {error.strerror}"
        hint = f"{size_bytes // 1_000_000 + 1} MB are needed; --cache-dir names another folder"
    return ModelError(f"converting {', '.join(kinds)} for OpenVINO failed: {reason}", stage="models", hint=hint)
