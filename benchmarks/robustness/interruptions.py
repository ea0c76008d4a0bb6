"""Interrupts runs at random moments and checks what is left behind and whether the next run completes.

    python -m benchmarks.robustness.interruptions [--moments 50] [--signals SIGKILL,...] [--seed N] [--cache-dir DIR]

For each of SIGINT, SIGTERM and SIGKILL the program is interrupted `--moments` times, each time with a new output
folder. Afterwards no broken clip may have a final name, no process may be left, and the next run must produce the same
bytes as an undisturbed one. Linux only. The exit code is 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import InvalidVideoError
from core.media.video_probe import probe_video
from processors.clips.resume_journal import NOTES_FILE, has_finished_clips
from tests.material.fault_material import intact_videos

PROJECT = Path(__file__).resolve().parents[2]
MARK = "FACE_RUN_MARK"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
LEAVE_S = 2.0
"""time that a run has to end after SIGINT or SIGTERM"""


@dataclass(slots=True)
class Tally:
    """Outcome of the interruptions by one signal. wrong: descriptions of failures."""

    moments: int = 0
    worst_leave_s: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Program:
    """The program on some videos, as a child process; all its processes carry a mark in their environment."""

    def __init__(self, inputs: Path, cache: Path) -> None:
        self._inputs, self._cache = inputs, cache

    def start(self, output: Path) -> tuple[subprocess.Popen[bytes], str]:
        mark = secrets.token_hex(8)
        command = [
            sys.executable,
            "main.py",
            str(self._inputs),
            "-o",
            str(output),
            "--offline",
            "--no-cache",
            "--quiet",
        ]
        command += ["--cache-dir", str(self._cache), "--size", "96", "--min-clip", "0.1", "--embedder", "dlib"]
        command += ["--no-gallery"]
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**os.environ, MARK: mark},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        return process, mark

    def run(self, output: Path) -> tuple[int, float]:
        """Exit code and time of an undisturbed run."""
        started = time.monotonic()
        process, _ = self.start(output)
        process.communicate()
        return process.returncode, time.monotonic() - started


def results(output: Path) -> dict[str, bytes]:
    """Contents of the videos' folders. Files beside them describe the run and its times, so they are left out."""
    files = [p for p in output.rglob("*") if p.is_file() and p.parent != output]
    return {p.relative_to(output).as_posix(): p.read_bytes() for p in files}


def interrupt(program: Program, output: Path, number: signal.Signals, after_s: float, tally: Tally) -> None:
    """One run that gets the signal `number` after `after_s` seconds."""
    process, mark = program.start(output)
    time.sleep(after_s)
    process.send_signal(number)
    sent = time.monotonic()
    try:
        _, said = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        tally.wrong.append(f"still running 30 s after {number.name} at {after_s:.2f} s")
        process.kill()
        _, said = process.communicate()
    tally.moments += 1
    where = f"{number.name} at {after_s:.2f} s"
    if number != signal.SIGKILL:
        tally.worst_leave_s = max(tally.worst_leave_s, time.monotonic() - sent)
        # Before main() has installed its handlers, Python's default exit applies.
        if process.returncode not in (0, 130, -number, 1) or (b"Traceback" in said and process.returncode == 130):
            tally.wrong.append(f"{where}: exit code {process.returncode}, {said.decode(errors='replace')[-200:]}")
    tally.wrong += [f"{where}: {thing}" for thing in left_behind(output, mark, killed=number == signal.SIGKILL)]


def left_behind(output: Path, mark: str, *, killed: bool) -> list[str]:
    """Leftover processes, incomplete clips and, unless the run was killed, temporary files.

    Finished clips of an unfinished video may stay, with their journal, for the next run.
    """
    deadline = time.monotonic() + LEAVE_S
    while (processes := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    found = [f"process {p}" for p in processes]
    finals = [p for p in output.rglob("*.mp4") if not any(part.startswith(".") for part in p.relative_to(output).parts)]
    for clip in finals:
        try:
            probe_video(clip)
        except InvalidVideoError as error:
            found.append(str(error))
    if not killed:
        kept = {folder for folder in output.glob(".partial-*") if has_finished_clips(folder)}
        allowed = kept | {folder / NOTES_FILE for folder in kept}
        found += [f"file {p.name}" for p in output.rglob(".partial-*") if p not in allowed]
    return found


def marked(mark: str) -> list[str]:
    """Processes that the run with this mark has started, whatever their parent is now."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{MARK}={mark}".encode() in environ.read_bytes():
                found.append(f"{environ.parent.name} {(environ.parent / 'comm').read_text().strip()}")
        except OSError:  # it has ended, or is not ours
            continue
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=50)
    parser.add_argument("--signals", default=",".join(number.name for number in SIGNALS), help="a list with commas")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache-dir", type=Path, help="converted networks are kept here (default: nowhere)")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="interruptions-") as name:
        folder = Path(name)
        inputs = folder / "in"
        inputs.mkdir()
        for extension, path in intact_videos(folder).items():
            if extension in ("mp4", "webm"):
                path.rename(inputs / f"{extension}.{extension}")
        program = Program(inputs, arguments.cache_dir or folder / "cache")
        program.run(folder / "first")  # converts the networks
        code, wall_s = program.run(folder / "whole")
        wanted = results(folder / "whole")
        if code != 0 or not any(file.endswith(".mp4") for file in wanted):
            raise RuntimeError(f"the undisturbed run failed: {code}")
        print("| signal | moments | wrong | longest way out, s |\n|---|---|---|---|")
        failed = False
        for number in [signal.Signals[name] for name in arguments.signals.split(",")]:
            tally = Tally()
            for moment in range(arguments.moments):
                output = folder / f"{number.name}-{moment}"
                interrupt(program, output, number, rng.uniform(0.0, wall_s), tally)
                code, _ = program.run(output)
                if code != 0 or results(output) != wanted:
                    differing = {k for k in {*wanted, *results(output)} if wanted.get(k) != results(output).get(k)}
                    tally.wrong.append(f"{number.name} {moment}: next run ended with {code}, differing: {differing}")
                if list(output.rglob(".partial-*")):
                    tally.wrong.append(f"{number.name} {moment}: temporary files outlive the next run")
            leave = f"{tally.worst_leave_s:.1f}" if number != signal.SIGKILL else "-"
            print(f"| {number.name} | {tally.moments} | {len(tally.wrong)} | {leave} |", flush=True)
            print(*tally.wrong, sep="\n", file=sys.stderr)
            failed = failed or bool(tally.wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
