"""Runs the program on batches of cases and judges the result of each.

The program is run in a process of its own on a dozen cases and an ordinary video at a time. If that process dies or
hangs, the cases without results are run again one by one, to find the one at fault.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.robustness.media.case import CaseMaker, Expected, Finding, MediaCase, MediaOutcome
from benchmarks.robustness.media.film import Film, plain_video, tone_hz
from benchmarks.robustness.media.verdict import Result, folders_by_video, judge
from tests.material.fault_material import PROJECT

BATCH = 12
TIME_LIMIT_S, TIME_PER_VIDEO_S = 60.0, 15.0
ORDERLY = (0, 1)
"""exit codes of a run that completed"""
OPTIONS = ("--offline", "--embedder", "dlib", "--device", "cpu", "--size", "192", "--min-clip", "0.3")
COMPANION = Film(frames=30)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the program. exit_code: as in a shell, None if it had to be killed. log: its whole output."""

    exit_code: int | None
    log: str
    wall_s: float

    @property
    def is_orderly(self) -> bool:
        return self.exit_code in ORDERLY

    @property
    def finding(self) -> Finding:
        """The finding about a run that did not complete."""
        last = next((line for line in reversed(self.log.splitlines()) if line.strip()), "")
        if self.exit_code is None:
            return Finding("hang", f"no end within {self.wall_s:.0f} s")
        return Finding("abort", f"exit code {self.exit_code}: {last[:120]}")


@dataclass(frozen=True, slots=True)
class Program:
    """The program with the options of the campaign.

    folder: for logs. cache: of converted networks. only: part of the names of the cases to run.
    """

    folder: Path
    cache: Path
    options: tuple[str, ...] = (*OPTIONS, "--no-cache")
    only: str = ""

    def run(self, inputs: Sequence[Path], output: Path, *options: str) -> Run:
        """`main.py INPUT ... -o OUTPUT`."""
        named = [str(path) for path in inputs]
        limit_s = TIME_LIMIT_S + TIME_PER_VIDEO_S * len(inputs)
        return self.command(
            *named, "-o", str(output), "--cache-dir", str(self.cache), *self.options, *options, limit_s=limit_s
        )

    def command(self, *arguments: str, limit_s: float = TIME_LIMIT_S) -> Run:
        """`main.py ARGUMENT ...`, killed with all its children after `limit_s`."""
        log = self.folder / "log.txt"
        started = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "main.py", *arguments],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            code: int | None
            try:
                code = process.wait(limit_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                code = None
        wall_s = time.monotonic() - started
        exit_code = 128 - code if code is not None and code < 0 else code
        return Run(exit_code, log.read_text(encoding="utf-8", errors="replace"), wall_s)


def run_kind(make_cases: CaseMaker, folder: Path, program: Program) -> Iterator[MediaOutcome]:
    """Make the cases in `folder`, run and judge them, and delete them."""
    made = folder / "cases"
    made.mkdir(parents=True, exist_ok=True)
    cases = (case for case in make_cases(made) if program.only in case.name)
    for number, batch in enumerate(iter(lambda: list(itertools.islice(cases, BATCH)), [])):
        for case in (*batch, beside := _companion(batch[0].kind, number, folder)):
            case.write(case.path)
        yield from run_cases([*batch, beside], folder / f"output_{number}", program)
        for case in batch:
            case.path.unlink(missing_ok=True)


def _companion(kind: str, number: int, folder: Path) -> MediaCase:
    expected = Expected(frames=COMPANION.frames, tones=(tone_hz(0), tone_hz(1)), is_plain=True)
    write = functools.partial(plain_video, folder, film=COMPANION)
    return MediaCase(kind, f"ordinary video beside batch {number}", folder / f"companion_{number}.mp4", expected, write)


def run_cases(cases: Sequence[MediaCase], output: Path, program: Program) -> Iterator[MediaOutcome]:
    """Run one batch, and each remaining case alone if the batch does not complete."""
    run = program.run(_arguments(cases), output)
    results = _results(output, cases)
    share_s = run.wall_s / len(cases)
    for case in cases:
        if run.is_orderly or results[case].folder is not None:
            findings = tuple(judge(case, results[case], run.log))
            yield MediaOutcome(case.kind, case.name, findings, share_s)
            continue
        alone = output.with_name(f"{output.name}_alone")
        again = program.run(_arguments([case]), alone)
        findings = (again.finding,)
        if again.is_orderly:
            findings = tuple(judge(case, _results(alone, [case])[case], again.log))
        yield MediaOutcome(case.kind, case.name, findings, again.wall_s)


def _arguments(cases: Sequence[MediaCase]) -> list[Path]:
    """The input arguments: one folder for all cases that are given by folder, the others one by one."""
    return list(dict.fromkeys(case.path.parent if case.from_folder else case.path for case in cases))


def _results(output: Path, cases: Sequence[MediaCase]) -> dict[MediaCase, Result]:
    folders = folders_by_video(output)
    try:
        entries = json.loads((output / "summary.json").read_bytes())["inputs"]
    except (OSError, ValueError, KeyError):
        entries = []
    by_path = {Path(entry["input"]).name: entry for entry in entries}
    results = {}
    for case in cases:
        video = case.path.name, case.path.stat().st_size
        entry = by_path.get(case.path.name, {})
        results[case] = Result(entry.get("status", ""), entry.get("reason", ""), folders.get(video))
    return results
