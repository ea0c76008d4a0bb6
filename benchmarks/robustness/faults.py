"""Campaigns of damaged and of unusual videos: hundreds of files through the whole program, each watched.

    python -m benchmarks.robustness.faults [--kind NAME ...] [--only NAME] [--seed N] [--share 0.1] [--store LABEL]
                                           [--cache-dir DIR] [--verbose]

Kinds: "damage", described here, and those of `benchmarks.robustness.media`: intact files of unusual structure, which
are run through main.py and whose clips are examined. --store keeps the figures of the latter in benchmarks/results.

Damage: every file must end, within the time and memory limits, in a one-line error or a result. "Lost" counts
tracebacks, hangs, crashes, leaks and runs over the memory limit. "Unsaid" counts results that lack more than half a
second of frames without a warning; MPEG-TS does not store its length, so a missing end cannot be noticed there. The
exit code is 1 if anything was lost, or if the end of a file was missing without a warning.
"""

from __future__ import annotations

import argparse
import json
import random
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.robustness.media import report
from benchmarks.robustness.media.batches import Program
from benchmarks.robustness.media.case import MediaOutcome
from benchmarks.robustness.media.kinds import KINDS
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from tests.material.damage import ANYWHERE, field_swapped, header_fields
from tests.material.fault_material import EXTENSIONS, FOREIGN_NAME, foreign_files, intact_videos, odd_videos

PROJECT = Path(__file__).resolve().parents[2]

TIME_LIMIT_S = 60.0
MEMORY_LIMIT_MB = 3000.0
"""resident, of the whole process including the models"""
ADDRESS_SPACE_MB = 24_000
START_LIMIT_S = 300.0
FIELDS_PER_CONTAINER = 24
MAY_LACK_FRAMES = 13
"""half a second: the program says nothing of less"""
DAMAGE_WORDS = ("damaged parts", "damaged frames", "length that the file claims")
"""of the program's warnings"""
DAMAGE = "damage"
"""the kind that this module runs itself"""
CUT_OFF = ("truncated", "truncated in the head")


