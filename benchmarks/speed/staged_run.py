"""The program with its stages timed: python -m benchmarks.speed.staged_run RESULT.json [ARGUMENT OF main.py ...]

The result has for every stage the calls and the seconds of its own (wall, CPU of its threads), the time from the
process's start to the first stage ("start-up"), and the CPU time of the whole process and of its children.
"""

from __future__ import annotations

import time

STARTED = time.time()

import dataclasses  # noqa: E402 - the clock starts before any import
import json  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402


def run(result: Path, arguments: list[str]) -> int:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as main.py does, before numpy is imported
    from main import main
    from utils.processes import stage_times

    clock = stage_times.switch_on()
    exit_code = main(arguments)
    wall_s = time.time() - STARTED
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    stages = {name: dataclasses.asdict(spent) for name, spent in clock.report().items()}
    start_s = (clock.begun or STARTED) - STARTED
    figures = {
        "wall_s": wall_s,
        "cpu_s": own.ru_utime + own.ru_stime,
        "children_cpu_s": children.ru_utime + children.ru_stime,
        "stages": {"start-up": {"calls": 1, "wall_s": start_s, "cpu_s": start_s}, **stages},
    }
    result.write_text(json.dumps(figures), encoding="utf-8")
    return exit_code


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), sys.argv[2:]))
