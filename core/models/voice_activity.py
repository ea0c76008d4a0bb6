"""Voice activity by Silero VAD (MIT licence): how likely it is that somebody speaks, 31.25 times a second.

The network is the one of the package `silero-vad` 6.2 that takes many windows in a call.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.models.inference.openvino_graph import OpenVINOGraph
from core.models.networks.installed_files import installed_file
from core.models.networks.model_spec import WeightsFile
from core.types import FloatArray

SAMPLE_RATE_HZ = 16_000
WINDOW_SAMPLES = 512
"""32 ms"""

VOICE_ACTIVITY_FILE = WeightsFile(
    "silero_vad_16k_sequence.onnx",
    1_246_165,
    "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85",
    package="silero_vad",
    folder="data",
)

_CONTEXT_SAMPLES = 64
"""samples before each window that the network wants to see too"""
_STATE = (1, 1, 128)
_BATCH = 256
"""windows in a call: of one size, as OpenVINO prepares itself anew for every other one"""


class VoiceActivity:
    """One recording after the other, in pieces of any length. Not safe for use by several threads."""

    def __init__(self, model_file: Path) -> None:
        """model_file: from `locate_voice_activity`."""
        self._net = OpenVINOGraph(model_file, threads=1)
        self.reset()

    def reset(self) -> None:
        """Begin a new recording."""
        self._samples: FloatArray = np.zeros(_CONTEXT_SAMPLES, np.float32)
        self._hidden = self._cell = np.zeros(_STATE, np.float32)

    def feed(self, samples: NDArray[np.int16]) -> FloatArray:
        """(V,) float32 in [0, 1]: one number for each 32 ms that `samples`, (S,) int16 at 16 kHz, complete."""
        waiting = np.concatenate([self._samples, samples.astype(np.float32) / 32768])
        count = (len(waiting) - _CONTEXT_SAMPLES) // WINDOW_SAMPLES
        self._samples = waiting[count * WINDOW_SAMPLES :]
        if not count:
            return np.zeros(0, np.float32)
        width = _CONTEXT_SAMPLES + WINDOW_SAMPLES
        windows = np.lib.stride_tricks.sliding_window_view(waiting, width)[::WINDOW_SAMPLES][:count]
        found = []
        for start in range(0, count, _BATCH):
            voice, self._hidden, self._cell = self._net(windows[start : start + _BATCH], self._hidden, self._cell)
            found.append(voice.reshape(-1))
        return np.concatenate(found)


def locate_voice_activity() -> Path:
    """The installed file, verified.

    Raises:
        ModelUnavailableError: the package is not installed, or another version of it.
        ModelChecksumError: the file is another one.
    """
    return installed_file(VOICE_ACTIVITY_FILE)
