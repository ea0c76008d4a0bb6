"""Renders the HTML pages: self-contained files that need no network and are safe against hostile names.

Values are escaped by the template library. A Content-Security-Policy allows only our own script and style, so even a
mistake in a template could not execute a file name.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config import PROGRAM, VERSION
from utils.console.plurals import count_of
from utils.time_formats import clock
from utils.urls import href

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).resolve().parent / "templates"
GENERATOR = f"{PROGRAM} {VERSION}"
_GENERATOR_TAGS = tuple(
    f'<meta name="generator" content="{name} '.encode() for name in (PROGRAM, "people out of videos")
)
"""marks of pages by all versions; until 2026-11-28 a description of the program instead of its name"""
_HEAD_BYTES = 4096
_PAGE_END = b"</html>\n"
PALETTE = 10
"""number of colours for people in page.css"""


def render_page(template: str, style: tuple[str, ...], scripts: tuple[str, ...], values: Mapping[str, Any]) -> str:
    """The page rendered from `template` and `values`, with the files `style` and `scripts` inlined."""
    return "".join(page_parts(template, style, scripts, values))


def page_parts(
    template: str, style: tuple[str, ...], scripts: tuple[str, ...], values: Mapping[str, Any]
) -> Iterator[str]:
    """The same page in pieces, so that a long one is never in memory as a whole."""
    css = "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in style)
    js = "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in scripts)
    page = _environment().get_template(template)
    return page.generate(
        values, generator=GENERATOR, program=PROGRAM, style=css, script=js, policy=content_policy(css, js)
    )


def prepare_pages() -> None:
    """Compile all templates in advance: 0.1 s, which a helper thread can spend while clips are made."""
    environment = _environment()
    for name in environment.list_templates(extensions=["j2"]):
        environment.get_template(name)


def content_policy(style: str, script: str) -> str:
    """Content-Security-Policy of a page that may use this style and script, and images and videos beside it."""
    # A page opened from disk has no origin, and not every browser counts files beside it as 'self'.
    beside = "'self' file:"
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src {_hash_source(style)}",
            f"script-src {_hash_source(script)}",
            f"img-src {beside} data:",
            f"media-src {beside}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def page_state(template: str, style: tuple[str, ...], scripts: tuple[str, ...], facts: Iterable[object]) -> str:
    """64 hexadecimal digits for a page: version, files and facts.

    facts: everything that the page shows, in order; the `repr` of each has to be complete.
    """
    digest = hashlib.sha256(GENERATOR.encode())
    for name in (template, *style, *scripts):
        digest.update((TEMPLATES / name).read_bytes())
    for fact in facts:
        digest.update(repr(fact).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()


def has_state(path: Path, state: str) -> bool:
    """Whether the file `path` is a complete page with this state. Then a run need not make it, nor import the
    template library.

    Raises:
        OSError: it is there and cannot be read.
    """
    try:
        with path.open("rb") as file:
            found = f'<meta name="state" content="{state}">'.encode() in file.read(_HEAD_BYTES)
            file.seek(-min(len(_PAGE_END), file.seek(0, os.SEEK_END)), os.SEEK_END)
            return found and file.read() == _PAGE_END
    except FileNotFoundError:
        return False


def is_our_page(path: Path) -> bool:
    """Whether the page in the file `path` was made by any version of this program.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        beginning = file.read(_HEAD_BYTES)
    return any(tag in beginning for tag in _GENERATOR_TAGS)


def data_uri(jpeg: bytes) -> str:
    """`jpeg` as a data URI."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


def shell_words(command: str) -> list[str]:
    """The words of a command for a POSIX shell, with their quotes; spaces between them must be single."""
    return re.findall(r"""(?:'[^']*'|"[^"]*"|[^\s'"])+""", command)


def _hash_source(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'" if text else "'none'"


@functools.cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"clock": clock, "href": href, "count_of": count_of, "data_uri": data_uri}
    environment.filters["shell_words"] = shell_words
    return environment
