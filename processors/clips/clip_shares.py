"""Divides the clips of a long video between processes that may run on several machines.

Clips that overlap stay together, because they are decoded once. What a share holds follows from the clips and the
number of shares alone, so every process finds its own without asking the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.types import FaceAnalysis, Segment
from processors.clips.render_plan import may_start_anywhere, split_evenly

SHARE_S = 300.0
"""Clips in a share, seconds. Their rendering takes about three minutes of CPU time at 1080p; what a process of its own
costs beyond that is its start and reading the analysis, a few seconds. What is lost with it is no more than this."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Overlapping clips. members: their numbers. frames: of all of them."""

    members: tuple[int, ...]
    frames: int


def share_count(segments: Sequence[Segment], analysis: FaceAnalysis) -> int:
    """How many shares are worth while; 1 where all has to be decoded from the beginning, see `may_start_anywhere`."""
    if not may_start_anywhere(analysis):
        return 1
    seconds = sum(analysis.seconds_at(s.end) - analysis.seconds_at(s.start) for s in segments)
    return max(1, min(int(seconds / SHARE_S), len(_groups(segments))))


def clip_share(segments: Sequence[Segment], number: int, count: int) -> list[int]:
    """Which of the clips of `segments` are in the share `number` (from 0) of `count`, in the order of `segments`.

    Every clip is in exactly one share. A share may be empty.
    """
    shares = split_evenly(_groups(segments), count)
    return sorted(member for group in shares[number] for member in group.members) if number < len(shares) else []


def _groups(segments: Sequence[Segment]) -> list[_Group]:
    groups: list[list[int]] = []
    end = 0
    for i in sorted(range(len(segments)), key=lambda i: (segments[i].start, segments[i].end, i)):
        if groups and segments[i].start < end:
            groups[-1].append(i)
        else:
            groups.append([i])
        end = max(end, segments[i].end)
    return [_Group(tuple(members), sum(segments[i].end - segments[i].start for i in members)) for members in groups]
