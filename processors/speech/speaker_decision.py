"""Which of the faces in a shot speaks: each face's own log-odds, compared with the voice and with the other faces.

Networks for this task recognise that a mouth moves as in speech and that there is a voice, but hardly that the two
belong together. Over several seconds, the opening of the mouth shows it. Its correlation with the loudness of the
voice, both without their slow parts, is 0.5 for the speaker and 0.1 for others who talk or grimace, with a standard
deviation of 0.17 each. That is too slow and too weak for finding turns, but it decides between faces that seem to speak
at the same time for long.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.models.speech_net import RATE_HZ
from processors.speech.speech_signal import running_mean, voiced

SYNC_WINDOW_S = 6.0
"""window over which lips and loudness are compared. Shorter ones are worse: AUC 0.83 at 2 s, 0.92 at 4, 0.96 at 6"""

LAGS = range(-2, 4)
"""frames by which the loudness may lag behind the opening; the best lag counts. People take 45 ms of early and 125 ms
of late audio for synchronous (ITU-R BT.1359), and lips open before some sounds"""

SYNC_MARGIN = 0.48
"""difference of the correlations (as Fisher's z) at which one of two talkers is taken for the only one: two
standard deviations of it"""

TALKER_SYNC = 0.54
"""mean of speakers; a face with such synchrony is never taken for silent"""

OVERLAP_S, OVERLAP_SHARE = 4.0, 0.8
"""two faces that both seem to speak for this share of this time are compared; people talk over each other for less"""

SYNC_WEIGHT = 0.3
"""weight of the synchrony's own log-odds without the network"""
_SYNC_SLOPE, _SYNC_MIDDLE, _MAX_SYNC = 15.0, 0.33, 3.0
"""log-odds of z: the logarithm of the ratio of two normal distributions with the means and deviation above"""

RIVAL_WINDOW_S = 2.0
"""window over which faces are compared without the network; long enough for a few words"""
RIVAL_WEIGHT = 0.8
"""share of another face's lead in log-odds that is subtracted from a face's own: mostly one person speaks at a time.

Chosen with benchmarks/quality/speech.py. With each clip judged by the value chosen on the others (0.3 to 1.2), false
alarms fall from 0.11 to 0.05; at 1.2, people who talk at the same time are no longer found.
"""
_MAX_RIVAL = 4.0
"""a larger lead counts no more"""

_FAST_FRAMES, _SLOW_FRAMES = 5, 25
"""the compared band: slower than 0.2 s and faster than 1 s, that is, syllables"""
_FULL_TRUST_S = 3.0
"""shortest time of voice with the face in the frame; below it, synchrony says little"""


def lip_sync(
    opening: NDArray[np.floating], energy: NDArray[np.floating], voice: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Fisher's z of the correlation of each mouth with the loudness around each frame, (F, N); 0 where unknown.

    opening: (F, N), NaN where a face is not in the frame. energy: (N,) logarithm. voice: (N,) from `voiced`.
    """
    mouth, audio = _syllables(opening), _syllables(energy)
    window = round(SYNC_WINDOW_S * RATE_HZ)
    best = np.full(opening.shape, -1.0)
    for lag in LAGS:
        together = np.isfinite(mouth) & (voice > 0)
        a = np.where(together, mouth, np.nan)
        b = np.where(together, np.roll(audio, lag), np.nan)
        products = (running_mean(product, window) for product in (a * b, a * a, b * b))
        ab, aa, bb = (np.nan_to_num(product) for product in products)
        best = np.maximum(best, ab / np.sqrt(aa * bb + 1e-12))
    return np.where(np.isfinite(opening), np.arctanh(np.clip(best, -0.99, 0.99)), 0.0)


def _syllables(values: NDArray[np.floating]) -> NDArray[np.float64]:
    return running_mean(values, _FAST_FRAMES) - running_mean(values, _SLOW_FRAMES)


def against_rivals(log_odds: NDArray[np.floating]) -> NDArray[np.float64]:
    """`log_odds`, (F, N) with NaN where a face is not in the frame, minus the lead of the best other face."""
    own = np.asarray(log_odds, np.float64)
    if len(own) < 2:
        return own
    means = running_mean(own, round(RIVAL_WINDOW_S * RATE_HZ))
    found: NDArray[np.float64] = own.copy()
    for face in range(len(own)):
        best_other = np.fmax.reduce(np.delete(means, face, axis=0), axis=0)
        lead = np.nan_to_num(best_other - means[face])
        found[face] -= RIVAL_WEIGHT * np.clip(lead, 0, _MAX_RIVAL)
    return found


def decide(
    log_odds: NDArray[np.floating],
    opening: NDArray[np.floating],
    energy: NDArray[np.floating],
    voice: NDArray[np.floating],
    *,
    use_sync: bool,
) -> NDArray[np.float64]:
    """The log-odds that each face of one shot is speaking, (F, N), NaN where it is not in the frame.

    log_odds, opening: (F, N) of each face by itself, NaN likewise. energy: (N,). voice: (N,) voice activity in
    [0, 1]. use_sync: whether synchrony is evidence by itself, as without the network.
    """
    anybody = voiced(voice)
    sync = lip_sync(opening, energy, anybody)
    own = np.asarray(log_odds, np.float64)
    if use_sync:
        seen_s = running_mean(np.where(np.isfinite(opening) & (anybody > 0), 1.0, 0.0), round(SYNC_WINDOW_S * RATE_HZ))
        trust = np.minimum(seen_s * SYNC_WINDOW_S / _FULL_TRUST_S, 1)
        own = own + SYNC_WEIGHT * trust * np.clip(_SYNC_SLOPE * (sync - _SYNC_MIDDLE), -_MAX_SYNC, _MAX_SYNC)
        own = against_rivals(own)
    decided = np.minimum(own, anybody)
    speaking = np.nan_to_num(decided, nan=-1.0) > 0
    window = round(OVERLAP_S * RATE_HZ)
    heard = running_mean((anybody > 0).astype(np.float64), window)
    for face in range(len(own)):
        for other in range(len(own)):
            both = speaking[face] & speaking[other]
            if face == other or not both.any():
                continue
            long = running_mean(both.astype(np.float64), window) > OVERLAP_SHARE * heard
            lead = sync[other] - sync[face] - SYNC_MARGIN
            silent = both & long & (lead > 0) & (sync[face] < TALKER_SYNC)
            decided[face] = np.where(silent, np.minimum(decided[face], -1.0), decided[face])
    return decided
