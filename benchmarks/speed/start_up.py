"""How long the answers take that need no video: python -m benchmarks.speed.start_up [--runs N]

The best of N runs of each command, beside an interpreter that does nothing. The tests check which modules are imported
(tests/test_main.py), because a time depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import Usage, measure

COMMANDS = {
    "an empty interpreter": ("-c", ""),
    "main.py --version": ("main.py", "--version"),
    "main.py --help": ("main.py", "--help"),
    "main.py --no-such-flag": ("main.py", "--no-such-flag"),
}


def best_of(runs: int, arguments: tuple[str, ...]) -> Usage:
    """The run with the shortest wall time."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        usages = [measure([sys.executable, *arguments], Path(folder) / "log.txt") for _ in range(runs)]
    return min(usages, key=lambda usage: usage.wall_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10, metavar="N", help="default: 10")
    runs = parser.parse_args().runs
    print("| command | wall, s | CPU, s | peak memory, MiB |")
    print("|---|---|---|---|", flush=True)
    for name, arguments in COMMANDS.items():
        best = best_of(runs, arguments)
        print(f"| {name} | {best.wall_s:.2f} | {best.cpu_s:.2f} | {best.peak_mib:.0f} |", flush=True)


if __name__ == "__main__":
    main()
