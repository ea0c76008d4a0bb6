"""From log-odds per frame to turns, the intervals in which a person speaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLOSED_GAP_S = 0.24
"""longest pause inside or between words, which is perceived as speech"""
SHORTEST_TURN_S = 0.2
"""shorter turns are dropped: no word is so short"""


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """[start_s, end_s) from the beginning of the first frame. score: mean log-odds."""

    start_s: float
    end_s: float
    score: float

    @property
    def duration_s(self) -> float:
        """Length of the turn, seconds."""
        return self.end_s - self.start_s


def turns(
    starts_s: NDArray[np.floating],
    ends_s: NDArray[np.floating],
    log_odds: NDArray[np.floating],
    *,
    gap_s: float = CLOSED_GAP_S,
    shortest_s: float = SHORTEST_TURN_S,
) -> list[Turn]:
    """Where the log-odds of one tracklet are above zero, in order; a long gap between its frames divides a turn.

    starts_s, ends_s: (T,) when each of its frames begins and ends to be shown. log_odds: (T,), NaN counts as silence.
    gap_s: shorter pauses do not divide a turn. shortest_s: shorter turns are then dropped.
    """
    speaking = np.nan_to_num(log_odds, nan=-1.0) > 0
    pieces = [
        Turn(float(start), float(end), float(value))
        for start, end, value in zip(starts_s[speaking], ends_s[speaking], log_odds[speaking], strict=True)
    ]
    return [turn for turn in joined(pieces, gap_s=gap_s) if turn.duration_s >= shortest_s - 1e-9]


def joined(pieces: Iterable[Turn], *, gap_s: float = CLOSED_GAP_S) -> list[Turn]:
    """`pieces` of all tracklets of one person, in order; those up to `gap_s` apart, or overlapping, are joined."""
    found: list[Turn] = []
    for turn in sorted(pieces):
        if found and turn.start_s <= found[-1].end_s + gap_s + 1e-9:
            last = found.pop()
            weight = last.duration_s + turn.duration_s
            score = (last.score * last.duration_s + turn.score * turn.duration_s) / max(weight, 1e-9)
            turn = Turn(last.start_s, max(last.end_s, turn.end_s), score)
        found.append(turn)
    return found


def widened(pieces: Sequence[Turn], start_s: float, end_s: float, *, lead_s: float, tail_s: float) -> list[Turn]:
    """`pieces` begun `lead_s` earlier and ended `tail_s` later, within the shot [start_s, end_s).

    If two would then overlap, they meet in the middle of the pause between them.
    """
    inside = [turn for turn in sorted(pieces) if turn.end_s > start_s and turn.start_s < end_s]
    found = []
    for i, turn in enumerate(inside):
        earliest = start_s if i == 0 else max(start_s, (inside[i - 1].end_s + turn.start_s) / 2)
        latest = end_s if i == len(inside) - 1 else min(end_s, (turn.end_s + inside[i + 1].start_s) / 2)
        found.append(Turn(max(turn.start_s - lead_s, earliest), min(turn.end_s + tail_s, latest), turn.score))
    return found
