"""Checks a node of a cluster before a run: what it must have in common with this machine in order to take part.

Results must not depend on which node made them. So a node with another version of the program, of a network or of a
package is left out, as is one that does not see the files of the run under the same paths.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.metadata
import platform
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from config import Settings
from core.errors import ModelUnavailableError, OutputError, PipelineError, SettingsError
from core.media.h264_encoder import choose_encoder
from core.models.embedder_spec import EMBEDDERS
from core.models.networks.embedder_choice import facenet_folders, possible_embedders
from core.models.networks.model_spec import DETECTOR_NETS
from core.models.networks.weights import chosen_cache_dir, locate
from processors.batch.call_terms import call_terms, term_differences
from utils.console.printable_text import ascii_safe
from utils.files import scratch_file

MARKER_PREFIX = ".face-clips-marker-"
"""of the file by which nodes show that they see the driver's output folder and not one of their own"""

MIN_FREE_BYTES = 100_000_000
"""of each folder that a node writes to: the clips and the analysis of an hour of video take about as much"""

_PROBE_BYTES = 1 << 20
_FOLDERS_LOOKED_AT = 100
_COMMON_HEIGHT_PX = 1080
_PACKAGES = ("av", "highspy", "lapx", "numpy", "opencv-contrib-python-headless", "openvino", "torch")
"""whose code decides what an analysis or a clip holds; another release may round differently"""


@dataclass(frozen=True, slots=True)
class NodeQuestion:
    """What every node is asked.

    inputs: files of the run, one of each folder. marker: name of a file in `output_dir`. secret: its content.
    """

    settings: Settings
    inputs: tuple[Path, ...]
    output_dir: Path
    marker: str
    secret: str


@dataclass(frozen=True, slots=True)
class NodeReport:
    """How a node would work. terms: what results depend on, as short texts. problems: why it cannot, one line each."""

    terms: Mapping[str, str]
    problems: tuple[str, ...]


@contextlib.contextmanager
def node_question(settings: Settings, inputs: Sequence[Path], output_dir: Path) -> Iterator[NodeQuestion]:
    """Yield what to ask the nodes; within the block the marker lies in `output_dir`, which exists.

    Raises:
        OutputError: the marker cannot be written.
    """
    one_of_each = {path.parent: path for path in reversed(inputs)}
    paths = sorted(one_of_each.values())[:_FOLDERS_LOOKED_AT]
    marker, secret = f"{MARKER_PREFIX}{secrets.token_hex(8)}", secrets.token_hex(16)
    path = output_dir / marker
    try:
        path.write_text(secret)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OutputError(f"cannot write to the output folder: {error.strerror}", path=output_dir) from error
    try:
        yield NodeQuestion(settings, tuple(paths), output_dir, marker, secret)
    finally:
        path.unlink(missing_ok=True)


def examine_node(question: NodeQuestion) -> NodeReport:
    """Look at the machine that this is called on; never raises."""
    problems = [*_unseen(question), *free_space_problems(question.settings, question.output_dir)]
    for look in (_require_encoder, _require_networks):
        try:
            look(question.settings)
        except PipelineError as error:
            problems.append(str(error))
    return NodeReport(_terms(question.settings), tuple(problems))


def why_left_out(theirs: NodeReport, ours: NodeReport) -> list[str]:
    """Why a node must not take part in the run of the driver whose own report is `ours`; [] if it may."""
    return [*theirs.problems, *term_differences(theirs.terms, ours.terms)]


def free_space_problems(settings: Settings, output_dir: Path) -> list[str]:
    """What is wrong with the folders that a worker on this machine writes to: no right, or hardly any space."""
    places = [output_dir, Path(tempfile.gettempdir())]
    with contextlib.suppress(SettingsError):
        places.append(chosen_cache_dir(settings.run.cache_dir))
    if settings.run.scratch_folder is not None:
        places.append(settings.run.scratch_folder)
    return [problem for place in places if (problem := _free_space_problem(place, is_made=place != output_dir))]


def _free_space_problem(folder: Path, *, is_made: bool) -> str:
    """Why nothing can be written to `folder`, or "". is_made: a worker makes it if it is missing."""
    try:
        if is_made:
            folder.mkdir(parents=True, exist_ok=True)
        with scratch_file(folder) as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return ascii_safe(f"the disk of {folder} is full")
        return ascii_safe(f"{folder} cannot be written ({error.strerror or error})")
    if free < MIN_FREE_BYTES:
        return ascii_safe(f"the disk of {folder} is nearly full: {free // 1_000_000} MB are left")
    return ""


def _unseen(question: NodeQuestion) -> list[str]:
    """What of the shared folders is not there."""
    problems = []
    try:
        is_shared = (question.output_dir / question.marker).read_text() == question.secret
    except (OSError, UnicodeDecodeError):
        is_shared = False
    if not is_shared:
        problems.append(ascii_safe(f"the output folder {question.output_dir} is not the shared one there"))
    missing = [path for path in question.inputs if not _is_readable(path)]
    if missing:
        more = f" and inputs of {len(missing) - 1} other folders" if len(missing) > 1 else ""
        problems.append(ascii_safe(f"{missing[0]}{more} cannot be read under that path"))
    return problems


def _is_readable(path: Path) -> bool:
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False


def _require_encoder(settings: Settings) -> None:
    choose_encoder(settings.encode.codec, *settings.clip.sized_for(_COMMON_HEIGHT_PX).frame_size)


def _require_networks(settings: Settings) -> None:
    """Raise ModelError if the weights of a network are damaged, or are missing and cannot be downloaded."""
    for kind in DETECTOR_NETS:
        locate(kind)
    *better, last = possible_embedders(settings)
    for embedder in better:
        # One that is missing is replaced by the next; that nodes differ in it shows in their terms.
        with contextlib.suppress(ModelUnavailableError):
            return _require_embedder(embedder, settings)
    try:
        _require_embedder(last, settings)
    except ModelUnavailableError:
        if settings.run.offline:
            raise


def _require_embedder(embedder: str, settings: Settings) -> None:
    for kind in EMBEDDERS[embedder].shares:
        explicit = settings.run.facenet_weights if kind == "facenet" else ""
        locate(kind, explicit=explicit, folders=facenet_folders(settings))


def _terms(settings: Settings) -> dict[str, str]:
    packages = "\n".join(f"{name} {package_version(name)}" for name in _PACKAGES)
    return {
        **call_terms(settings),
        "Python": platform.python_version(),
        "processor": platform.machine(),
        "packages": hashlib.sha256(packages.encode()).hexdigest()[:12],
    }


def package_version(package: str) -> str:
    """The installed version of a package; "" if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
