"""Which font has the letters of a text: Pillow's own, one of a simulated machine, none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from utils.images import fonts
from utils.images.fonts import font_folders, has_letter, pieces_by_font
from utils.images.text_drawing import can_write, plain_letters, text_mask

builder = pytest.importorskip("fontTools.fontBuilder", reason="fontTools makes the fonts of these tests")


def write_font(path: Path, letters: str, width: int = 800) -> Path:
    """A font whose letters are rectangles of `width`, with a narrow one for characters that it lacks."""
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    def bar(right: int) -> object:
        pen = TTGlyphPen(None)
        pen.moveTo((50, 0))
        for corner in ((50, 700), (right, 700), (right, 0)):
            pen.lineTo(corner)
        pen.closePath()
        return pen.glyph()

    names = {letter: f"g{ord(letter):x}" for letter in letters}
    font = builder.FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder([".notdef", *names.values()])
    font.setupCharacterMap({ord(letter): name for letter, name in names.items()})
    font.setupGlyf({".notdef": bar(100), **{name: bar(width - 50) for name in names.values()}})
    font.setupHorizontalMetrics({".notdef": (150, 50), **dict.fromkeys(names.values(), (width, 50))})
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupOS2()
    font.setupPost()
    path.parent.mkdir(parents=True, exist_ok=True)
    font.save(str(path))
    return path


def forget() -> None:
    for cached in (fonts.font_files, fonts.covering_font, fonts.has_letter, fonts.load_font, text_mask):
        cached.cache_clear()


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """The only font folder."""
    folder = tmp_path / "fonts"
    folder.mkdir()
    monkeypatch.setattr(fonts, "font_folders", lambda: (folder,))
    forget()
    yield folder
    forget()


def test_ascii_needs_no_font_of_the_machine(machine):
    assert pieces_by_font("Anna #3  0.98") == (("Anna #3  0.98", None),)
    assert pieces_by_font("") == ()


def test_without_fonts_other_letters_cannot_be_written(machine):
    assert not any(map(can_write, ("김민수", "Иван", "José", "محمد", "a\nb")))
    assert pieces_by_font("김민수") is None
    assert text_mask("김민수", 20).shape[0] == 25  # boxes rather than an error


def test_a_font_that_has_all_letters_is_found_and_used(machine):
    font = write_font(machine / "deep/er/Sans-Regular.ttf", "김민수 abc")
    (machine / "broken.ttf").write_bytes(b"no font")
    (machine / "readme.txt").write_text("no font either")
    assert pieces_by_font("김민수 abc") == (("김민수 abc", font),)
    mask = text_mask("김", 40)
    assert mask.shape == (50, 32)
    assert (mask[20, 3:29] > 250).all() and not mask[:11].any()
    with pytest.raises(ValueError):
        mask[0, 0] = 1


def test_letters_that_the_font_lacks_are_written_in_pillows_own(machine):
    font = write_font(machine / "Sans.ttf", "김 ")
    assert pieces_by_font("a 김 김 #1") == (("a ", None), ("김 김 ", font), ("#1", None))
    widths = [text_mask(text, 20).shape[1] for text in ("a ", "김 김 ", "#1", "a 김 김 #1")]
    assert widths[3] == sum(widths[:3])


def test_right_to_left_words_are_pieces_of_their_own(machine):
    font = write_font(machine / "Sans.ttf", "علي 123#")
    assert pieces_by_font("علي علي #123") == (("علي علي ", font), ("#123", None))


def test_one_font_for_letters_of_two_scripts_or_none(machine):
    write_font(machine / "Korean.ttf", "김")
    write_font(machine / "Cyrillic.ttf", "Ж")
    assert can_write("김") and can_write("Ж") and not can_write("김Ж")


def test_regular_fonts_come_before_styled_ones(machine):
    for name in ("AlphaSerif-Bold", "AlphaSans-BoldItalic", "ZetaSans-Regular"):
        write_font(machine / f"{name}.ttf", "Ж")
    pieces = pieces_by_font("Ж")
    assert pieces is not None
    ((_, font),) = pieces
    assert font is not None and font.stem == "ZetaSans-Regular"


def test_a_letter_that_the_font_lacks(machine):
    font = write_font(machine / "Sans.ttf", "Ж")
    assert has_letter(font, "Ж") and not has_letter(font, "Д") and has_letter(font, " ")
    assert not has_letter(machine / "gone.ttf", "Ж")


def test_font_folders():
    folders = font_folders({"HOME": "/h", "XDG_DATA_DIRS": "/a:/b", "XDG_DATA_HOME": ""})
    assert folders[:4] == (Path("/h/.fonts"), Path("/h/.local/share/fonts"), Path("/a/fonts"), Path("/b/fonts"))
    assert Path("/usr/share/fonts") in font_folders({"HOME": "/h"})


def test_diacritics_are_removed():
    assert plain_letters("José Łukasz Ångström") == "Jose Łukasz Angstrom"
    assert np.array_equal(text_mask(plain_letters("é"), 20), text_mask("e", 20))


@pytest.mark.skipif(not any(folder.is_dir() for folder in font_folders()), reason="missing on this machine: fonts")
def test_the_fonts_of_this_machine():
    forget()
    found = [text for text in ("José", "Иван Петров", "محمد علي", "김민수", "田中", "王伟") if can_write(text)]
    for text in found:
        assert text_mask(text, 40).max() == 255
    assert len({text_mask(text, 40).tobytes() for text in found}) == len(found)
