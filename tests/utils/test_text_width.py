"""Columns on a terminal."""

from utils.text_width import columns, padded


def test_wide_letters_take_two_columns_and_marks_none():
    assert [columns(text) for text in ("", "Anna", "김민수", "José", "Jose\u0301", "ﾊﾛｰ", "王w")] == [
        0,
        4,
        6,
        4,
        4,
        3,
        3,
    ]


def test_padding_counts_columns():
    assert padded("김", 4) == "김  " and padded("abc", 2) == "abc"
