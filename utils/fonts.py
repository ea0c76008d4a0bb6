"""Which of the fonts on this machine has the letters of a text. Nothing is downloaded.

Pillow's own font, which is the same everywhere, has little beyond ASCII. What it lacks is looked for in the
folders in which Linux and macOS keep their fonts.
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
"""a font's file; None is Pillow's own"""

_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
_PROBE_PX = 24
_NOWHERE = "\U0010fffe"
"""a code point that no character has; fonts show what they show for all they do not know"""
_MOST_FILES = 5000
_FANCY = (
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
    """`text` in pieces, each with a font that has all its letters; None where a letter is in no font.

    One font for everything where there is one, else Pillow's own for what that has. Words that run from right to
    left are a piece of their own: laid out together with them, the numbers after a name would come before it.
    """
    missing = frozenset(letter for letter in text if not has_letter(None, letter))
    if not missing:
        return ((text, None),) if text else ()
    source = _covering(frozenset(text)) or _covering(missing)
    if source is None:
        return None
    turns = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)
    if not turns and all(has_letter(source, letter) for letter in text):
        return ((text, source),)
    return tuple(_pieces(text, source))


@functools.lru_cache(maxsize=64)
def load_font(source: Source, size_px: int) -> AnyFont:
    """The font at a size.

    Raises:
        OSError: its file cannot be read, or has no such size.
    """
    return ImageFont.load_default(size_px) if source is None else ImageFont.truetype(source, size_px)


@functools.lru_cache(maxsize=65536)
def has_letter(source: Source, letter: str) -> bool:
    """Whether the font shows the character as something else than what it shows for an unknown one."""
    return letter.isspace() or _shape(source, letter) not in (None, _shape(source, _NOWHERE))


def font_folders(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Where Linux (fontconfig) and macOS keep fonts."""
    # Unlike Path.expanduser() this one does not raise where the user has no home folder; then "~" is no folder.
    home = Path(environment.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111
    data = [environment.get("XDG_DATA_HOME") or str(home / ".local/share")]
    data += (environment.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(os.pathsep)
    apple = [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    return (home / ".fonts", *(Path(folder) / "fonts" for folder in data if folder), *apple)


@functools.lru_cache(maxsize=256)
def _covering(letters: frozenset[str]) -> Source:
    """The first font that has all `letters`; None where none has."""
    return next((font for font in _fonts() if all(has_letter(font, letter) for letter in sorted(letters))), None)


@functools.cache
def _fonts() -> tuple[Path, ...]:
    """Font files, plain ones without serifs first; the order depends on nothing but their names."""
    found = {path for folder in font_folders() for path in _files(folder)}
    return tuple(sorted(found, key=lambda path: (_fanciness(path.stem), path.name, str(path))))[:_MOST_FILES]


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names if name.lower().endswith(_SUFFIXES))


def _fanciness(name: str) -> int:
    plain = name.lower().replace("sansserif", "sans")
    return 2 * sum(word in plain for word in _FANCY) - ("sans" in plain) - ("regular" in plain)


def _shape(source: Source, letter: str) -> tuple[tuple[int, int], bytes] | None:
    """What the font draws for the character, None where it cannot even say."""
    with contextlib.suppress(OSError, ValueError):
        mask = load_font(source, _PROBE_PX).getmask(letter)
        return mask.size, bytes(mask)
    return None


def _pieces(text: str, source: Source) -> Iterator[tuple[str, Source]]:
    """`text` in as few pieces as can be, in Pillow's own font where that has the letters."""
    piece, own = "", True
    for letter in text:
        # A space between two words of a foreign script belongs to them, or right-to-left words would change places.
        plain = own if letter.isspace() and piece else has_letter(None, letter)
        if plain != own and piece:
            yield piece, None if own else source
            piece = ""
        piece, own = piece + letter, plain
    if piece:
        yield piece, None if own else source
