"""The order in which clips are made: overlapping ones together, and from several places of the video at a time.

A *group* is a set of clips that overlap, directly or through others: they are made in one decode. A *part* is a
sequence of groups that one worker makes; parts do not depend on each other. The plan follows from the clips alone, so
what is decoded from where does not depend on the machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from core.media.video_reader import is_indexed
from core.types import FaceAnalysis
from processors.clips.clip_spec import ClipSpec

PART_FRAMES = 1000
"""Frames of clips in a part. At the start of each part the decoder has to start at the key frame before it."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipGroup:
    """Clips that overlap, ordered by start. widest: the largest number of them that are open at a time."""

    specs: tuple[ClipSpec, ...]
    widest: int

    @property
    def frames(self) -> int:
        """Frames of all its clips together, a measure of the work."""
        return sum(spec.rows for spec in self.specs)


Part = tuple[ClipGroup, ...]


class _HasFrames(Protocol):
    @property
    def frames(self) -> int: ...


G = TypeVar("G", bound=_HasFrames)


def split_passes(specs: Sequence[ClipSpec], limit: int) -> list[list[ClipSpec]]:
    """Clips in time order, in as few passes as possible so that no more than `limit` overlap in any of them."""
    passes: list[list[ClipSpec]] = []
    for spec in sorted(specs, key=lambda spec: (spec.start_pts, spec.end_pts)):
        for members in passes:
            if _open_at(spec.start_pts, members) < limit:
                members.append(spec)
                break
        else:
            passes.append([spec])
    return passes


def overlapping_groups(specs: Sequence[ClipSpec]) -> list[ClipGroup]:
    """The groups of `specs`, which are in time order."""
    groups: list[list[ClipSpec]] = []
    end_pts = 0
    for spec in specs:
        if groups and spec.start_pts < end_pts:
            groups[-1].append(spec)
            end_pts = max(end_pts, spec.end_pts)
        else:
            groups.append([spec])
            end_pts = spec.end_pts
    return [ClipGroup(tuple(members), _widest(members)) for members in groups]


def split_parts(groups: Sequence[ClipGroup], part_frames: int = PART_FRAMES) -> list[Part]:
    """Parts of about equal work: at least two if there are two groups, of about `part_frames` in longer videos."""
    total = sum(group.frames for group in groups)
    return split_evenly(groups, max(2, math.ceil(total / part_frames)))


def split_evenly(groups: Sequence[G], count: int) -> list[tuple[G, ...]]:
    """`groups` in their order, divided into at most `count` parts with about the same number of frames."""
    share = sum(group.frames for group in groups) / count
    parts: list[list[G]] = []
    done = 0
    for group in groups:
        # A group belongs to the part in which its middle lies.
        if not parts or done + group.frames / 2 >= share * len(parts):
            parts.append([])
        parts[-1].append(group)
        done += group.frames
    return [tuple(members) for members in parts]


def may_start_anywhere(analysis: FaceAnalysis) -> bool:
    """Whether decoding gives the same frames wherever it starts.

    How damaged frames and times come out depends on what was decoded before. Without key frames, or with frames wrongly
    marked as such, each part would be decoded from the beginning of the video.
    """
    found = analysis.statistics
    is_intact = analysis.decode_failures == 0 and found.get("repaired_times") == 0
    has_key_frames = found.get("key_frames", 0) > 0 and found.get("false_key_frames") == 0
    return is_indexed(analysis.video) and is_intact and has_key_frames


def merged_ranges(specs: Sequence[ClipSpec]) -> list[tuple[int, int]]:
    """The ranges of pts that `specs`, in time order, show; overlapping and adjacent ones are joined."""
    ranges: list[tuple[int, int]] = []
    for spec in specs:
        if ranges and spec.start_pts <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], spec.end_pts))
        else:
            ranges.append((spec.start_pts, spec.end_pts))
    return ranges


def _widest(specs: Sequence[ClipSpec]) -> int:
    return max(_open_at(spec.start_pts, specs) for spec in specs)


def _open_at(pts: int, specs: Sequence[ClipSpec]) -> int:
    return sum(spec.start_pts <= pts < spec.end_pts for spec in specs)
