"""Limits of similarity at which a track changes from one person to another, for each embedder."""

from __future__ import annotations

from typing import NamedTuple


class ChangeLimit(NamedTuple):
    """max_across: greatest similarity of all pairs of samples across the moment.

    min_within: least similarity of the best pair on each side.
    """

    max_across: float
    min_within: float


class ChangeLimits(NamedTuple):
    """Limits by what happened at the moment (`processors.faces.track_division.Transition`).

    The defaults are dlib's, measured on the development clips with three samples a second. Two people, sharp and in
    continuous view: at most 0.03 across, 0.98 on each side; 19 to 30 px high, over a loss: 0.05 to 0.17. One person in
    continuous view: 0.07 or more, but 0.005 where landmarks went wrong for a while (and then 0.49 on one side); hidden:
    0.11. They are strict, so they serve embedders that have not been measured.

    After a loss a limit may be loose: pieces of one person are joined again when tracklets are grouped.
    """

    continued: ChangeLimit = ChangeLimit(0.03, 0.9)
    jumped: ChangeLimit = ChangeLimit(0.06, 0.3)
    switched: ChangeLimit = ChangeLimit(0.06, 0.3)
    found_again: ChangeLimit = ChangeLimit(0.06, 0.3)
    found_elsewhere: ChangeLimit = ChangeLimit(0.2, 0.3)


STRICT_LIMITS = ChangeLimits()
"""dlib's, and those of embedders that have not been measured"""
