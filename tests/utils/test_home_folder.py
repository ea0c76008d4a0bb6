"""`~` in paths."""

from __future__ import annotations

import pytest

from utils.home_folder import expand_home


def test_a_leading_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/x")
    assert [expand_home(path) for path in ("~", "~/a", "a/~", "/~", "")] == ["/home/x", "/home/x/a", "a/~", "/~", ""]


def test_a_user_who_is_not_there_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="no home folder is known for ~nobody-of-that-name; give the path without it"):
        expand_home("~nobody-of-that-name/x")
