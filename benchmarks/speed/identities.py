"""Memory and time of telling people apart, by number of tracklets.

    python -m benchmarks.speed.identities [--tracklets 1000,5000,20000] [--people 300]

Each number gets a process of its own, which makes up a film, works out its timeline and then what is doubtful about
it, as a run does between analysis and clips. "analysis" is what the process holds before (interpreter, libraries, the
analysis with its portraits), "peak" the most that it ever holds. The digest tells whether two versions of the program
find the same people.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as main.py does, before numpy is imported

from benchmarks.processes import PROJECT, memory_kib
from benchmarks.speed.made_up_film import made_up_film
from benchmarks.speed.whole_runs import circumstances
from config import ClipSettings, IdentitySettings
from processors.id_timeline_generator import IdTimelineGenerator
from processors.people.doubt import find_doubts

COLUMNS = {
    "analysis_mib": "analysis, MiB",
    "peak_mib": "peak, MiB",
    "identities_cpu_s": "people, CPU s",
    "doubts_cpu_s": "doubts, CPU s",
    "people": "people",
    "unknown": "unknown",
    "digest": "digest",
}


def measure_here(tracklets: int, people: int) -> dict[str, Any]:
    """What this process needs for one film."""
    film = made_up_film(tracklets, people)
    held, _ = memory_kib(os.getpid())
    begin = _cpu_s()
    timeline, compared = IdTimelineGenerator(IdentitySettings(), ClipSettings()).compare_and_generate(film)
    known = _cpu_s()
    doubts = find_doubts(film, timeline, compared)
    end = _cpu_s()
    found = [person.tracklets for person in timeline.people]
    weak = [(name, doubt.part, round(doubt.similarity or 0, 4)) for name, doubt in doubts.people.items()]
    return {
        "analysis_mib": round(held / 1024),
        "peak_mib": round(memory_kib(os.getpid())[1] / 1024),
        "identities_cpu_s": round(known - begin, 1),
        "doubts_cpu_s": round(end - known, 1),
        "people": len(found),
        "unknown": len(timeline.unknown),
        "digest": hashlib.sha256(repr((found, weak)).encode()).hexdigest()[:8],
    }


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure(tracklets: int, people: int) -> dict[str, Any]:
    """The same of a new process.

    Raises:
        subprocess.CalledProcessError: it failed, or was killed for its memory.
    """
    command = [sys.executable, "-m", __spec__.name, "--here", str(tracklets), "--people", str(people)]
    done = subprocess.run(command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    return dict(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracklets", default="1000,5000,20000")
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--here", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.here:
        print(json.dumps(measure_here(args.here, args.people)))
        return
    print("| tracklets | " + " | ".join(COLUMNS.values()) + " |\n" + "|---" * (len(COLUMNS) + 1) + "|", flush=True)
    for count in map(int, args.tracklets.split(",")):
        row = measure(count, args.people)
        print(f"| {count} | " + " | ".join(str(row[column]) for column in COLUMNS) + " |", flush=True)
    print(circumstances())


if __name__ == "__main__":
    main()
