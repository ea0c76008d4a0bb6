"""Whether a jump is what the motion around it makes of a frame that is missing.

Footage is often brought to a lower frame rate by leaving out frames: every sixth one from 30 to 25 frames/s. Whatever
moves goes twice as far in the frame after a gap, which stands out like a cut. What tells them apart is the motion
beside it: in one frame more than the jump takes, the scene changes about as much there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from processors.shots.freeze import FAR_REACH, MAX_FAR_MISMATCH, MAX_GROWTH, Reach

Step = tuple[int, int]


def is_missing_frame(
    jump: Step,
    longer: Sequence[Step],
    change: Callable[[int, int], float],
    mismatch: Callable[[int, int, Reach], float],
    reach: Reach,
) -> bool:
    """Whether the motion of the scene and a missing frame explain a jump.

    The limits are those of an image that stood still, whose motion is missed as well.

    jump: the frames before and after it. longer: pairs of frames beside it, each one frame further apart. change: gives
    how much the image changes on the way from one frame to the other, grey levels. mismatch: computes that of two
    frames, with a reach; called only if it matters. reach: the usual one.
    """
    if not longer or change(*jump) > MAX_GROWTH * max(change(*step) for step in longer):
        return False
    if mismatch(*jump, FAR_REACH) > MAX_FAR_MISMATCH:
        return False
    return all(
        mismatch(*jump, far) <= MAX_GROWTH * max(mismatch(*step, far) for step in longer) for far in (reach, FAR_REACH)
    )
