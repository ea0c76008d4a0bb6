"""Whether a run of frames is a gradual transition, and which: a dissolve or fade, or a wipe of any kind."""

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

DISSOLVE_MISMATCH = 0.4
"""least mismatch of the first and the last frame of a dissolve"""

POOR_FIT, POOR_FIT_MISMATCH = 0.25, 0.6
"""least mismatch where a dissolve fits as poorly as this. A quick zoom or pan looks like a poor mixture of two frames
that have something in common; true dissolves that fit as poorly, because both shots move, lie between images that have
nothing in common (0.75 or more)"""

WIPE_MISMATCH = 0.6
"""least mismatch of the first and the last frame of a wipe or a slide. Made ones have 0.66 or more; somebody who comes
near to the camera in front of a room has 0.5"""

MIN_STILL_S, MIN_WIPE_S = 0.2, 0.2
"""least time for which both images are seen before and after a wipe, and that it takes, seconds: who passes close to
the camera hides all of the picture for less, and a camera swishes as quickly"""

MIN_UNLIKENESS = 0.5
"""least squared difference of the first and the last frame of a wipe, as a share of what both vary within themselves: 1
if they have nothing in common. Made wipes have 0.71 or more, nine in ten other runs less; a cheap first test"""


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
    dissolve = fit_dissolve(run)
    if dissolve is not None:
        least = POOR_FIT_MISMATCH if dissolve.residual > POOR_FIT else DISSOLVE_MISMATCH
        return _transition("dissolve", dissolve) if mismatch() >= least * strictness else None
    if not run.is_level(round(MIN_STILL_S * rate)):
        return None
    variation = sum(float(np.var(frame.mixture)) * frame.mixture.size for frame in (frames[0], frames[-1]))
    if run.energy < MIN_UNLIKENESS * variation or mismatch() < WIPE_MISMATCH * strictness:
        return None
    wipe = fit_wipe(run) or fit_slide([frame.grey for frame in frames])
    if wipe is None or run.duration < MIN_WIPE_S * rate:
        return None
    return _transition("wipe", wipe)


def _transition(transition: Literal["dissolve", "wipe"], fit: GradualFit) -> GradualTransition:
    return GradualTransition(transition, fit.middle, fit.settled)
