"""Files in the given folders and patterns that are not processed, and the log lines about them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from processors.results.manifest_outline import read_outline
from utils.console.plurals import count_of
from utils.console.printable_text import ascii_safe

logger = logging.getLogger(__name__)

# fmt: off
NOT_VIDEOS = frozenset({
    # images
    "jpg", "jpeg", "png", "bmp", "tif", "tiff", "heic", "heif", "webp", "svg", "psd", "dng", "cr2", "cr3", "nef", "arw",
    # audio
    "mp3", "wav", "flac", "aac", "m4a", "ogg", "oga", "opus", "aif", "aiff", "wma",
    # subtitles, and files that cameras, editors and downloaders put next to a video
    "srt", "ass", "ssa", "vtt", "sub", "sup", "lrc", "edl", "thm", "xml", "xmp", "xmf", "moi", "bdm", "cpi", "bup",
    "ifo", "nfo", "gpx", "gps", "cue", "idx", "md5", "sha1", "sha256", "sfv",
    # documents and data
    "txt", "md", "rtf", "pdf", "doc", "docx", "xls", "xlsx", "csv", "json", "jsonl", "toml", "yaml", "yml", "ini",
    "log", "html", "htm", "url", "zip", "7z", "rar", "gz", "tar", "db", "lnk", "py", "sh", "exe",
})
# fmt: on
"""extensions of files that nobody expects to be processed"""

_NAMES_SHOWN = 5
_PLACES_SHOWN = 3
_RESULT_DEPTH = 2
"""depth of results below a manifest: VIDEO/reel.mp4, VIDEO/PERSON/clip.mp4"""
_VARIANT_DEPTH = 3
"""VIDEO/PERSON/VARIANT/clip.mp4; so deep there may also be folders of somebody's own, and the manifest tells"""


class SkippedFiles:
    """Collects the skipped files while inputs are searched for."""

    def __init__(self) -> None:
        self._others: dict[Path, None] = {}
        self._not_files: dict[Path, None] = {}
        self._hidden: dict[Path, None] = {}
        self._linked_folders: dict[Path, None] = {}
        self._results: dict[Path, Path] = {}
        self._below_output: dict[Path, Path] = {}
        self._ours: dict[Path, bool] = {}

    def output_above(self, path: Path) -> Path | None:
        """Return the output folder whose results include `path`; None if no manifest of ours is beside or above it."""
        above = path.absolute().parents
        for depth in range(min(_VARIANT_DEPTH, len(above) - 1)):
            if above[depth] not in self._ours:
                self._ours[above[depth]] = read_outline(above[depth]).is_ours
            if self._ours[above[depth]] and (depth < _RESULT_DEPTH or _is_listed(path.absolute(), above[depth])):
                # As the user wrote it, if that path is long enough.
                return path.parents[depth + 1] if depth + 1 < len(path.parents) else above[depth + 1]
        return None

    def add_other(self, path: Path) -> None:
        """Add a file that does not look like a video."""
        self._others[path] = None

    def add_not_a_file(self, path: Path) -> None:
        """Add something with a video's name that is no file: a broken link, a pipe, a device."""
        self._not_files[path] = None

    def add_hidden(self, path: Path) -> None:
        """Add a video whose name begins with a dot."""
        self._hidden[path] = None

    def add_linked_folder(self, path: Path) -> None:
        """Add a link to a folder, which is not followed."""
        self._linked_folders[path] = None

    def add_result(self, path: Path, output: Path) -> None:
        """Add a video that this program wrote, below the output folder `output`."""
        self._results[path] = output

    def add_below_output(self, path: Path, output: Path) -> None:
        """Add a video below the output folder that matches a pattern but belongs to no manifest."""
        self._below_output[path] = output

    def lines(self) -> Iterator[str]:
        """Yield at most one log line for each kind."""
        if self._others:
            yield _others_line(list(self._others))
        if self._not_files:
            count = count_of(len(self._not_files), "entry", "entries")
            yield f"{count} skipped: {_names(self._not_files)} (broken links, pipes or devices)"
        if self._hidden:
            count = count_of(len(self._hidden), "hidden file")
            yield f"{count} skipped: {_names(self._hidden)} (name a file explicitly to process it)"
        if self._linked_folders:
            count = count_of(len(self._linked_folders), "folder")
            yield f"{count} skipped: {_names(self._linked_folders)} (links; name a folder itself to search it)"
        for output in set(self._below_output.values()):
            count = count_of(len(self._below_output), "file")
            yield f"{count} skipped: inside the output folder {ascii_safe(str(output))}"
        if self._results:
            places = [ascii_safe(str(place)) for place, _ in Counter(self._results.values()).most_common()]
            more = f" and {len(places) - _PLACES_SHOWN} more" if len(places) > _PLACES_SHOWN else ""
            shown = ", ".join(places[:_PLACES_SHOWN])
            yield f"{count_of(len(self._results), 'file')} skipped: results of earlier runs in {shown}{more}"


def extension_of(path: Path) -> str:
    """The extension in lower case, without its dot."""
    return path.suffix.lower().lstrip(".")


def _is_listed(path: Path, folder: Path) -> bool:
    return path.relative_to(folder).as_posix() in read_outline(folder).listed_files


def _others_line(others: list[Path]) -> str:
    unknown = [path for path in others if extension_of(path) not in NOT_VIDEOS]
    shown = _names([*unknown, *(path for path in others if path not in set(unknown))])
    why = "not recognised as videos; name a file explicitly to try it anyway" if unknown else "not videos"
    return f"{count_of(len(others), 'file')} skipped: {shown} ({why})"


def _names(paths: Iterable[Path]) -> str:
    """The names of the first few."""
    names = [ascii_safe(path.name) for path in paths]
    return ", ".join([*names[:_NAMES_SHOWN], *(["..."] if len(names) > _NAMES_SHOWN else [])])
