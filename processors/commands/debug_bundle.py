"""The debug bundle: one zip with what a maintainer needs to find a fault, but no content of the videos.

During the run, its log is next to the zip (`FILE.zip.log`). If the process dies before it can write the zip, that file
remains, with the place of the crash, and becomes part of the next bundle of that name.
"""

from __future__ import annotations

import contextlib
import csv
import faulthandler
import functools
import hashlib
import io
import json
import logging
import sys
import tempfile
import threading
import traceback
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec

from config import VERSION, Settings
from core.errors import OutputError, PipelineError
from core.project_folders import PROJECT
from processors.batch.run_journal import RunHistory
from processors.commands.bundle_privacy import (
    bundle_redactor,
    given_names,
    named_folders,
    redacted_log,
    without_folder,
)
from utils.console.json_log import open_log_file
from utils.files import atomic_path

if TYPE_CHECKING:
    from processors.batch.batch_inputs import BatchInput

logger = logging.getLogger(__name__)

MAX_FILE_BYTES = 64_000_000
"""larger results are left out; larger logs lose their beginning"""
MAX_RESULTS = 200
"""maximum number of videos whose results are included; the last ones of a longer run"""

_ABOUT = """\
What a maintainer of face-clips needs to find a fault.

program.json    version, git's name of each source file (git hash-object), command line, settings
machine.json    Python, system, processor, memory, GPU, free disk space
packages.json   installed packages
inputs.json     properties of each input
log.jsonl       log of the run; log_before.txt: log of an earlier run that died
traceback.txt   the error that ended the run, if any
threads.txt     stack of each thread at the end
results/        summary.json, and manifest.json and tracks.csv of each video

Not included: videos, clips, audio, images, faces, embeddings, names given to people. Folder names are replaced by their
purpose. The file names of the videos and the positions of faces in the frame are included.
"""


