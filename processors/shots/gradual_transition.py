"""Whether a run of frames is a gradual transition, and which: a dissolve or fade, or a wipe of any kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from processors.shots.dissolve_fit import fit_dissolve
from processors.shots.gradual_run import gradual_run
from processors.shots.slide_fit import fit_slide
from processors.shots.small_frame import SmallFrame
from processors.shots.wipe_fit import fit_wipe

MIN_MISMATCH = 0.4
"""least mismatch of the first and the last frame"""

POOR_FIT, POOR_FIT_MISMATCH = 0.25, 0.6
"""least mismatch where a transition fits as poorly as this. A quick zoom or pan looks like a poor mixture of two frames
that have something in common; true dissolves that fit as poorly, because both shots move, lie between images that have
nothing in common (0.75 or more)"""

MIN_STILL_S, MIN_WIPE_S = 0.2, 0.2
"""least time for which both images are seen before and after a wipe, and that it takes, seconds: who passes close to
the camera hides all of the picture for less, and a camera swishes as quickly"""

MIN_UNLIKENESS = 0.5
"""least squared difference of the first and the last frame of a slide, as a share of what both vary within themselves:
1 if they have nothing in common. Made ones have 0.71 or more, nine in ten other runs less; a cheap first test"""


@dataclass(frozen=True, slots=True)
class GradualTransition:
    """middle, settled: positions in the run of the first frame that shows more new than old, and hardly any old."""

    transition: Literal["dissolve", "wipe"]
    middle: int
    settled: int


def find_gradual(
    frames: Sequence[SmallFrame], rate: float, mismatch: Callable[[], float], strictness: float = 1.0
) -> GradualTransition | None:
    """The transition from the first to the last of `frames`, between two stretches without change; None if it is none.

    rate: frames per second. mismatch: gives that of the first and the last frame, see `block_matching`; called only
    where that is in question. strictness: multiple of the mismatch that is asked for.
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
    least = POOR_FIT_MISMATCH if fit.residual > POOR_FIT else MIN_MISMATCH
    return GradualTransition(transition, fit.middle, fit.settled) if mismatch() >= least * strictness else None


def _are_unlike(first: SmallFrame, last: SmallFrame) -> bool:
    """Whether two images have so little in common that one may slide over the other; a cheap test."""
    difference = float(np.square(last.mixture - first.mixture).mean())
    variation = float(np.var(first.mixture)) + float(np.var(last.mixture))
    return difference >= MIN_UNLIKENESS * variation
