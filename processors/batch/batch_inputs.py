"""Finds the input files of a batch and gives each a unique name."""

from __future__ import annotations

import glob
import logging
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from config import VIDEO_EXTENSIONS, Settings
from processors.batch.skipped_inputs import SkippedFiles, extension_of
from utils.console.printable_text import ascii_safe
from utils.files import PARTIAL_PREFIX, fold, safe_name

logger = logging.getLogger(__name__)

_GALLERY_FILES = ("people.db", "people.db-wal", "people.db-shm")
_WEB_ADDRESS = re.compile(r"(https?|ftp|rtmp|rtsp):/", re.IGNORECASE)
"""a path has one of the two slashes"""
RESERVED_NAMES = frozenset({"summary.json", "index.html", "clean.log", "people.json", "people.html", *_GALLERY_FILES})
"""files of the output folder itself; the folder of a video must not have such a name"""
_MAGIC_BYTES = {"mod": (b"\x00\x00\x01\xba", b"\x47"), "dat": (b"\x00\x00\x01\xba", b"\x47")}
"""first bytes of videos whose extension usually means something else (music, Go modules)"""


@dataclass(frozen=True, slots=True)
class BatchInput:
    """One input of the batch.

    path: the file, as the user named it or as it was found in a folder.
    name: unique within the batch, even if case is ignored, and independent of the order of the arguments. It is also
        the name of the output folder, unless another video has that one: see `FolderClaims`. With `--recursive` it
        begins with the names of the folders that hold the file: "2024/may/interview".
    problem: why the input cannot be processed, or "".
    cuts: list of the cuts that were given for it, or "".
    """

    path: Path
    name: str
    problem: str = ""
    cuts: str = ""

    @property
    def label(self) -> str:
        """The path as printable text."""
        return ascii_safe(str(self.path))

    def settings_of(self, settings: Settings) -> Settings:
        """The settings of a run as they are for this input: with its cuts in place of the file that has them."""
        if settings.analysis.cuts == self.cuts:
            return settings
        return msgspec.structs.replace(settings, analysis=msgspec.structs.replace(settings.analysis, cuts=self.cuts))


def find_inputs(arguments: Sequence[str], output_dir: Path, *, recursive: bool = False) -> tuple[BatchInput, ...]:
    """Turn files, folders and glob patterns into the list of inputs, each real file once.

    The order is that of the arguments, sorted by name within a folder or pattern. Of a folder, only the top level is
    searched, unless `recursive`. Of folders and patterns, regular files with a video extension count that are neither
    hidden nor results of earlier runs; the others are logged as skipped. A file named directly counts whatever its
    extension. A missing file, or one that is not a regular file, becomes an input with a `problem`, so that it is
    reported and the others are processed.
    """
    search = _Search(output_dir, recursive=recursive)
    paths: list[tuple[Path, str]] = []
    places: dict[Path, str] = {}
    seen: set[str] = set()
    for argument in arguments:
        for path, problem, place in search.expand(argument):
            # Resolve symbolic links, so that a link and its target are one input.
            real = os.path.realpath(path)
            if real not in seen:
                seen.add(real)
                paths.append((path, problem))
                places[path] = place
    for line in search.skipped.lines():
        logger.info("%s", line)
    # Names are assigned in a fixed order, so that they do not depend on the order of the arguments.
    ordered = sorted((path for path, _ in paths), key=input_order)
    names = _names_by_place(ordered, places)
    return tuple(BatchInput(path, names[path], problem) for path, problem in paths)


def _names_by_place(paths: Sequence[Path], places: Mapping[Path, str]) -> dict[Path, str]:
    """The names of `paths`. places: the folders in which their output folders are to lie, "" or "2024/may"."""
    groups: dict[str, list[Path]] = {}
    spelled: dict[str, str] = {}
    for path in paths:
        groups.setdefault(fold(places[path]), []).append(path)
        spelled.setdefault(fold(places[path]), places[path])
    # A video and a folder beside it may have one name: "may.mp4" and "may/a.mp4".
    holders = {PurePosixPath(place) for place in groups}
    holders |= {above for holder in list(holders) for above in holder.parents}
    names = {}
    for place, members in groups.items():
        beside = [holder.name for holder in holders if holder.name and holder.parent == PurePosixPath(place)]
        prefix = f"{spelled[place]}/" if place else ""
        for path, name in zip(members, folder_names([path.name for path in members], taken=beside), strict=True):
            names[path] = prefix + name
    return names


def input_order(path: Path) -> tuple[int, list[str], str]:
    """Sort key that depends only on the file: short names first ("a.mp4" before "a (copy).mp4"), then the real path."""
    real = os.path.realpath(path)
    return len(path.name), [part.casefold() for part in Path(real).parts], real


def folder_names(file_names: Sequence[str], *, taken: Iterable[str] = ()) -> list[str]:
    """Return one folder name for each file name: its stem, or the whole name if several stems are equal.

    Stems that differ only in case or Unicode normalization count as equal, because many file systems do not distinguish
    them. Names that are still equal get the suffixes "_2", "_3", ... in the order given. taken: names that have another
    use; they count as equal.
    """
    stems = [safe_name(Path(name).stem) for name in file_names]
    used = {*RESERVED_NAMES, *map(fold, taken)}
    frequency = Counter([*map(fold, stems), *map(fold, taken)])
    result = []
    for file_name, stem in zip(file_names, stems, strict=True):
        wanted = stem if frequency[fold(stem)] == 1 else safe_name(file_name)
        name, number = wanted, 1
        while fold(name) in used:
            number += 1
            name = f"{wanted}_{number}"
        used.add(fold(name))
        result.append(name)
    return result


