"""Finds a font on this machine that has the letters of a text. Nothing is downloaded.

Pillow's own font, which is the same everywhere, has little beyond ASCII. For other letters the font folders of Linux
and macOS are searched.
"""

from __future__ import annotations

import contextlib
import functools
import os
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

from PIL import ImageFont

AnyFont = ImageFont.FreeTypeFont | ImageFont.ImageFont
Source = Path | None
"""the file of a font; None is Pillow's own"""

_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
_PROBE_PX = 24
_UNASSIGNED = "\U0010fffe"
"""a code point without a character; fonts show it as they show any character they lack"""
_MAX_FILES = 5000
_STYLED = (
    "bold",
    "italic",
    "oblique",
    "light",
    "thin",
    "black",
    "mono",
    "serif",
    "condensed",
    "narrow",
    "medium",
    "math",
    "emoji",
)


def pieces_by_font(text: str) -> tuple[tuple[str, Source], ...] | None:
    """`text` in pieces, each with a font that has all its letters; None if no font has a letter.

    A single font if one has all letters, else Pillow's own for the letters it has. Right-to-left words are pieces of
    their own: laid out together with them, the numbers after a name would move in front of it.
    """
    missing = frozenset(letter for letter in text if not has_letter(None, letter))
    if not missing:
        return ((text, None),) if text else ()
    source = covering_font(frozenset(text)) or covering_font(missing)
    if source is None:
        return None
    has_rtl = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)
    if not has_rtl and all(has_letter(source, letter) for letter in text):
        return ((text, source),)
    return tuple(_pieces(text, source))


@functools.lru_cache(maxsize=64)
def load_font(source: Source, size_px: int) -> AnyFont:
    """The font in a size.

    Raises:
        OSError: the file cannot be read, or does not have this size.
    """
    return ImageFont.load_default(size_px) if source is None else ImageFont.truetype(source, size_px)


@functools.lru_cache(maxsize=65536)
def has_letter(source: Source, letter: str) -> bool:
    """Whether the font has the character: it draws it differently from an unassigned one."""
    return letter.isspace() or _shape(source, letter) not in (None, _shape(source, _UNASSIGNED))


def font_folders(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """The font folders of Linux (fontconfig) and macOS."""
    # Unlike Path.expanduser() it does not raise if the user has no home folder; "~" then does not exist.
    home = Path(environment.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111
    data = [environment.get("XDG_DATA_HOME") or str(home / ".local/share")]
    data += (environment.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(os.pathsep)
    apple = [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    return (home / ".fonts", *(Path(folder) / "fonts" for folder in data if folder), *apple)


@functools.lru_cache(maxsize=256)
def covering_font(letters: frozenset[str]) -> Source:
    """The first font that has all `letters`, or None."""
    return next((font for font in font_files() if all(has_letter(font, letter) for letter in sorted(letters))), None)


@functools.cache
def font_files() -> tuple[Path, ...]:
    """Font files, regular sans-serif ones first; the order depends on their names only."""
    found = {path for folder in font_folders() for path in _files(folder)}
    return tuple(sorted(found, key=lambda path: (_style_rank(path.stem), path.name, str(path))))[:_MAX_FILES]


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names if name.lower().endswith(_SUFFIXES))


def _style_rank(name: str) -> int:
    plain = name.lower().replace("sansserif", "sans")
    return 2 * sum(word in plain for word in _STYLED) - ("sans" in plain) - ("regular" in plain)


def _shape(source: Source, letter: str) -> tuple[tuple[int, int], bytes] | None:
    """What the font draws for the character: size and pixels; None if it cannot be drawn."""
    with contextlib.suppress(OSError, ValueError):
        mask = load_font(source, _PROBE_PX).getmask(letter)
        return mask.size, bytes(mask)
    return None


def _pieces(text: str, source: Source) -> Iterator[tuple[str, Source]]:
    """`text` in as few pieces as possible, in Pillow's own font where that has the letters."""
    piece, own = "", True
    for letter in text:
        # A space between two words of another script belongs to them; otherwise right-to-left words would be swapped.
        plain = own if letter.isspace() and piece else has_letter(None, letter)
        if plain != own and piece:
            yield piece, None if own else source
            piece = ""
        piece, own = piece + letter, plain
    if piece:
        yield piece, None if own else source
