"""Which clips are made together, and how they are divided into parts."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from processors.clips.render_plan import merged_ranges, overlapping_groups, split_parts, split_passes


def specs(*intervals: tuple[int, int]):
    return [SimpleNamespace(start_pts=a, end_pts=b, rows=b - a) for a, b in intervals]


def times(members) -> list[tuple[int, int]]:
    return [(spec.start_pts, spec.end_pts) for spec in members]


def test_no_more_than_the_limit_overlap_in_a_pass():
    passes = split_passes(specs((0, 10), (5, 15), (9, 20), (10, 12), (20, 30)), 2)
    assert [times(members) for members in passes] == [[(0, 10), (5, 15), (10, 12), (20, 30)], [(9, 20)]]


def test_groups_overlap_directly_or_through_others():
    groups = overlapping_groups(specs((0, 10), (0, 4), (4, 12), (12, 20), (15, 16), (30, 31)))
    assert [times(group.specs) for group in groups] == [[(0, 10), (0, 4), (4, 12)], [(12, 20), (15, 16)], [(30, 31)]]
    assert [group.widest for group in groups] == [2, 2, 1]
    assert [group.frames for group in groups] == [22, 9, 1]
    assert overlapping_groups([]) == []


@pytest.mark.parametrize(
    ("lengths", "part_frames", "expected"),
    [
        ([], 100, []),
        ([10], 100, [[10]]),
        ([10, 10], 100, [[10], [10]]),
        ([30, 1, 1, 1], 100, [[30], [1, 1, 1]]),
        ([1, 1, 1, 30], 100, [[1, 1, 1], [30]]),
        ([10] * 6, 20, [[10, 10], [10, 10], [10, 10]]),
        ([5, 5, 200, 5, 5], 1000, [[5, 5], [200, 5, 5]]),
    ],
)
def test_parts_are_of_about_equal_length(lengths, part_frames, expected):
    ends = [sum(lengths[: i + 1]) for i in range(len(lengths))]
    groups = overlapping_groups(specs(*((end - length, end) for end, length in zip(ends, lengths, strict=True))))
    parts = split_parts(groups, part_frames)
    assert [[group.frames for group in part] for part in parts] == expected


def test_many_parts_keep_all_groups_in_order():
    groups = overlapping_groups(specs(*((i * 7, i * 7 + 7) for i in range(500))))
    parts = split_parts(groups, 100)
    assert [group for part in parts for group in part] == groups
    assert len(parts) == 35 and max(sum(group.frames for group in part) for part in parts) <= 107


def test_overlapping_and_adjacent_clips_are_decoded_as_one_range():
    assert merged_ranges(specs((0, 10), (2, 4), (10, 12), (13, 15))) == [(0, 12), (13, 15)]
    assert merged_ranges([]) == []
