"""Columns on a terminal."""

from utils.console.text_width import columns, padded, shortened


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


def test_what_is_too_long_is_cut_off():
    assert shortened("Anna", 4) == "Anna"
    assert shortened("Annabel", 4) == "Ann\u2026"
    assert shortened("\u6f22\u5b57\u6f22\u5b57", 4) == "\u6f22\u2026"
    assert columns(shortened("n" * 300, 40)) == 40
