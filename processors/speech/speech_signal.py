"""Log-odds that one face, taken alone, is speaking, per frame of the 25 Hz grid.

There are two signals. The network's (LR-ASD) sees mouth and audio. The embedded one is the quick part of the mouth's
opening: speech opens and closes it several times a second, whereas smiles and yawns are slow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.models.speech_net import RATE_HZ, SpeechNet
from core.types import FloatArray

STRETCHES_S = (1, 2, 3, 4, 5, 6)
"""lengths of the stretches that the network's back end gets; the mean over all lengths counts.

The back end was trained on short tracks and drifts on long ones (Columbia's evaluation protocol does the same).
"""

_SCORE_FRAMES = 5
"""over which the network's scores are averaged"""

VOICE_LIMIT, _VOICE_FRAMES = 0.4, 9
"""voice activity, averaged over 0.36 s, below which nobody speaks"""
_VOICE_SLOPE = 10.0
"""log-odds per unit of voice activity: zero at the limit, and never decisive far above it"""

_SLOW_FRAMES = 5
"""the mean over 0.2 s is the slow part of the opening"""
MOVEMENT_FRAMES = 13
"""over which the quick part's root mean square is taken: half a second holds two syllables"""
MOVEMENT_LIMIT = 2.4e-3
"""quick movement, in heights of the face, at which speaking is as likely as not"""
STILL_LIMIT, _STILL_FRAMES = 0.8e-3, 25
"""quick movement over a second below which a mouth counts as shut, whatever the network says; twice the mesh's noise"""
_MOVEMENT_SLOPE = 3.0
"""log-odds per unit of the logarithm; from the distributions of speakers and listeners"""


def running_mean(values: NDArray[np.floating], frames: int) -> NDArray[np.float64]:
    """Means over an odd or even number of `frames` around each of `values` (..., K), NaN left out and kept."""
    known = np.isfinite(values)
    sums = _running_sum(np.where(known, values, 0.0), frames)
    counts = _running_sum(known.astype(np.float64), frames)
    return np.where(known, sums / np.maximum(counts, 1), np.nan)


def _running_sum(values: NDArray[np.floating], frames: int) -> NDArray[np.float64]:
    ahead = frames // 2
    padding = [(0, 0)] * (values.ndim - 1) + [(frames - 1 - ahead + 1, ahead)]
    total = np.cumsum(np.pad(np.asarray(values, np.float64), padding), axis=-1)
    sums = total[..., frames:] - total[..., :-frames]
    return np.asarray(sums)


def network_scores(net: SpeechNet, audio: FloatArray, visual: FloatArray) -> NDArray[np.float64]:
    """(K,) log-odds by one set of weights. audio, visual: (K, 128) features of K consecutive frames."""
    frames = len(visual)
    total = np.zeros(frames)
    for length in (seconds * RATE_HZ for seconds in STRETCHES_S):
        whole = frames // length
        if whole:
            cut = whole * length
            pieces = (part[:cut].reshape(whole, length, -1) for part in (audio, visual))
            total[:cut] += net.back_end(*pieces).reshape(-1)
        if whole * length < frames:
            total[whole * length :] += net.back_end(audio[None, whole * length :], visual[None, whole * length :])[0]
    return total / len(STRETCHES_S)


def quick_movement(opening: NDArray[np.floating], frames: int) -> NDArray[np.float64]:
    """Root mean square over `frames` of the quick part of a mouth's `opening` (..., K), in the opening's unit."""
    quick = opening - running_mean(opening, _SLOW_FRAMES)
    return np.asarray(np.sqrt(np.maximum(running_mean(quick * quick, frames), 0)))


def movement_log_odds(opening: NDArray[np.floating]) -> NDArray[np.float64]:
    """The embedded signal of mouths with these openings, (..., K) in heights of the face; NaN without a face."""
    return _MOVEMENT_SLOPE * _log_ratio(quick_movement(opening, MOVEMENT_FRAMES), MOVEMENT_LIMIT)


def network_log_odds(scores: Sequence[NDArray[np.floating]], opening: NDArray[np.floating]) -> NDArray[np.float64]:
    """The network's signal: the mean of `scores`, each (..., K), of one or both sets of weights.

    A mouth that stays shut does not speak, whatever the network says: with faces of 80 px it is often wrong there.
    """
    mean = running_mean(np.mean(np.stack(list(scores)), axis=0), _SCORE_FRAMES)
    still = _MOVEMENT_SLOPE * _log_ratio(quick_movement(opening, _STILL_FRAMES), STILL_LIMIT)
    return np.minimum(mean, still)


def voiced(voice: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N,) log-odds that anybody speaks at all, from voice activity (N,); at most 6."""
    return _VOICE_SLOPE * (running_mean(voice, _VOICE_FRAMES) - VOICE_LIMIT)


def _log_ratio(values: NDArray[np.float64], limit: float) -> NDArray[np.float64]:
    return np.asarray(np.log(np.maximum(values, 1e-6) / limit))
