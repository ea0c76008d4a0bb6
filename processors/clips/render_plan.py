"""In which order clips are made: side by side where they overlap, and from several places of the video at a time.

A *group* is clips that overlap, directly or through others: one decode serves them. A *part* is groups one after
the other, made by one lane; parts do not depend on each other. All of it follows from the clips alone, so that what is
decoded from where does not depend on the machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from processors.clips.clip_job import ClipJob

PART_PICTURES = 1000
"""of clips, in a part: where a part begins the decoder has to come from the key frame before"""


@dataclass(frozen=True, slots=True, eq=False)
class ClipGroup:
    """Clips that overlap, in the order in which they begin. widest: so many are open at a time."""

    jobs: tuple[ClipJob, ...]
    widest: int

    @property
    def pictures(self) -> int:
        return sum(len(job.path.source_frames) for job in self.jobs)


Part = tuple[ClipGroup, ...]


def split_passes(jobs: Sequence[ClipJob], limit: int) -> list[list[ClipJob]]:
    """Jobs in time order, in as few passes as it takes for no more than `limit` to overlap in any of them."""
    passes: list[list[ClipJob]] = []
    for job in sorted(jobs, key=lambda job: (job.start_pts, job.end_pts)):
        for members in passes:
            if _open_at(job.start_pts, members) < limit:
                members.append(job)
                break
        else:
            passes.append([job])
    return passes


def overlapping_groups(jobs: Sequence[ClipJob]) -> list[ClipGroup]:
    """The groups of `jobs`, which are in time order."""
    groups: list[list[ClipJob]] = []
    end_pts = 0
    for job in jobs:
        if groups and job.start_pts < end_pts:
            groups[-1].append(job)
            end_pts = max(end_pts, job.end_pts)
        else:
            groups.append([job])
            end_pts = job.end_pts
    return [ClipGroup(tuple(members), _widest(members)) for members in groups]


def split_parts(groups: Sequence[ClipGroup], pictures: int = PART_PICTURES) -> list[Part]:
    """At least two parts of about as much work each, where there are two groups; of about `pictures` in longer ones."""
    total = sum(group.pictures for group in groups)
    share = total / max(2, math.ceil(total / pictures))
    parts: list[list[ClipGroup]] = []
    done = 0
    for group in groups:
        # A group belongs where its middle lies.
        if not parts or done + group.pictures / 2 >= share * len(parts):
            parts.append([])
        parts[-1].append(group)
        done += group.pictures
    return [tuple(members) for members in parts]


def _widest(jobs: Sequence[ClipJob]) -> int:
    return max(_open_at(job.start_pts, jobs) for job in jobs)


def _open_at(pts: int, jobs: Sequence[ClipJob]) -> int:
    return sum(job.start_pts <= pts < job.end_pts for job in jobs)