@dataclass(frozen=True, slots=True)
class Case:
    """One damaged file. campaign: its row in the table. frames: of the intact file, 0 if unknown."""

    campaign: str
    name: str
    path: Path
    frames: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case ended: "refused", "done", "traceback", "hang" or "crash"; detail: the error line or the warnings.

    frames: how many were decoded.
    """

    case: Case
    outcome: str
    detail: str
    frames: int
    wall_s: float
    peak_mb: float
    leaks: tuple[str, ...]

    @property
    def lost(self) -> str:
        """Why the case counts as lost, "" if it does not."""
        if self.outcome not in ("refused", "done"):
            return self.outcome
        if self.leaks:
            return f"leak ({', '.join(self.leaks)})"
        if self.outcome == "refused" and "\n" in self.detail:
            return "more than one line"
        return f"{self.peak_mb:.0f} MB" if self.peak_mb > MEMORY_LIMIT_MB else ""

    @property
    def unreported(self) -> bool:
        """Whether the result lacks more frames than allowed without a warning."""
        lacks = self.case.frames - self.frames
        return self.outcome == "done" and lacks > MAY_LACK_FRAMES and not any(w in self.detail for w in DAMAGE_WORDS)

    @property
    def failed(self) -> bool:
        """Whether the case makes the campaign fail."""
        return bool(self.lost) or (self.unreported and self.case.campaign in CUT_OFF)


def make_cases(folder: Path, seed: int, share: float = 1.0, *, heavy: bool = True) -> Iterator[Case]:
    """The whole campaign, or a `share` of it; the same `seed` gives the same damage."""
    base = intact_videos(folder)
    for extension in EXTENSIONS:
        data = base[extension].read_bytes()
        frames = 0 if extension == "ts" else _frames(base[extension])
        for campaign, (damage, count) in ANYWHERE.items():
            for number in range(max(1, round(count * share))):
                rng = random.Random(f"{seed} {extension} {campaign} {number}")
                name = f"{campaign} {extension} {number}"
                yield _written(folder, campaign, name, extension, damage(bytearray(data), rng), frames)
        rng = random.Random(f"{seed} {extension} fields")
        fields = list(header_fields(extension, data))
        chosen = rng.sample(fields, min(len(fields), max(1, round(FIELDS_PER_CONTAINER * share))))
        for field in chosen:
            name = f"field {field[0]} at {field[1]} {extension}"
            swapped = field_swapped(bytearray(data), rng, field)
            yield _written(folder, "header fields", name, extension, swapped, frames)
    for name, content in foreign_files():
        yield _written(folder, "no video at all", f"foreign {name}", FOREIGN_NAME, content)
    for name, path in odd_videos(folder, base, heavy=heavy):
        yield Case("unusual", name, path)


def run_cases(cases: Iterator[Case], folder: Path, cache: Path) -> Iterator[Outcome]:
    """Process every case; a worker that hangs or dies is replaced."""
    # Its intact videos are made before the first case is taken.
    worker: _Watched | None = None
    try:
        for case in cases:
            if worker is None:
                worker = _Watched(folder, cache)
            report = worker.ask(case.path)
            if report["outcome"] in ("hang", "crash"):
                worker.end()
                worker = None
            yield Outcome(case, **report)
    finally:
        if worker is not None:
            worker.end()


class _Watched:
    """A worker process and its watchdog."""

    def __init__(self, folder: Path, cache: Path) -> None:
        output = folder / "output"
        output.mkdir(exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "benchmarks.robustness.fault_worker",
            str(cache),
            str(output),
            str(folder / "intact.mp4"),
        ]
        command += ["--limit-mb", str(ADDRESS_SPACE_MB)]
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end()
        self._process = subprocess.Popen(
            command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said
        )
        first = self._report(START_LIMIT_S)
        if first["outcome"] != "done":
            self.end()
            raise RuntimeError(f"the intact video fails: {first}")

    def ask(self, path: Path) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(str(path)).encode() + b"\n")
        self._process.stdin.flush()
        return self._report(TIME_LIMIT_S)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._said):
            assert stream is not None
            stream.close()

    def _report(self, limit_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], limit_s)[0]:
            return _failure("hang", f"no answer within {limit_s:g} s", limit_s)
        line = self._process.stdout.readline()
        if not line:
            self._said.seek(0)
            said = self._said.read().decode(errors="replace").strip().splitlines()
            return _failure("crash", f"exit code {self._process.wait()}: {said[-1] if said else ''}", 0.0)
        report: dict[str, Any] = json.loads(line)
        return {**report, "leaks": tuple(report["leaks"])}


def table(outcomes: list[Outcome]) -> list[str]:
    """Lines of a Markdown table, one row per campaign."""
    columns = ("campaign", "cases", "result", "unreported", "refused", "lost", "worst time, s", "worst memory, MB")
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    names = list(dict.fromkeys(outcome.case.campaign for outcome in outcomes))
    for name in [*names, "all"]:
        rows = [o for o in outcomes if name in (o.case.campaign, "all")]
        counts = [sum(o.outcome == kind and not o.lost for o in rows) for kind in ("done", "refused")]
        lost, wall_s, peak = sum(bool(o.lost) for o in rows), max(o.wall_s for o in rows), max(o.peak_mb for o in rows)
        unreported = sum(o.unreported for o in rows)
        lines.append(
            f"| {name} | {len(rows)} | {counts[0]} | {unreported} | {counts[1]} | {lost} | {wall_s:.1f} | {peak:.0f} |"
        )
    return lines


def _frames(path: Path) -> int:
    info = probe_video(path)
    with VideoReader(info) as reader:
        return sum(1 for _ in reader.frames())


def _written(
    folder: Path, campaign: str, name: str, extension: str, content: bytes | bytearray, frames: int = 0
) -> Case:
    path = folder / f"{name.replace(' ', '_')}.{extension}"
    path.write_bytes(content)
    return Case(campaign, name, path, frames)


def _failure(outcome: str, detail: str, wall_s: float) -> dict[str, Any]:
    return {"outcome": outcome, "detail": detail, "frames": 0, "wall_s": wall_s, "peak_mb": 0.0, "leaks": ()}


def run_damage(arguments: argparse.Namespace, folder: Path, cache: Path) -> list[Outcome]:
    """Run the campaign of damaged files; failures are printed to standard error."""
    cases = (case for case in make_cases(folder, arguments.seed, arguments.share) if arguments.only in case.name)
    outcomes = []
    for outcome in run_cases(cases, folder, cache):
        outcomes.append(outcome)
        if arguments.verbose or outcome.failed:
            facts = f"{outcome.wall_s:.1f} s, {outcome.peak_mb:.0f} MB: {outcome.detail}"
            verdict = outcome.lost or ("unreported" if outcome.unreported else outcome.outcome)
            print(f"{verdict}: {outcome.case.name}: {facts}", file=sys.stderr, flush=True)
        outcome.case.path.unlink(missing_ok=True)
    return outcomes


def run_media(kinds: Sequence[str], folder: Path, cache: Path, only: str, *, verbose: bool) -> list[MediaOutcome]:
    """Run kinds of intact files; findings are printed to standard error."""
    outcomes = []
    for number, kind in enumerate(kinds):
        place = folder / f"kind_{number}"
        place.mkdir()
        for outcome in KINDS[kind](place, Program(place, cache, only=only)):
            outcomes.append(outcome)
            for finding in outcome.findings:
                print(f"{finding.fault}: {kind}: {outcome.name}: {finding.text}", file=sys.stderr, flush=True)
            if verbose and not outcome.findings:
                print(f"right: {kind}: {outcome.name}", file=sys.stderr, flush=True)
        shutil.rmtree(place)
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", action="append", choices=(DAMAGE, *KINDS), help="one of them (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="of the damage")
    parser.add_argument("--share", type=float, default=1.0, help="how much of the damage (1: over 500 files)")
    parser.add_argument("--store", metavar="LABEL", help="keep the figures of the media kinds under this name")
    parser.add_argument("--cache-dir", type=Path, help="converted networks are kept here (default: nowhere)")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--verbose", action="store_true", help="a line per case")
    arguments = parser.parse_args()
    kinds = arguments.kind or [DAMAGE, *KINDS]
    media = [kind for kind in kinds if kind != DAMAGE]
    failed = False
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        folder = Path(name)
        cache = arguments.cache_dir or folder / "cache"
        if DAMAGE in kinds:
            outcomes = run_damage(arguments, folder, cache)
            print("\n".join(table(outcomes)), flush=True)
            failed = any(outcome.failed for outcome in outcomes)
        if media:
            found = run_media(media, folder, cache, arguments.only, verbose=arguments.verbose)
            print("\n".join(report.table(report.rows(found))))
            if arguments.store:
                report.store(arguments.store, found)
            failed = failed or any(map(report.has_failed, found))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
