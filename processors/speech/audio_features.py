"""Speech features of the audio track, on the 25 Hz grid of the mouth features: voice activity and MFCC."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from fractions import Fraction
from typing import IO, Any, cast

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from core.media.audio_reader import PcmFormat, pcm_format, read_audio
from core.models.speech_net import MFCC_PER_FRAME, RATE_HZ
from core.models.voice_activity import SAMPLE_RATE_HZ, WINDOW_SAMPLES, VoiceActivity
from core.types import FaceAnalysis, FloatArray
from processors.speech.mfcc import COEFFICIENTS, STEP_SAMPLES, mfcc
from processors.speech.mfcc import WINDOW_SAMPLES as MFCC_WINDOW_SAMPLES

_BLOCK_SAMPLES = 1 << 17
"""8 s, collected before anything is computed"""


@dataclass(frozen=True, slots=True, eq=False)
class AudioFeatures:
    """Row k is about [k / 25, (k + 1) / 25) s from the beginning of the first frame.

    voice: (N,) float32 in [0, 1], probability that anybody speaks. mfcc: (4 N, 13) float32.
    """

    voice: FloatArray
    mfcc: FloatArray

    @property
    def energy(self) -> NDArray[np.float64]:
        """(N,) mean logarithm of the audio's energy."""
        return np.asarray(self.mfcc[:, 0].reshape(-1, MFCC_PER_FRAME).mean(1), np.float64)


def read_audio_features(
    analysis: FaceAnalysis, duration_s: float, voice_activity: VoiceActivity, *, stop: threading.Event | None = None
) -> AudioFeatures | None:
    """The features of the default audio track for the length of the video; None without one.

    The track is read once, in pieces; gaps in it count as silence.

    Raises:
        DecodeError: the file cannot be opened any more.
        InterruptedRunError: `stop` was set meanwhile.
    """
    audio = analysis.video.default_audio
    if audio is None or not analysis.frame_count:
        return None
    frames = int(duration_s * RATE_HZ)
    sink = FeatureSink(pcm_format(audio), voice_activity)
    start_s = int(analysis.frame_pts[0]) * analysis.video.time_base
    read_audio(
        analysis.video,
        start_s,
        Fraction(frames, RATE_HZ),
        cast(IO[bytes], sink),
        clock_shifts=analysis.clock_shifts,
        stop=stop,
    )
    return sink.finish(frames)


class FeatureSink(io.RawIOBase):
    """Takes PCM of any rate and number of channels; becomes 16 kHz mono, then features."""

    def __init__(self, pcm: PcmFormat, voice_activity: VoiceActivity) -> None:
        self._pcm = pcm
        self._resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
        self._voice_activity = voice_activity
        voice_activity.reset()
        self._voice: list[FloatArray] = []
        self._mfcc: list[FloatArray] = []
        self._gathered: list[NDArray[np.int16]] = []
        self._count = 0
        self._before = 0  # the sample before `_rest`
        self._rest: NDArray[np.int16] = np.zeros(0, np.int16)  # not yet in an MFCC window, but for what windows share

    def write(self, block: Any) -> int:
        view = memoryview(block)
        if view.nbytes:
            samples = np.frombuffer(view.cast("B"), "<i2").astype(np.int16).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=self._pcm.layout)
            frame.sample_rate = self._pcm.sample_rate_hz
            self._take(frame)
        return view.nbytes

    def finish(self, frames: int) -> AudioFeatures:
        """Everything on the grid of `frames` rows."""
        self._take(None)
        wanted = frames * MFCC_PER_FRAME * STEP_SAMPLES
        # The last windows reach beyond the end, and rounding may also leave a few samples missing.
        silence = max(wanted - self._count, 0) + MFCC_WINDOW_SAMPLES
        self._gathered.append(np.zeros(silence, np.int16))
        self._compute()
        voice = np.concatenate(self._voice) if self._voice else np.zeros(1, np.float32)
        heard_s = (np.arange(len(voice)) + 0.5) * WINDOW_SAMPLES / SAMPLE_RATE_HZ
        grid_s = (np.arange(frames) + 0.5) / RATE_HZ
        rows = np.concatenate([*self._mfcc, np.zeros((0, COEFFICIENTS), np.float32)])
        return AudioFeatures(np.interp(grid_s, heard_s, voice).astype(np.float32), rows[: frames * MFCC_PER_FRAME])

    def _take(self, frame: av.AudioFrame | None) -> None:
        for piece in self._resampler.resample(frame):
            samples = piece.to_ndarray().reshape(-1).astype(np.int16, copy=False)
            self._gathered.append(samples)
            self._count += len(samples)
        if sum(map(len, self._gathered)) >= _BLOCK_SAMPLES:
            self._compute()

    def _compute(self) -> None:
        samples = np.concatenate(self._gathered)
        self._gathered = []
        self._voice.append(self._voice_activity.feed(samples))
        waiting = np.concatenate([self._rest, samples])
        rows = mfcc(waiting, before=self._before)
        self._mfcc.append(rows)
        used = len(rows) * STEP_SAMPLES
        if used:
            self._before = int(waiting[used - 1])
        self._rest = waiting[used:]
