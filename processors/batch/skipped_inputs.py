"""What a batch leaves out of the folders and patterns it was given, so that a line can say so."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from core.errors import ascii_safe
from processors.results.manifest_outline import read_outline

logger = logging.getLogger(__name__)

# fmt: off
NOT_VIDEOS = frozenset({
    # pictures
    "jpg", "jpeg", "png", "bmp", "tif", "tiff", "heic", "heif", "webp", "svg", "psd", "dng", "cr2", "cr3", "nef", "arw",
    # sound
    "mp3", "wav", "flac", "aac", "m4a", "ogg", "oga", "opus", "aif", "aiff", "wma",
    # subtitles and what cameras, editors and downloaders put beside a video
    "srt", "ass", "ssa", "vtt", "sub", "sup", "lrc", "edl", "thm", "xml", "xmp", "xmf", "moi", "bdm", "cpi", "bup",
    "ifo", "nfo", "gpx", "gps", "cue", "idx", "md5", "sha1", "sha256", "sfv",
    # documents and data
    "txt", "md", "rtf", "pdf", "doc", "docx", "xls", "xlsx", "csv", "json", "jsonl", "toml", "yaml", "yml", "ini",
    "log", "html", "htm", "url", "zip", "7z", "rar", "gz", "tar", "db", "lnk", "py", "sh", "exe",
})
# fmt: on
"""extensions of files that nobody expects to be taken for a video"""

_NAMES_SHOWN = 5
_PLACES_SHOWN = 3
_RESULT_DEPTH = 2
"""how far below a manifest results lie: VIDEO/reel.mp4, VIDEO/PERSON/clip.mp4"""


class LeftOut:
    """Collects what is left out while the inputs are looked for."""

    def __init__(self) -> None:
        self._others: dict[Path, None] = {}
        self._results: dict[Path, Path] = {}
        self._below_output: dict[Path, Path] = {}
        self._ours: dict[Path, bool] = {}

    def output_above(self, path: Path) -> Path | None:
        """The output folder that `path` is a result in; None where no manifest of ours lies beside or above it."""
        above = path.absolute().parents
        for depth in range(min(_RESULT_DEPTH, len(above) - 1)):
            if above[depth] not in self._ours:
                self._ours[above[depth]] = read_outline(above[depth]).is_ours
            if self._ours[above[depth]]:
                # As the user wrote it, where that reaches so far up.
                return path.parents[depth + 1] if depth + 1 < len(path.parents) else above[depth + 1]
        return None

    def add_other(self, path: Path) -> None:
        """A file that is not known as a video."""
        self._others[path] = None

    def add_result(self, path: Path, output: Path) -> None:
        """A video that this program made, below the output folder `output`."""
        self._results[path] = output

    def add_below_output(self, path: Path, output: Path) -> None:
        """A video in a folder of the output folder that a pattern happened to match; no manifest says what it is."""
        self._below_output[path] = output

    def lines(self) -> Iterator[str]:
        """At most one line for each kind, for people."""
        if self._others:
            yield _others_line(list(self._others))
        for output in set(self._below_output.values()):
            yield f"{_files(len(self._below_output))} left out: below the output folder {ascii_safe(str(output))}"
        if self._results:
            places = [ascii_safe(str(place)) for place, _ in Counter(self._results.values()).most_common()]
            more = f" and {len(places) - _PLACES_SHOWN} more" if len(places) > _PLACES_SHOWN else ""
            shown = ", ".join(places[:_PLACES_SHOWN])
            yield f"{_files(len(self._results))} left out: results of earlier runs in {shown}{more}"


def _others_line(others: list[Path]) -> str:
    unknown = [path for path in others if _extension(path) not in NOT_VIDEOS]
    names = [ascii_safe(path.name) for path in [*unknown, *(path for path in others if path not in set(unknown))]]
    shown = ", ".join([*names[:_NAMES_SHOWN], *(["..."] if len(names) > _NAMES_SHOWN else [])])
    why = "not known as videos; a file that is named itself is tried" if unknown else "not videos"
    return f"{_files(len(names))} left out: {shown} ({why})"


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


def _extension(path: Path) -> str:
    return path.suffix.lower().lstrip(".")
