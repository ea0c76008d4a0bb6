"""LR-ASD, which says whether a face speaks from its mouth and the audio; weights, conversion and execution.

Liao et al., "LR-ASD: Lightweight and Robust Network for Active Speaker Detection", IJCV 2025; MIT licence, 0.84 M
parameters. Two sets of weights were published; their mean is better than either (benchmarks/quality/speech.py).
The network takes 25 mouths a second and 100 rows of MFCC; see `processors/speech/mouth_region.py` and `mfcc.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.errors import ModelChecksumError, ModelUnavailableError
from core.models.inference.nets import converted
from core.models.inference.openvino_graph import OpenVINOGraph
from core.models.networks.model_spec import WeightsFile
from core.models.networks.weights import download, verified
from core.types import ByteArray, FloatArray
from utils.console.printable_text import ascii_safe

logger = logging.getLogger(__name__)

MOUTH_SIDE_PX = 112
RATE_HZ = 25
MFCC_PER_FRAME = 4

CONTEXT_FRAMES = 10
"""frames on each side that an encoder's row depends on: 3 blocks with 3 frames of reach each, and one to spare"""

CHUNK_FRAMES = 64
"""rows that the encoders make at a time; with the context they need 60 MB"""

_COMMIT = "1b6dcd2"
_ADDRESS = f"https://raw.githubusercontent.com/Junhua-Liao/LR-ASD/{_COMMIT}/weight/"

SPEECH_WEIGHTS = {
    "talkset": WeightsFile(
        "finetuning_TalkSet.model",
        3_426_337,
        "6b4ef53694e874e96cf630198dc479c78aebb3993bbf166aee3d926dfe7d9342",
        url=_ADDRESS + "finetuning_TalkSet.model",
    ),
    "ava": WeightsFile(
        "pretrain_AVA.model",
        3_426_337,
        "85e6c77fc981595234790d1e128ebb60352d37726b2445e0ef8891e2512fe9e3",
        url=_ADDRESS + "pretrain_AVA.model",
    ),
}
"""the published weights by the short name of their training set"""

_PARTS = ("visual", "audio", "back_end")
_CONVERTER = "core.models.networks.torch_speech_net"
_HINT = "--speech-weights names a file that is already there; --speech off does without"


def models_name(keys: Iterable[str]) -> str:
    """What the signal is called that is made with these sets of `SPEECH_WEIGHTS`, or with none."""
    named = sorted(keys)
    return "+".join(["lr-asd", *named]) if named else "movement"


def locate_speech_weights(
    *, explicit: Sequence[str] = (), folders: Sequence[Path] = (), download_to: Path | None = None
) -> dict[str, Path]:
    """The weights files that can be had, by their key in `SPEECH_WEIGHTS`, each with the sha256 that it must have.

    explicit: files that the user named; which is which their sha256 tells, and nothing else is looked for.
    Otherwise they are looked for in `folders` and then downloaded into `download_to` (None: no download).

    Raises:
        ModelUnavailableError: a named file is missing; or none is named and none can be had.
        ModelChecksumError: a named file, or one in a folder, is not one of the published ones.
    """
    if explicit:
        return dict(_recognised(Path(name).expanduser()) for name in explicit)
    found: dict[str, Path] = {}
    failure: ModelUnavailableError | None = None
    for key, entry in SPEECH_WEIGHTS.items():
        path = next((folder / entry.name for folder in folders if (folder / entry.name).is_file()), None)
        if path is not None:
            found[key] = verified(path, entry)
        elif download_to is not None and failure is None:
            try:
                download_to.mkdir(parents=True, exist_ok=True)
                found[key] = download(entry, download_to)
            except (ModelUnavailableError, OSError) as error:
                failure = ModelUnavailableError(
                    getattr(error, "message", "") or f"{entry.name} cannot be kept: {error}", stage="models", hint=_HINT
                )
                failure.__cause__ = error
    if not found:
        raise failure or ModelUnavailableError(
            "the weights of LR-ASD are not on this machine", stage="models", hint=_HINT
        )
    return found


def _recognised(path: Path) -> tuple[str, Path]:
    if not path.is_file():
        raise ModelUnavailableError(f"no weights file {ascii_safe(str(path))}", stage="models", hint=_HINT)
    for key, entry in SPEECH_WEIGHTS.items():
        try:
            return key, verified(path, entry)
        except ModelChecksumError:
            continue
    names = " or ".join(entry.name for entry in SPEECH_WEIGHTS.values())
    message = f"{ascii_safe(str(path))} is neither {names} of LR-ASD"
    raise ModelChecksumError(message, stage="models", hint=f"{_ADDRESS} has them")


class SpeechNet:
    """One set of weights, in three parts that are called apart; not safe for use by several threads."""

    def __init__(self, key: str, files: dict[str, Path]) -> None:
        """key: of `SPEECH_WEIGHTS`. files: the parts' converted networks, from `load_speech_nets`."""
        self.key = key
        self._visual, self._audio, self._back_end = (OpenVINOGraph(files[part], threads=1) for part in _PARTS)

    def visual(self, mouths: ByteArray) -> FloatArray:
        """(T, 112, 112) uint8 grey, 25 a second -> (T, 128): features of each mouth and the ten around it."""
        return self._visual(mouths)[0]

    def audio(self, mfcc: FloatArray) -> FloatArray:
        """(4 T, 13) -> (T, 128): features of the audio while each frame is shown."""
        return self._audio(mfcc)[0]

    def back_end(self, audio: FloatArray, visual: FloatArray) -> FloatArray:
        """(N, T, 128) twice, N stretches of T frames -> (N, T) log-odds that the face speaks."""
        return self._back_end(audio, visual)[0]


def load_speech_nets(weights: dict[str, Path], cache_dir: Path) -> list[SpeechNet]:
    """The networks of `weights` (from `locate_speech_weights`), converted once and kept in `cache_dir`.

    Raises:
        ModelError: the conversion failed, or what it made cannot be read.
    """
    kinds = {f"lr_asd_{key}.{part}": key for key in sorted(weights) for part in _PARTS}
    files = converted(
        tuple(kinds),
        {kind: weights[key] for kind, key in kinds.items()},
        cache_dir,
        files={kind: SPEECH_WEIGHTS[key] for kind, key in kinds.items()},
        converter=_CONVERTER,
    )
    return [SpeechNet(key, {part: files[f"lr_asd_{key}.{part}"] for part in _PARTS}) for key in sorted(weights)]


def chunks(frames: int) -> list[tuple[slice, slice]]:
    """How to run an encoder over `frames` rows: (what to feed it, which of the rows it makes to keep), in order.

    Rows at the inner borders of the chunks are the same as in one run over everything.
    """
    found = []
    for start in range(0, frames, CHUNK_FRAMES):
        end = min(start + CHUNK_FRAMES, frames)
        first = max(start - CONTEXT_FRAMES, 0)
        found.append((slice(first, min(end + CONTEXT_FRAMES, frames)), slice(start - first, end - first)))
    return found
