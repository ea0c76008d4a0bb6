"""The outcome of a batch: summary.json, the table at the end of a run, and the exit code."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import PipelineError, ascii_safe
from processors.batch.exit_codes import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_MISSING, EXIT_RESTART
from processors.batch.input_result import InputResult
from utils.files import write_json
from utils.plurals import count_of
from utils.time_formats import format_duration

SUMMARY_SCHEMA = 1
SUMMARY_FILE = "summary.json"


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """The outcome of a batch.

    results: one for each input, in input order.
    fatal: the error that ended the batch (a tool or a model is missing), or None.
    restart: a new process has to continue, because this one can no longer use the GPU.
    interrupted: the user stopped the run. abandoned: a thread did not end in time; the process must not wait for it.
    """

    results: tuple[InputResult, ...]
    wall_s: float
    fatal: PipelineError | None = None
    interrupted: bool = False
    abandoned: bool = False
    restart: bool = False

    @property
    def exit_code(self) -> int:
        """One of `processors.batch.exit_codes`."""
        if self.restart:
            return EXIT_RESTART
        if self.interrupted:
            return EXIT_INTERRUPTED
        if self.fatal is not None:
            return EXIT_MISSING
        return EXIT_FAILED if any(result.status == "failed" for result in self.results) else EXIT_DONE

    def lines(self) -> Iterator[str]:
        """Yield the table printed at the end of a run: one line per input, then a total."""
        shown = [_shown(result) for result in self.results]
        width = max(map(len, shown), default=0)
        for name, result in zip(shown, self.results, strict=True):
            yield f"{name:<{width}}  {_outcome(result)}"
        counts = Counter(result.status for result in self.results)
        parts = [f"{counts[s]} {s}" for s in ("done", "cached", "duplicate", "failed", "interrupted") if counts[s]]
        clips = sum(result.clips for result in self.results)
        videos = count_of(len(self.results), "video")
        yield f"{videos}: {', '.join(parts)}; {count_of(clips, 'clip')}; {format_duration(self.wall_s)}"

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
            }
            for result in self.results
        ]
        value = {"schema": SUMMARY_SCHEMA, "wall_s": round(self.wall_s, 3), "inputs": entries}
        write_json(output_dir / SUMMARY_FILE, value)


def last_summary(output_dir: Path) -> BatchSummary:
    """Read the summary.json of the last run into `output_dir`; without results if it cannot be read."""
    try:
        value = json.loads((output_dir / SUMMARY_FILE).read_bytes())
        results = tuple(
            InputResult(str(e["input"]), str(e["folder"]), e["status"], str(e["reason"])) for e in value["inputs"]
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        results = ()
    return BatchSummary(results, 0.0)


def _shown(result: InputResult) -> str:
    """Return the name to show: the output folder, or the file if it has none."""
    if result.status in ("failed", "duplicate"):
        return ascii_safe(Path(result.label).name)
    return result.folder or result.name


def _outcome(result: InputResult) -> str:
    if result.status in ("failed", "interrupted"):
        return f"{result.status}: {result.reason}"
    if result.status == "duplicate":
        return result.reason
    found = f"{count_of(result.people, 'person', 'people'):>10}  {count_of(result.clips, 'clip'):>9}"
    if result.status == "cached":
        return f"{found}  {format_duration(result.duration_s):>8}  already done"
    speed = result.duration_s / result.wall_s if result.wall_s > 0 else 0.0
    note = ", analysis from the cache" if result.analysis_cached else ""
    return f"{found}  {format_duration(result.duration_s):>8} in {format_duration(result.wall_s)} ({speed:.1f}x){note}"
