"""Who speaks in a video whose faces are known: log-odds per frame for each tracklet."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.models.face_mesh import FaceMesh
from core.models.speech_net import MFCC_PER_FRAME, RATE_HZ, SpeechNet, chunks, models_name
from core.models.voice_activity import VoiceActivity
from core.types import FaceAnalysis, FloatArray
from processors.speech.audio_features import AudioFeatures, read_audio_features
from processors.speech.mfcc import COEFFICIENTS
from processors.speech.mouth_features import MouthFeatures, MouthReader
from processors.speech.speaker_decision import decide
from processors.speech.speech_signal import movement_log_odds, network_log_odds, network_scores, voiced

logger = logging.getLogger(__name__)

SILENCE = -4.0
"""log-odds of a frame that was not examined, because there is no voice near it"""

AROUND_VOICE_S = 2.0
"""mouths are examined for this long before and after every voice, because the decision needs context"""


@dataclass(frozen=True, slots=True)
class SpeechModels:
    """Models of the pass. nets: one or both sets of LR-ASD's weights; none: the embedded signal."""

    voice_activity: VoiceActivity
    mesh: FaceMesh
    nets: Sequence[SpeechNet] = ()

    @property
    def name(self) -> str:
        """Description for keys and manifests."""
        return models_name(net.key for net in self.nets)


@dataclass(frozen=True, slots=True, eq=False)
class SpeechColumns:
    """columns: by id of the tracklet, (T,) float32 log-odds that the face is speaking at each of its frames.

    voiced_s: how long anybody speaks. looked_at_s: face-seconds that were examined.
    """

    columns: dict[int, FloatArray]
    voiced_s: float
    looked_at_s: float


@dataclass(slots=True, eq=False)
class _Face:
    """One tracklet on the rows [first, first + K) of its shot's grid."""

    opening: NDArray[np.float64]
    scores: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def find_speech(
    analysis: FaceAnalysis, models: SpeechModels, *, decode_threads: int = 1, stop: threading.Event | None = None
) -> SpeechColumns | None:
    """The speech columns of all tracklets; None if the video has no audio.

    Raises:
        DecodeError: the file cannot be opened any more.
        InterruptedRunError: `stop` was set meanwhile.
    """
    # Counted from the first decoded frame, where the audio begins, too.
    times_s = analysis.bounds_s - analysis.bounds_s[0]
    audio = read_audio_features(analysis, float(times_s[-1]), models.voice_activity, stop=stop)
    if audio is None:
        return None
    anybody = voiced(audio.voice) > 0
    wanted = widened(anybody, round(AROUND_VOICE_S * RATE_HZ))
    faces: dict[int, list[tuple[int, _Face]]] = {}
    reader = MouthReader(models.mesh, models.nets)
    looked_at = 0
    for mouths in reader.read(analysis, times_s, wanted, decode_threads=decode_threads, stop=stop):
        looked_at += len(mouths.opening)
        faces.setdefault(mouths.tracklet, []).append((mouths.first, _scored(mouths, audio, models.nets)))
    columns = {tracklet.id: np.full(len(tracklet.frames), SILENCE, np.float32) for tracklet in analysis.tracklets}
    for shot in analysis.shots:
        here = [tracklet for tracklet in analysis.tracklets if tracklet.shot == shot.index]
        decided, first = _decide_shot([(t.id, faces.get(t.id, [])) for t in here], audio, use_nets=bool(models.nets))
        for row, tracklet in enumerate(here):
            middles_s = (times_s[tracklet.frames] + times_s[tracklet.frames + 1]) / 2
            columns[tracklet.id] = at_times(decided[row], first, middles_s)
    return SpeechColumns(columns, float(anybody.sum()) / RATE_HZ, looked_at / RATE_HZ)


def widened(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """(N,) bool: where `mask`, (N,), is set at most `reach` rows away."""
    counts = np.concatenate([[0], np.cumsum(mask)])
    rows = np.arange(len(mask))
    low, high = np.maximum(rows - reach, 0), np.minimum(rows + reach + 1, len(mask))
    return np.asarray(counts[high] > counts[low])


def _scored(mouths: MouthFeatures, audio: AudioFeatures, nets: Sequence[SpeechNet]) -> _Face:
    face = _Face(mouths.opening)
    first, end = mouths.first, mouths.first + len(mouths.opening)
    rows = audio.mfcc[first * MFCC_PER_FRAME : end * MFCC_PER_FRAME].reshape(-1, COEFFICIENTS)
    for net in nets:
        face.scores[net.key] = network_scores(net, encoded_audio(net, rows), mouths.visual[net.key])
    return face


def encoded_audio(net: SpeechNet, mfcc: FloatArray) -> FloatArray:
    """`net.audio` of (4 T, 13) in chunks: an hour at once would need 600 MB."""
    parts = []
    for fed, kept in chunks(len(mfcc) // MFCC_PER_FRAME):
        parts.append(net.audio(mfcc[fed.start * MFCC_PER_FRAME : fed.stop * MFCC_PER_FRAME])[kept])
    return np.concatenate(parts)


def _decide_shot(
    faces: Sequence[tuple[int, Sequence[tuple[int, _Face]]]], audio: AudioFeatures, *, use_nets: bool
) -> tuple[NDArray[np.float64], int]:
    """((F, N) log-odds with NaN where a face was not examined, number of the first row)."""
    spans = [(first, first + len(face.opening)) for _, pieces in faces for first, face in pieces]
    if not spans:
        return np.full((len(faces), 0), np.nan), 0
    begin, end = min(first for first, _ in spans), max(last for _, last in spans)
    opening = np.full((len(faces), end - begin), np.nan)
    scores: dict[str, NDArray[np.float64]] = {}
    for row, (_, pieces) in enumerate(faces):
        for first, face in pieces:
            here = slice(first - begin, first - begin + len(face.opening))
            opening[row, here] = face.opening
            for key, values in face.scores.items():
                scores.setdefault(key, np.full_like(opening, np.nan))[row, here] = values
    own = network_log_odds(list(scores.values()), opening) if use_nets else movement_log_odds(opening)
    decided = decide(own, opening, audio.energy[begin:end], audio.voice[begin:end], use_sync=not use_nets)
    return decided, begin


def at_times(values: NDArray[np.float64], first: int, times_s: NDArray[np.float64]) -> FloatArray:
    """(T,) float32: `values`, (N,) from grid row `first` on, at `times_s`; `SILENCE` far from any known value."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return np.full(len(times_s), SILENCE, np.float32)
    middles_s = (known + first + 0.5) / RATE_HZ
    found = np.interp(times_s, middles_s, values[known])
    after = np.searchsorted(middles_s, times_s)
    nearest = np.minimum(
        np.abs(times_s - middles_s[np.minimum(after, len(known) - 1)]),
        np.abs(times_s - middles_s[np.maximum(after - 1, 0)]),
    )
    # At 10 frames a second, rows of the grid are repeated frames, so every frame has one in its own time.
    return np.where(nearest <= 1 / RATE_HZ, found, SILENCE).astype(np.float32)
