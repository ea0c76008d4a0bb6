"""Characters that must not reach a terminal or a line of a file as they are."""

from __future__ import annotations

import pytest

from utils.console.printable_text import ascii_safe


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zoë & 東京 b", "Zoë & 東京 b"),
        ("a\nb\tc\0", r"a\nb\tc\x00"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("line\u2028separator", r"line\u2028separator"),
        ("\u202efdp.exe", r"\u202efdp.exe"),
        ("علی\u200cرضا 👩\u200d🚀 a\u200bb", "علی\u200cرضا 👩\u200d🚀 a\\u200bb"),
        ("not UTF-8: \udcff", r"not UTF-8: \udcff"),
    ],
)
def test_only_what_is_unprintable_is_escaped(text: str, expected: str) -> None:
    assert ascii_safe(text) == expected
    ascii_safe(text).encode("utf-8")
