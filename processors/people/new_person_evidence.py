"""Whether tracklets that resemble nobody else in the video are enough evidence for a person of their own.

A face that is seen for a moment gets no folder. A person needs `_MIN_VISIBLE_S` on screen, and either an embedded face
of `_MIN_QUALITY`, or a track that was followed well for `_STEADY_S`, or one of any score for `_LASTING_S`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.types import Tracklet

_MIN_VISIBLE_S = 0.4
"""least time on screen, seconds"""
_MIN_QUALITY = 0.1
"""least quality of the best embedded face, in [0, 1];"""
_STEADY_S, _STEADY_SCORE = 1.0, 0.8
"""... or time on screen, seconds, and mean score of a face that was followed so well that it is somebody, however small
or turned; the detector's own threshold for new faces is 0.9"""
_LASTING_S = 2.0
"""... or time on screen, seconds, that is enough whatever the score: a track of weak scores is kept only where a
verifier knew its face (`processors.faces.track_check`). Twice `_STEADY_S` for caution; the labelled clips have only one
track between the two rules, a small blurred face of 2.3 s, so they do not say where the limit lies"""


def supports_new_person(tracklets: Sequence[Tracklet], bounds_s: NDArray[np.float64]) -> bool:
    """Whether `tracklets`, which show one face, make a person.

    tracklets: at least one, all with embeddings. bounds_s: (F + 1,) float64, see `FaceAnalysis.bounds_s`.
    """
    visible_s = [_visible_s(tracklet, bounds_s) for tracklet in tracklets]
    if sum(visible_s) < _MIN_VISIBLE_S:
        return False
    if max(float(t.sample_quality.max()) for t in tracklets) >= _MIN_QUALITY:
        return True
    return any(
        seconds >= _LASTING_S or (seconds >= _STEADY_S and float(t.scores[t.scores > 0].mean()) >= _STEADY_SCORE)
        for t, seconds in zip(tracklets, visible_s, strict=True)
    )


def _visible_s(tracklet: Tracklet, bounds_s: NDArray[np.float64]) -> float:
    seen = tracklet.frames[tracklet.scores > 0]
    return float((bounds_s[seen + 1] - bounds_s[seen]).sum())
