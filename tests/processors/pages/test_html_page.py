"""What all pages have in common: the program's name, and that its pages are told from others."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import PROGRAM, VERSION
from processors.pages.html_page import TEMPLATES, is_our_page, shell_words

PAGES = sorted(path.name for path in TEMPLATES.glob("*.html.j2"))


@pytest.mark.parametrize("template", PAGES)
def test_every_page_carries_the_name_of_the_program(template: str) -> None:
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    assert " · {{ program }}</title>" in text
    assert '<meta name="generator" content="{{ generator }}">' in text
    assert "<footer>{{ generator }}. This page works offline" in text


def test_words_of_commands_keep_their_quotes():
    command = """main.py merge 'it'"'"'s' "NAME" 'אבא גדול' a-b -o /x"""
    assert shell_words(command) == ["main.py", "merge", """'it'"'"'s'""", '"NAME"', "'אבא גדול'", "a-b", "-o", "/x"]


@pytest.mark.parametrize(
    ("generator", "ours"),
    [(f"{PROGRAM} {VERSION}", True), ("people out of videos 0.1.0", True), ("WordPress 6.9", False), ("", False)],
)
def test_pages_of_all_versions_are_ours(tmp_path: Path, generator: str, *, ours: bool) -> None:
    page = tmp_path / "index.html"
    page.write_text(f'<!DOCTYPE html><meta charset="utf-8"><meta name="generator" content="{generator}">')
    assert is_our_page(page) == ours
