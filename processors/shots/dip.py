"""Quick dips: an image fades to a flat one (black, white, any colour) and another comes out of it, all within a second.

No frame of a dip is a mixture of the first and the last one, and the flat image is there too briefly to be the end of a
fade; so neither rule for gradual transitions sees it. What shows it is the contrast, which falls to almost nothing and
comes back, while what is left of either image stays in its place: a quick pan over a blank wall loses contrast too, but
moves. A flash or a blink of the light in one shot has the same course, and ends with the image that it began with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_DIP_S = 1.2
"""longest time from the last undisturbed frame to the first one, seconds; slower fades are found as such"""

FLAT_SHARE = 0.3
"""contrast of the flattest frame of a dip, as a share of that before and after"""

LEVEL_FRAMES, LEVEL_SHARE = 3, 0.9
"""the dip is over when so many frames in a row have at least this share of the greatest of their contrasts; it begins
after the last frame with at least this share of the greatest contrast before"""

MIN_DIP_CONTRAST = 12.0
"""least contrast (standard deviation, grey levels) before and after; in darker images noise is a large part of it"""

MIN_MISMATCH = 0.5
"""least mismatch of the images before and after; one shot whose light blinks has less, even if somebody moves"""

MAX_FADED_MISMATCH = 0.25
"""greatest mismatch of a half faded frame and the image that it belongs to"""


@dataclass(frozen=True, slots=True)
class Dip:
    """Positions in the contrasts given: the last frame before, the flattest, and the first undisturbed one after."""

    before: int
    flattest: int
    after: int


def find_dip(
    contrasts: NDArray[np.floating], rate: float, mismatch: Callable[[int, int], float], strictness: float = 1.0
) -> Dip | None:
    """The dip between two images that ends with the last of `contrasts`; None if there is none.

    contrasts: (n,) standard deviation of successive frames, grey levels. rate: frames per second. mismatch: computes
    that of two frames by their positions, see `block_matching`; called only if it matters. strictness: multiple of the
    required mismatch.
    """
    dip = _course(contrasts, rate)
    if dip is None:
        return None
    faded = [*_half_faded(contrasts, dip.before, dip.flattest), *_half_faded(contrasts, dip.after, dip.flattest)]
    if not faded or mismatch(dip.before, dip.after) < MIN_MISMATCH * strictness:
        return None
    return dip if all(mismatch(*pair) <= MAX_FADED_MISMATCH for pair in faded) else None


def _course(contrasts: NDArray[np.floating], rate: float) -> Dip | None:
    """The fall and rise of the contrast that ends with the last one, whatever the images show."""
    if len(contrasts) < LEVEL_FRAMES + 2 or not _is_level(contrasts):
        return None
    after = len(contrasts) - LEVEL_FRAMES
    longest = round(MAX_DIP_S * rate)
    first = max(after - longest, 0)
    flattest = first + int(np.argmin(contrasts[first:after]))
    least = float(contrasts[flattest]) / FLAT_SHARE
    if flattest == first or least > contrasts[after]:
        return None
    earlier = contrasts[first:flattest]
    before = first + int(np.flatnonzero(earlier >= LEVEL_SHARE * earlier.max())[-1])
    if contrasts[before] < least or not _is_level(contrasts[: before + 1]):
        return None
    return Dip(before, flattest, after)


def _is_level(contrasts: NDArray[np.floating]) -> bool:
    """Whether the last of these contrasts are those of whole images."""
    last = contrasts[-LEVEL_FRAMES:]
    return bool(last.min() >= max(LEVEL_SHARE * last.max(), MIN_DIP_CONTRAST))


def _half_faded(contrasts: NDArray[np.floating], whole: int, flattest: int) -> list[tuple[int, int]]:
    """Pairs of positions, in order: the whole image and each frame on the way to the flattest that still shows it."""
    first, end = sorted((whole, flattest))
    shown = [f for f in range(first + 1, end) if contrasts[f] >= FLAT_SHARE * contrasts[whole]]
    return [(min(whole, f), max(whole, f)) for f in shown]
