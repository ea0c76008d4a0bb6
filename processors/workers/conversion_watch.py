"""Reports the conversion of networks, which happens once per machine and would be silent for up to a minute."""

from __future__ import annotations

import contextlib
import importlib.util
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from config import Settings
from core.errors import SettingsError
from core.models.embedder_spec import EMBEDDERS
from core.models.inference.gpu_check import why_no_gpu
from core.models.inference.nets import CONVERTED_FOLDER, missing_bytes
from core.models.networks.embedder_choice import possible_embedders
from core.models.networks.model_spec import ANALYSIS_NETS, MODELS
from core.models.networks.weights import chosen_cache_dir
from utils.console.batch_monitor import CONVERT
from utils.console.stage_monitor import StageMonitor
from utils.processes.helper_threads import helper_thread

_POLL_S = 0.5


@contextlib.contextmanager
def watch_conversion(settings: Settings, monitor: StageMonitor) -> Iterator[None]:
    """While models are loaded within the block, report how many of the missing networks are converted."""
    try:
        folder = chosen_cache_dir(settings.run.cache_dir)
    except SettingsError:
        folder = None
    missing = [] if folder is None else _missing(settings, folder)
    if folder is None or not missing:
        yield
        return
    loaded = threading.Event()
    monitor.update(CONVERT, 0, len(missing))
    watching = helper_thread(_watch, folder, missing, monitor, loaded, name="conversion")
    watching.start()
    try:
        yield
    finally:
        loaded.set()
        watching.join()
        monitor.update(CONVERT, len(missing), len(missing))


def converted_count(kinds: Sequence[str], cache_dir: Path) -> int:
    """How many of `kinds` have been written, whether or not they are in their place yet."""
    folder = cache_dir / CONVERTED_FOLDER
    return sum(any(folder.glob(f"*{kind}-{MODELS[kind].weights.sha256[:16]}-*.xml")) for kind in kinds)


def _missing(settings: Settings, cache_dir: Path) -> list[str]:
    is_on_cpu = settings.analysis.device == "cpu" or bool(why_no_gpu())
    if not is_on_cpu or importlib.util.find_spec("openvino") is None:
        return []
    # An embedder whose weights are missing is replaced by the last one.
    kinds = (*ANALYSIS_NETS, *EMBEDDERS[possible_embedders(settings)[-1]].shares)
    return [kind for kind in kinds if missing_bytes((kind,), cache_dir)]


def _watch(cache_dir: Path, kinds: Sequence[str], monitor: StageMonitor, loaded: threading.Event) -> None:
    while not loaded.wait(_POLL_S):
        monitor.update(CONVERT, converted_count(kinds, cache_dir), len(kinds))
