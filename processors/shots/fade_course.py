"""How far the fades around a flat image reach: the contrast falls to it and rises from it.

An image that fades out and another that fades in at once are often found as one fade only, or as a cut, because the
flat image is there too briefly to be an end of both; a dip is over before the last tenth of its contrast is back. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.types import FloatArray
from processors.shots.dip import FLAT_SHARE, MIN_DIP_CONTRAST
from processors.shots.shot_boundary import ShotBoundary, Span

REACH_S = 1.2
"""longest time from the flattest frame to a whole image, seconds"""

LEVEL_S, LEVEL_RISE = 0.12, 1.03
"""an image is whole when its contrast rises by no more than this factor within this time, seconds"""


def with_fades(boundaries: Sequence[ShotBoundary], contrasts: FloatArray, rate: float) -> list[ShotBoundary]:
    """Dissolves and cuts at a flat image reach as far as the images fade; all in order of time.

    The shortest dips look like a cut, since hardly any frame is half faded.

    contrasts: (F,) float32, standard deviation of each frame of the video, grey levels. rate: frames per second.
    """
    ordered = sorted(boundaries, key=lambda boundary: boundary.frame)
    limits = [0, *(boundary.frame for boundary in ordered), len(contrasts)]
    found = []
    for boundary, earliest, latest in zip(ordered, limits, limits[2:], strict=False):
        if boundary.transition != "wipe":
            known = boundary.mixed or (boundary.frame, boundary.frame)
            first, end = _faded(contrasts[:latest], earliest, known, rate)
            boundary = replace(boundary, mixed=(first, end) if first < end else None)
        found.append(boundary)
    return found


def _faded(contrasts: FloatArray, earliest: int, mixed: Span, rate: float) -> Span:
    first, end = max(mixed[0] - 1, earliest), min(mixed[1] + 1, len(contrasts))
    if first >= end:
        return mixed
    flattest = first + int(np.argmin(contrasts[first:end]))
    reach, look = round(REACH_S * rate), max(round(LEVEL_S * rate), 2)
    before = _whole_after(contrasts[max(flattest - reach, earliest) : flattest + 1][::-1], look)
    after = _whole_after(contrasts[flattest : flattest + reach + 1], look)
    return min(mixed[0], flattest - before + 1), max(mixed[1], flattest + after)


def _whole_after(contrasts: FloatArray, look: int) -> int:
    """How many frames after a flat one, the first of `contrasts`, an image is whole; 0 if none is."""
    least = max(float(contrasts[0]) / FLAT_SHARE, MIN_DIP_CONTRAST)
    for position, contrast in enumerate(contrasts[:-look].tolist()):
        if contrast >= least and float(contrasts[position + 1 : position + 1 + look].max()) <= LEVEL_RISE * contrast:
            return position
    return 0
