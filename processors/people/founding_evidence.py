"""Whether tracklets are evidence enough for a person who resembles nobody else in the video.

Nobody gets a folder for a glimpse. A person needs an embedded face of `_FOUNDING_QUALITY` and `_FOUNDING_S` on screen,
or a track that was followed well for `_STEADY_S` or at all for `_LASTING_S`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.types import Tracklet

_FOUNDING_S = 0.4
"""time on screen, seconds, that a person who resembles nobody else needs"""
_FOUNDING_QUALITY = 0.1
"""quality that the best embedded face of a person needs,"""
_STEADY_S, _STEADY_SCORE = 1.0, 0.8
"""... or time on screen, seconds, and mean score of a face that was followed so well that it is somebody, however small
or turned; the detector's own threshold for new faces is 0.9"""
_LASTING_S = 2.0
"""... or time on screen, seconds, that is enough whatever the score: a track of weak scores is kept only where a
verifier knew its face (`processors.faces.track_check`). Twice `_STEADY_S` for caution; the labelled clips have only one
track between the two rules, a small blurred face of 2.3 s, so they do not say where the limit lies"""


def founds_person(tracklets: Sequence[Tracklet], bounds_s: NDArray[np.float64]) -> bool:
    """Whether `tracklets`, which show one face, found a person.

    tracklets: at least one, all with embeddings. bounds_s: (F + 1,) float64, see `FaceAnalysis.bounds_s`.
    """
    visible_s = [_visible_s(tracklet, bounds_s) for tracklet in tracklets]
    if sum(visible_s) < _FOUNDING_S:
        return False
    if max(float(t.sample_quality.max()) for t in tracklets) >= _FOUNDING_QUALITY:
        return True
    return any(
        seconds >= _LASTING_S or (seconds >= _STEADY_S and float(t.scores[t.scores > 0].mean()) >= _STEADY_SCORE)
        for t, seconds in zip(tracklets, visible_s, strict=True)
    )


def _visible_s(tracklet: Tracklet, bounds_s: NDArray[np.float64]) -> float:
    seen = tracklet.frames[tracklet.scores > 0]
    return float((bounds_s[seen + 1] - bounds_s[seen]).sum())
