"""Addresses mean the file and nothing else, whatever its name holds."""

from __future__ import annotations

from utils.urls import href


def test_every_character_of_a_name_means_itself() -> None:
    assert href("a b/ü#?%.mp4") == "a%20b/%C3%BC%23%3F%25.mp4"
    assert href("javascript:alert(1)") == "javascript%3Aalert%281%29"
    assert href("bad\udcff.mp4") == "bad%FF.mp4"