class _Search:
    """Finds the files that the arguments refer to.

    Attributes:
        skipped: files in folders and patterns that do not become inputs.
    """

    def __init__(self, output_dir: Path, *, recursive: bool) -> None:
        self._output_dir = output_dir
        self._recursive = recursive
        self._real_output = output_dir.resolve()
        self.skipped = SkippedFiles()

    def expand(self, argument: str) -> Iterator[tuple[Path, str, str]]:
        """Yield the files, each with its problem or "", and the place of its results: "", or "2024/may"."""
        path = Path(argument)
        # An existing name is taken literally, even if it contains "[" or "*".
        if os.path.lexists(path) or not glob.has_magic(argument) or _WEB_ADDRESS.match(argument):
            yield from self._expand_path(path)
            return
        # Path.glob cannot start from an absolute pattern.
        matches = [Path(match) for match in glob.glob(argument, recursive=True)]  # noqa: PTH207
        folders = [] if "**" in argument else [p for p in matches if not self._is_below_output(p) and p.is_dir()]
        found = [(p, "", "") for p in self._videos(matches, by_pattern=True)]
        found += [pair for p in _sorted(folders) for pair in self._expand_path(p)]
        yield from found or [(path, "no video file matches this pattern", "")]

    def _expand_path(self, path: Path, place: str = "") -> Iterator[tuple[Path, str, str]]:
        if not path.is_dir():
            yield path, _problem(path), place
            return
        try:
            children = list(path.iterdir())
        except OSError as error:
            yield path, f"cannot read the folder: {error.strerror}", place
            return
        videos = self._videos(children, by_pattern=bool(place))
        folders = [child for child in _sorted(children) if self._is_searched(child)]
        holds_results = self.skipped.output_above(path / "any") is not None
        if not self._recursive and not videos and not holds_results and folders:
            logger.info("%s has no videos at its top level; --recursive takes those in its subfolders", path)
        yield from ((p, "", place) for p in videos)
        if self._recursive:
            for folder in folders:
                yield from self._expand_path(folder, f"{place}/{safe_name(folder.name)}".lstrip("/"))

    def _is_searched(self, path: Path) -> bool:
        """Whether `path` is a folder in which videos may be; links could lead in circles, and results are no inputs."""
        is_folder = not path.name.startswith(".") and path.is_dir() and path.resolve() != self._real_output
        if is_folder and path.is_symlink():
            if self._recursive:
                self.skipped.add_linked_folder(path)
            return False
        return is_folder

    def _videos(self, paths: Iterable[Path], *, by_pattern: bool = False) -> list[Path]:
        videos = []
        for path in _sorted(paths):
            if path.name.startswith("."):
                self._add_hidden(path)
            elif path.is_file():
                if self._is_wanted(path, by_pattern=by_pattern):
                    videos.append(path)
            elif extension_of(path) in VIDEO_EXTENSIONS and not path.is_dir():
                self.skipped.add_not_a_file(path)
        return videos

    def _add_hidden(self, path: Path) -> None:
        # Where macOS writes to other file systems, "._a.mp4" holds attributes of "a.mp4"; the last prefix is ours.
        is_video = extension_of(path) in VIDEO_EXTENSIONS and not path.name.startswith(("._", PARTIAL_PREFIX))
        if is_video and path.is_file():
            self.skipped.add_hidden(path)

    def _is_wanted(self, path: Path, *, by_pattern: bool) -> bool:
        is_video = _looks_like_video(path)
        results = self.skipped.output_above(path)
        below_output = by_pattern and self._is_below_output(path)
        if results is None and not below_output:
            if not is_video and path.name not in RESERVED_NAMES:
                self.skipped.add_other(path)
            return is_video
        # Of results, only videos are worth reporting.
        if is_video and results is not None:
            self.skipped.add_result(path, results)
        elif is_video:
            self.skipped.add_below_output(path, self._output_dir)
        return False

    def _is_below_output(self, path: Path) -> bool:
        real = path.resolve()
        # Files directly in the output folder may be inputs: one folder may be used for both.
        return self._real_output in real.parents and real.parent != self._real_output


def _looks_like_video(path: Path) -> bool:
    extension = extension_of(path)
    if extension not in VIDEO_EXTENSIONS:
        return False
    prefixes = _MAGIC_BYTES.get(extension)
    if prefixes is None:
        return True
    try:
        with path.open("rb") as file:
            return file.read(4).startswith(prefixes)
    except OSError:
        return True


def _problem(path: Path) -> str:
    try:
        if path.is_file():
            return ""
        if not os.path.lexists(path):
            return "is a web address; download the video first" if _WEB_ADDRESS.match(str(path)) else "no such file"
        # A pipe would block forever, a device may never end.
        return "broken symbolic link" if not path.exists() else "not a regular file"
    except OSError as error:
        return f"cannot be accessed: {error.strerror}"


def _sorted(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda p: ([part.casefold() for part in p.parts], str(p)))
