"""Whether a run of frames is a gradual transition, and of which kind: a dissolve or fade, or any wipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from processors.shots.dissolve_fit import fit_dissolve
from processors.shots.gradual_run import GradualFit, gradual_run
from processors.shots.slide_fit import fit_slide
from processors.shots.small_frame import SmallFrame
from processors.shots.wipe_fit import fit_wipe

MIN_MISMATCH = 0.4
"""smallest mismatch of the first and the last frame"""

POOR_FIT, POOR_FIT_MISMATCH = 0.25, 0.6
"""smallest mismatch of a transition that fits as poorly as this. A quick zoom or pan looks like a poor mixture of two
frames with common content; true dissolves that fit as poorly, because both shots move, lie between images without
common content (0.75 or more)"""

MIN_STILL_S, MIN_WIPE_S = 0.2, 0.2
"""shortest time for which the old image is seen before and the new one after a wipe, and shortest duration of a wipe,
seconds: somebody who passes close to the camera covers the image for less, and a camera swish is as quick"""

MIN_UNLIKENESS = 0.5
"""smallest squared difference of the first and the last frame of a slide, as a share of the variance within both: 1 if
they have nothing in common. Generated slides have 0.71 or more, nine in ten other runs less; a cheap first test"""


FLAT_SHARE = 0.1
"""largest contrast of a flat image, as a share of that of the image that fades into or out of it. Coding noise has less
than 0.01, a small logo on black 0.05, captions 0.2 and more"""


@dataclass(frozen=True, slots=True)
class GradualTransition:
    """began, boundary, settled: positions in the run of the first frame with something of the new image, of the first
    frame of the new shot, and of the first with hardly any old.

    The new shot begins with the first frame that shows more new than old. But nothing is mixed in a fade from or to a
    flat image: all of it shows the one shot, so that shot begins with its first trace, or ends with its last one.
    """

    transition: Literal["dissolve", "wipe"]
    began: int
    boundary: int
    settled: int


def find_gradual(
    frames: Sequence[SmallFrame], rate: float, mismatch: Callable[[], float], strictness: float = 1.0
) -> GradualTransition | None:
    """The transition from the first to the last of `frames`, between two stretches without change; None if it is none.

    rate: frames per second. mismatch: computes that of the first and the last frame, see `block_matching`; called only
    if it matters. strictness: multiple of the required mismatch.
    """
    run = gradual_run([frame.mixture for frame in frames])
    if run is None:
        return None
    transition: Literal["dissolve", "wipe"] = "dissolve"
    fit = fit_dissolve(run)
    if fit is None:
        if not run.is_level(round(MIN_STILL_S * rate)) or run.duration < MIN_WIPE_S * rate:
            return None
        transition, fit = "wipe", fit_wipe(run)
    if fit is None and _are_unlike(frames[0], frames[-1]):
        fit = fit_slide([frame.grey for frame in frames])
    if fit is None:
        return None
    if mismatch() < least_mismatch(fit) * strictness:
        return None
    boundary = fit.middle if transition == "wipe" else _dissolve_boundary(fit, frames[0].contrast, frames[-1].contrast)
    return GradualTransition(transition, fit.began, boundary, fit.settled)


def least_mismatch(fit: GradualFit) -> float:
    """The smallest mismatch of the first and the last image with which a run that fits like this is a transition."""
    return POOR_FIT_MISMATCH if fit.residual > POOR_FIT else MIN_MISMATCH


def _dissolve_boundary(fit: GradualFit, first: float, last: float) -> int:
    """Where the new shot begins. first, last: contrasts of the first and the last image, grey levels."""
    if first <= FLAT_SHARE * last:
        return fit.first_trace
    return fit.pure if last <= FLAT_SHARE * first else fit.middle


def _are_unlike(first: SmallFrame, last: SmallFrame) -> bool:
    """Whether two images have so little in common that one may slide over the other; a cheap test."""
    difference = float(np.square(last.mixture - first.mixture).mean())
    variation = float(np.var(first.mixture)) + float(np.var(last.mixture))
    return difference >= MIN_UNLIKENESS * variation
