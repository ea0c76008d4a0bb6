"""Whether a jump after repeated frames shows the same scene again, a while later: a stream or a call that stalled.

A stalled stream repeats its image and then goes on where the scene has got to meanwhile. In the next frame everything
that moves has moved by the whole time, which looks like a cut. What tells them apart is the scene itself: before the
freeze it changed about as much in as much time. A freeze frame that an editor put before a cut ends with an image that
has nothing to do with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Reach = tuple[int, int]

MIN_REPEATS = 2
"""least frames in a row that repeat the one before; single ones are left by conversions of the frame rate, anywhere"""
MAX_REPEAT_CHANGE = 0.1
"""largest median change of repeated frames, grey levels. H.264 leaves 0.01 to 0.1 (0.24 at a starved rate), people who
keep still 0.2 and more"""

MAX_GROWTH = 1.25
"""largest mismatch across the freeze, as a multiple of the largest one of two frames before it that are as far apart;
with the usual reach and with the far one"""
FAR_REACH = 12, 9
"""how far a block may have moved meanwhile, across and down, px; three times as far as in one frame"""
MAX_FAR_MISMATCH = 0.42
"""largest mismatch across the freeze with that reach: an image that is as foreign as at a strong cut is not the same
scene, however fast that moved"""


def is_catching_up(
    changes: Sequence[float], frozen_change: float, mismatch: Callable[[int, int, Reach], float], reach: Reach
) -> bool:
    """Whether a jump is explained by the motion of the scene while its image stood still.

    changes: (n,) mean change of each frame of the shot, grey levels, up to the first one after the jump. frozen_change:
    a frame that changes less may repeat the one before. mismatch: computes that of two of these frames by their
    positions, with a reach; called only if it matters. reach: the usual one.
    """
    jump = len(changes) - 1
    moving = jump
    while moving > 0 and changes[moving - 1] < frozen_change:
        moving -= 1
    repeats = changes[moving:jump]
    # The first frame after the jump is one later than the last repeated one.
    span = min(len(repeats) + 1, moving - 1)
    if len(repeats) < MIN_REPEATS or span < 1 or np.median(repeats) > MAX_REPEAT_CHANGE:
        return False
    if mismatch(jump - 1, jump, FAR_REACH) > MAX_FAR_MISMATCH:
        return False
    starts = range(0, moving - span, max(span // 3, 1))

    def is_usual(reach: Reach) -> bool:
        found = mismatch(jump - 1, jump, reach)
        return any(found <= MAX_GROWTH * mismatch(start, start + span, reach) for start in starts)

    return is_usual(reach) and is_usual(FAR_REACH)
