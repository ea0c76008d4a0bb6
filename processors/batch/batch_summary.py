"""The outcome of a batch: summary.json, the table at the end of a run, and the exit code."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import PipelineError
from processors.batch.exit_codes import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_MISSING, EXIT_RESTART
from processors.batch.input_result import InputResult, Status
from utils.console.plurals import count_of
from utils.console.printable_text import ascii_safe
from utils.console.text_width import columns, padded
from utils.files import write_json
from utils.time_formats import format_duration

SUMMARY_SCHEMA = 1
SUMMARY_FILE = "summary.json"

UNFINISHED: tuple[Status, ...] = ("failed", "interrupted")
HAVE_RESULTS: tuple[Status, ...] = ("done", "cached", "refused")
_LEFT_TO_DO: tuple[Status, ...] = ("refused", *UNFINISHED)
_WORDS: dict[Status, str] = {
    "done": "done",
    "cached": "already done",
    "duplicate": "duplicate",
    "refused": "refused",
    "failed": "failed",
    "interrupted": "interrupted",
}
"""the word for each status in the table"""
_NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """The outcome of a batch.

    results: one for each input, in input order.
    fatal: the error that ended the batch (a tool or a model is missing), or None.
    restart: a new process has to continue, because this one can no longer use the GPU.
    earlier: what earlier runs into the same folder said of other inputs; see `with_earlier`.
    interrupted: the user stopped the run. abandoned: a thread did not end in time; the process must not wait for it.
    """

    results: tuple[InputResult, ...]
    wall_s: float
    fatal: PipelineError | None = None
    interrupted: bool = False
    abandoned: bool = False
    restart: bool = False
    earlier: tuple[InputResult, ...] = ()

    @property
    def exit_code(self) -> int:
        """One of `processors.batch.exit_codes`."""
        if self.restart:
            return EXIT_RESTART
        if self.interrupted:
            return EXIT_INTERRUPTED
        if self.fatal is not None:
            return EXIT_MISSING
        return EXIT_FAILED if any(result.status in ("failed", "refused") for result in self.results) else EXIT_DONE

    def lines(self) -> Iterator[str]:
        """Yield the table printed at the end of a run: one line per input, then a total.

        What is left to do comes last: of 300 lines, a terminal shows the end.
        """
        shown = _shown(self.results)
        width = max(map(columns, shown), default=0)
        table = list(zip(shown, self.results, strict=True))
        for name, result in sorted(table, key=lambda line: line[1].status in _LEFT_TO_DO):
            yield f"{padded(name, width)}  {_outcome(result)}"
        counts = Counter(result.status for result in self.results)
        parts = [f"{counts[status]} {word}" for status, word in _WORDS.items() if counts[status]]
        clips = sum(result.clips for result in self.results)
        videos = count_of(len(self.results), "video")
        yield f"{videos}: {', '.join(parts)}; {count_of(clips, 'clip')}; {format_duration(self.wall_s)}"
        if self.interrupted:
            yield "interrupted; the same command does what is left"
        if open_ones := _shown([result for result in self.earlier if result.status in UNFINISHED]):
            more = f" and {len(open_ones) - _NAMES_SHOWN} more" if len(open_ones) > _NAMES_SHOWN else ""
            yield f"not done since an earlier run: {', '.join(open_ones[:_NAMES_SHOWN])}{more}; see {SUMMARY_FILE}"

    def write(self, output_dir: Path) -> None:
        """Write summary.json to `output_dir`, atomically."""
        entries: list[dict[str, Any]] = [
            {
                "input": result.label,
                "folder": result.folder or result.name,
                "status": result.status,
                "reason": result.reason,
                "people": result.people,
                "clips": result.clips,
                "duration_s": round(result.duration_s, 3),
                "wall_s": round(result.wall_s, 3),
                "analysis_cached": result.analysis_cached,
                "path": result.path,
                "last_run": result.last_run,
            }
            for result in (*self.results, *self.earlier)
        ]
        value = {"schema": SUMMARY_SCHEMA, "wall_s": round(self.wall_s, 3), "inputs": entries}
        write_json(output_dir / SUMMARY_FILE, value)


def last_summary(output_dir: Path) -> BatchSummary:
    """Read the summary.json of `output_dir`; without results if it cannot be read."""
    try:
        value = json.loads((output_dir / SUMMARY_FILE).read_bytes())
        results = tuple(_result(entry) for entry in value["inputs"])
        wall_s = float(value.get("wall_s", 0.0))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        results, wall_s = (), 0.0
    return BatchSummary(
        tuple(result for result in results if result.last_run),
        wall_s,
        earlier=tuple(result for result in results if not result.last_run),
    )


def with_earlier(summary: BatchSummary, output_dir: Path) -> BatchSummary:
    """`summary` with what the summary.json in `output_dir` says of inputs that this run was not about.

    An input is known again by its path, or where that was not known by its folder. What was done and is no longer
    there is left out, and so are inputs that were not done and have been removed.
    """
    before = last_summary(output_dir)
    now = {key for result in summary.results for key in (result.path, result.label)}
    folders = {result.folder for result in summary.results}
    kept = [
        dataclasses.replace(result, last_run=False)
        for result in (*before.results, *before.earlier)
        if (result.path or result.label) not in now
        and (result.path or result.folder not in folders)
        and still_counts(result, has_folder=(output_dir / result.folder).is_dir())
    ]
    return dataclasses.replace(summary, earlier=tuple(kept))


def still_counts(result: InputResult, *, has_folder: bool) -> bool:
    """Whether to keep what an earlier run said of an input: its results are there, or it is still to be done.

    An undone input that the user has removed never will be done. If its whole folder is away, a drive may be unplugged,
    or another machine has it. has_folder: the output folder has the results' folder.
    """
    if result.status not in UNFINISHED:
        return has_folder
    path = Path(result.path)
    return not result.path or path.exists() or not path.parent.is_dir()


def _result(entry: dict[str, Any]) -> InputResult:
    status = str(entry["status"])
    if status not in _WORDS:
        raise ValueError(f"status {status}")
    return InputResult(
        str(entry["input"]),
        str(entry["folder"]),
        status,
        str(entry["reason"]),
        people=int(entry.get("people", 0)),
        clips=int(entry.get("clips", 0)),
        duration_s=float(entry.get("duration_s", 0.0)),
        wall_s=float(entry.get("wall_s", 0.0)),
        analysis_cached=bool(entry.get("analysis_cached", False)),
        folder=str(entry["folder"]),
        path=str(entry.get("path", "")),
        last_run=bool(entry.get("last_run", True)),
    )


def _shown(results: Sequence[InputResult]) -> list[str]:
    """Return the name to show of each: the output folder, or the file if it has none.

    A file whose name another one has, too, is shown by its path as the user gave it.
    """
    frequency = Counter(Path(result.label).name for result in results)
    return [_shown_name(result, by_path=frequency[Path(result.label).name] > 1) for result in results]


def _shown_name(result: InputResult, *, by_path: bool) -> str:
    if result.status in ("failed", "duplicate"):
        return ascii_safe(result.label if by_path else Path(result.label).name)
    return result.folder or result.name


def _outcome(result: InputResult) -> str:
    if result.status in _LEFT_TO_DO:
        return f"{result.status}: {result.reason}"
    if result.status == "duplicate":
        return result.reason
    found = f"{count_of(result.people, 'person', 'people'):>10}  {count_of(result.clips, 'clip'):>9}"
    if result.status == "cached":
        return f"{found}  {format_duration(result.duration_s):>8}  already done"
    speed = result.duration_s / result.wall_s if result.wall_s > 0 else 0.0
    note = ", analysis from the cache" if result.analysis_cached else ""
    return f"{found}  {format_duration(result.duration_s):>8} in {format_duration(result.wall_s)} ({speed:.1f}x){note}"