class DebugBundle:
    """Context manager that collects data during the run and writes the zip at its end, even after an error.

    Attributes:
        log: handler of the run's log, to be added when logging is set up.
        inputs: of the run, to be set as soon as they are known.
    """

    def __init__(
        self,
        target: Path,
        arguments: Sequence[str],
        output_dir: Path,
        settings: Settings,
        history: RunHistory | None = None,
    ) -> None:
        """target: the zip. arguments: of the command line. history: of earlier processes, whose log is continued.

        Raises:
            OutputError: the folder of `target` cannot be written.
        """
        self._target = target
        self._arguments = list(arguments)
        self._output_dir = output_dir
        self._settings = settings
        self._log_path = target.with_name(target.name + ".log")
        self._names: dict[str, str] = {}
        self._history = history or RunHistory()
        self.inputs: Sequence[BatchInput] = ()
        try:
            self._before = ""
            if self._log_path.exists() and not self._history.crashes:
                self._before = _end_of(self._log_path)
                self._log_path.unlink()
            self.log = open_log_file(self._log_path)
        except OSError as error:
            reason = error.strerror or str(error)
            message, hint = f"the debug bundle cannot be written: {reason}", "name another file with --debug-bundle"
            raise OutputError(message, path=target, hint=hint) from error

    def __enter__(self) -> DebugBundle:
        self._watches = not faulthandler.is_enabled()
        if self._watches and isinstance(self.log, logging.StreamHandler):
            # A crash in foreign code leaves a traceback in the log.
            faulthandler.enable(self.log.stream)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watches:
            faulthandler.disable()
        self.log.flush()
        try:
            with atomic_path(self._target) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, content in self._parts(error):
                    # Without a time: zipfile rejects clocks before 1980.
                    archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
            self._log_path.unlink(missing_ok=True)
            logger.info("debug bundle: %s", self._target)
        except Exception as failure:
            # The outcome of the run matters more.
            logger.warning("the debug bundle cannot be written: %s; its log is %s", failure, self._log_path)
        finally:
            self.log.close()

    def _parts(self, error: BaseException | None) -> Iterator[tuple[str, str]]:
        """Yield names and texts of the files in the zip; a file that cannot be made contains the reason."""
        folders = named_folders(self._settings, self._output_dir)
        manifests = [self._output_dir / file for file in self._files() if file.name == "manifest.json"]
        names = given_names(manifests, self._settings, self._output_dir)
        redactor = bundle_redactor((source.path for source in self.inputs), self._target, folders, names)
        makers: dict[str, Callable[[], Any]] = {
            "program.json": self._program,
            "machine.json": lambda: _machine(folders),
            "packages.json": installed_packages,
            "inputs.json": lambda: [self._probed(source) for source in self.inputs],
            "log.jsonl": lambda: redacted_log(_end_of(self._log_path), redactor),
            "threads.txt": _stacks,
        }
        if self._before:
            makers["log_before.txt"] = lambda: redacted_log(self._before, redactor)
        if error is not None:
            makers["traceback.txt"] = lambda: "".join(traceback.format_exception(error))
        makers |= {f"results/{file.as_posix()}": functools.partial(self._result, file, names) for file in self._files()}
        yield "README.txt", _ABOUT
        for name, make in makers.items():
            try:
                value = redactor.value(make())
            except FileNotFoundError:
                continue
            except Exception:
                # Report a failing part and keep the others.
                name, value = f"{name}.error.txt", redactor.text(traceback.format_exc())
            yield name, value if isinstance(value, str) else json.dumps(value, indent=1, default=str) + "\n"

    def _files(self) -> Iterator[Path]:
        """Yield the machine-readable results that the run may have written, relative to the output folder."""
        yield Path("summary.json")
        for folder in self._result_folders:
            yield Path(folder) / "manifest.json"
            yield Path(folder) / "tracks.csv"

    @functools.cached_property
    def _result_folders(self) -> list[str]:
        from processors.batch.folder_claims import FolderClaims
        from processors.results.manifest_outline import folder_owner
        from utils.fingerprints import fingerprint

        claims, folders = FolderClaims(self._output_dir, self.inputs), []
        for source in self.inputs[-MAX_RESULTS:]:
            if folder_owner(self._output_dir / source.name) is None:
                # A damaged manifest may be the fault to find.
                folders.append(source.name)
            if not source.problem:
                with contextlib.suppress(OSError):
                    folders.append(claims.folder_for(source, fingerprint(source.path)))
        return list(dict.fromkeys(folders))

    def _result(self, file: Path, names: Mapping[str, str]) -> Any:
        path = self._output_dir / file
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"left out: it has {path.stat().st_size} bytes")
        if file.suffix == ".json":
            return json.loads(path.read_bytes())
        with path.open(encoding="utf-8", newline="") as table:
            rows = list(csv.reader(table))
        column = rows[0].index("person")
        for row in rows:
            row[column] = names.get(row[column], row[column])
        return "".join(f"{','.join(row)}\n" for row in rows)

    def _program(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "sources": _sources(),
            "arguments": [without_folder(argument) for argument in self._arguments],
            "settings": msgspec.to_builtins(self._settings),
        }

    def _probed(self, source: BatchInput) -> dict[str, Any]:
        from core.media.video_probe import probe_video

        entry: dict[str, Any] = {"name": source.path.name, "folder": source.name}
        crash = self._history.crashes.get(source.name)
        if problem := source.problem or (crash.reason if crash else ""):
            return {**entry, "problem": problem}
        try:
            facts = asdict(probe_video(source.path))
        except (PipelineError, OSError) as error:
            return {**entry, "problem": str(error)}
        return {**entry, **{key: value for key, value in facts.items() if key != "path"}}


def _machine(folders: Mapping[str, Path]) -> dict[str, Any]:
    from utils.processes.system_info import machine_facts

    return machine_facts({**folders, "temporary": Path(tempfile.gettempdir())})


def installed_packages() -> dict[str, str]:
    from utils.processes.system_info import package_versions

    return package_versions()


def _sources() -> dict[str, str]:
    """Return git's blob hash of each source file, which finds it in the history without knowing the commit."""
    folders = [PROJECT / name for name in ("processors", "core", "utils")]
    files = [PROJECT / "main.py", PROJECT / "config.py", *(p for folder in folders for p in folder.rglob("*.py"))]
    contents = {path.relative_to(PROJECT).as_posix(): path.read_bytes() for path in sorted(files)}
    return {name: hashlib.sha1(b"blob %d\0%b" % (len(data), data)).hexdigest() for name, data in contents.items()}


def _stacks() -> str:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    frames = sys._current_frames()
    return "\n".join(f"{names.get(i)}\n{''.join(traceback.format_stack(frame))}" for i, frame in frames.items())


def _end_of(path: Path) -> str:
    """Read the text of `path`, or the end of it if it is very large."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - MAX_FILE_BYTES))
        text = file.read().decode("utf-8", "replace")
    return text if size <= MAX_FILE_BYTES else text.partition("\n")[2]
