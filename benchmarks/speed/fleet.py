"""Simulates many nodes that share one folder, video by video: python -m benchmarks fleet [--picture FILE.png]

A discrete simulation of what `core/lease.py` and `processors/batch/video_claimer.py` do: whoever is free takes the next
video, a dead node's videos are taken over when their leases are stale. The work per minute of video was measured (see
`Node`); lengths, failures, bit rates and prices are assumptions and stand at the top.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.lease import STALE_AFTER_S

VIDEOS = 10_000
MEDIAN_MIN, SPREAD, LONGEST_MIN = 10.0, 1.2, 240.0
"""assumed: lengths are log-normal, minutes; the mean is twice the median, one video in 250 reaches the longest"""
READ_MB_PER_MIN, WRITE_MB_PER_MIN = 120.0, 30.0
"""assumed: 8 Mbit/s, read by the analysis and again by the rendering; clips of half the bytes"""
HOURS_BETWEEN_FAILURES, REPAIR_S = 200.0, 600.0
"""assumed: of one node; then another takes its place"""
_MB = 1000.0


@dataclass(frozen=True, slots=True)
class Node:
    """A machine with one call for every two cores, which is what was measured.

    cpu_s_per_min: CPU seconds per minute of video for everything: 65.0 measured by `benchmarks.speed.scale` (1080p, up
        to four people, 1 to 60 minutes, 2 cores). The hour's analysis took 18.0 of its 37.9 minutes, so of the 65.0
        30.9 are counted for the analysis and 34.1 for the rest.
    price: per hour, assumed.
    """

    name: str
    cpu_s_per_min: float
    price: float
    cores: int = 16
    cores_per_call: int = 2

    @property
    def calls(self) -> int:
        return self.cores // self.cores_per_call

    @property
    def call_s_per_min(self) -> float:
        """Seconds that one of the calls needs for a minute of video, with the disk to itself."""
        return self.cpu_s_per_min / self.cores_per_call


CPU_NODE = Node("16 cores", 65.0, 0.70)
# Never measured. A bound instead: a GPU that needs no time leaves decoding and cuts, 2.0 ms of CPU a frame at 25 fps.
GPU_NODE = Node("16 cores and a GPU", 34.1 + 2.0e-3 * 25 * 60, 1.30)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a simulated run took.

    makespan_s: until the last video is done. busy: share of the calls' time with work. repeated: videos begun again.
    last_tenth_s: the end, in which fewer than nine tenths of the calls have work.
    """

    makespan_s: float
    video_min: float
    busy: float
    repeated: int
    last_tenth_s: float
    finished: int

    @property
    def speed(self) -> float:
        """Hours of video per hour."""
        return self.video_min * 60 / self.makespan_s


def lengths_min(count: int = VIDEOS, seed: int = 1) -> np.ndarray:
    """Lengths of `count` videos in minutes, float64."""
    drawn = np.random.default_rng(seed).lognormal(math.log(MEDIAN_MIN), SPREAD, count)
    return np.minimum(drawn, LONGEST_MIN)


def simulate(
    minutes: Sequence[float] | np.ndarray,
    node: Node,
    nodes: int,
    disk_gb_s: float,
    *,
    hours_between_failures: float = HOURS_BETWEEN_FAILURES,
    seed: int = 1,
) -> Outcome:
    """Process videos of `minutes` in this order.

    All calls move at one pace: that of their cores, or, if together they ask more of the shared disk than it gives, a
    slower one. So time is counted in work: it advances by `pace` seconds of work a second, and a call ends when its
    work is done. hours_between_failures: of one node; infinite for none.
    """
    fleet = _Fleet(minutes, node, nodes, disk_gb_s, _NodeFailures(nodes, hours_between_failures, seed))
    while fleet.finished < len(minutes):
        fleet.step()
    return Outcome(
        fleet.now,
        float(np.sum(minutes)),
        fleet.busy_s / (fleet.now * nodes * node.calls),
        fleet.repeated,
        fleet.now - fleet.last_full,
        fleet.finished,
    )


class _NodeFailures:
    """When a node fails next, and which one: at a constant rate, whichever it is."""

    def __init__(self, nodes: int, hours_between_failures: float, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._nodes = nodes
        self._rate = nodes / (hours_between_failures * 3600)
        self.next_s = self._random.exponential(1 / self._rate) if self._rate > 0 else math.inf

    def take(self) -> int:
        """The node that fails at `next_s`, which then tells of the failure after it."""
        self.next_s += self._random.exponential(1 / self._rate)
        return int(self._random.integers(self._nodes))


class _Fleet:
    """The state of a simulation between two events; calls are numbered node by node.

    Attributes:
        now, last_full: seconds since the start; when at least nine tenths of the calls last had work.
        busy_s: seconds with work of all calls together.
        finished, repeated: numbers of videos.
    """

    def __init__(
        self, minutes: Sequence[float] | np.ndarray, node: Node, nodes: int, disk_gb_s: float, failures: _NodeFailures
    ) -> None:
        self._node = node
        self._calls = nodes * node.calls
        self._failures = failures
        demand_gb_s = (READ_MB_PER_MIN + WRITE_MB_PER_MIN) / _MB / node.call_s_per_min
        self._unhindered_calls = disk_gb_s / demand_gb_s
        self._waiting = deque(enumerate(float(m) for m in minutes))
        self._late: list[tuple[float, int, float]] = []  # taken over when the lease is stale: time, video, minutes
        self._idle = list(range(self._calls))
        self._running: dict[int, tuple[int, float]] = {}  # by call: video, minutes
        self._ends: list[tuple[float, int, int]] = []  # work at the end, ticket, call
        self._tickets: dict[int, int] = {}  # by call; an end with another ticket is that of a node that died
        self._ticket = itertools.count()
        self._down: set[int] = set()
        self._repairs: list[tuple[float, int]] = []  # time, node
        self._work = 0.0
        self.now = self.busy_s = self.last_full = 0.0
        self.finished = self.repeated = 0

    def step(self) -> None:
        """Give work to idle calls and go on to the next event."""
        self._begin_videos()
        while self._ends and self._tickets.get(self._ends[0][2]) != self._ends[0][1]:
            heapq.heappop(self._ends)
        pace = min(1.0, self._unhindered_calls / len(self._running)) if self._running else 1.0
        if len(self._running) >= 0.9 * self._calls:
            self.last_full = self.now
        end = self.now + (self._ends[0][0] - self._work) / pace if self._ends else math.inf
        repair = self._repairs[0][0] if self._repairs else math.inf
        taken_over = self._late[0][0] if self._late and self._idle else math.inf
        then = min(end, self._failures.next_s, repair, taken_over)
        self.busy_s += (then - self.now) * len(self._running)
        self._work += (then - self.now) * pace
        self.now = then
        if then == end:
            self._end_video()
        elif then == self._failures.next_s:
            self._fail(self._failures.take())
        elif then == repair:
            self._repair()

    def _begin_videos(self) -> None:
        while self._late and self._late[0][0] <= self.now:
            _, video, length = heapq.heappop(self._late)
            self._waiting.appendleft((video, length))
        while self._waiting and self._idle:
            call = self._idle.pop()
            video, length = self._waiting.popleft()
            self._running[call], self._tickets[call] = (video, length), next(self._ticket)
            heapq.heappush(self._ends, (self._work + length * self._node.call_s_per_min, self._tickets[call], call))

    def _end_video(self) -> None:
        self._work, _, call = heapq.heappop(self._ends)
        del self._running[call], self._tickets[call]
        self._idle.append(call)
        self.finished += 1

    def _fail(self, victim: int) -> None:
        if victim in self._down:
            return
        self._down.add(victim)
        heapq.heappush(self._repairs, (self.now + REPAIR_S, victim))
        for call in self._calls_of(victim):
            if call in self._running:
                video, length = self._running.pop(call)
                del self._tickets[call]
                heapq.heappush(self._late, (self.now + STALE_AFTER_S, video, length))
                self.repeated += 1
            else:
                self._idle.remove(call)

    def _repair(self) -> None:
        _, victim = heapq.heappop(self._repairs)
        self._down.discard(victim)
        self._idle += self._calls_of(victim)

    def _calls_of(self, node: int) -> range:
        return range(node * self._node.calls, (node + 1) * self._node.calls)


def table(minutes: np.ndarray) -> list[str]:
    """Lines of Markdown: what docs/scale.md shows."""
    lines = [
        "| node | nodes | disk, GB/s | hours | speed | busy | end, h | begun again | cost per hour of video |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for node in (CPU_NODE, GPU_NODE):
        for nodes in (1, 10, 100):
            for disk in (1.0, 10.0):
                found = simulate(minutes, node, nodes, disk)
                hours = found.makespan_s / 3600
                cost = node.price * nodes * hours / (found.video_min / 60)
                lines.append(
                    f"| {node.name} | {nodes} | {disk:g} | {hours:.1f} | {found.speed:.0f} | {found.busy:.0%} "
                    f"| {found.last_tenth_s / 3600:.1f} | {found.repeated} | {cost:.3f} |"
                )
    return lines


def draw(minutes: np.ndarray, path: Path) -> None:
    """Draw speed over the number of nodes, a curve per node and disk."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    counts = [1, 2, 5, 10, 20, 30, 50, 70, 100, 150, 200]
    figure, axes = plt.subplots(figsize=(8, 5))
    for node, style in ((CPU_NODE, "-"), (GPU_NODE, "--")):
        for disk, colour in ((1.0, "tab:red"), (10.0, "tab:blue")):
            speeds = [simulate(minutes, node, nodes, disk).speed for nodes in counts]
            axes.plot(counts, speeds, style, color=colour, marker=".", label=f"{node.name}, disk {disk:g} GB/s")
    axes.set(xscale="log", yscale="log", xlabel="nodes", ylabel="hours of video per hour")
    axes.grid(True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=100, bbox_inches="tight")
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--picture", type=Path, metavar="FILE.png", help="draw the curves, too")
    arguments = parser.parse_args()
    minutes = lengths_min()
    print(f"{len(minutes)} videos, {minutes.sum() / 60:.0f} h, longest {minutes.max():.0f} min")
    print(*table(minutes), sep="\n")
    for node in (CPU_NODE, GPU_NODE):
        demand = (READ_MB_PER_MIN + WRITE_MB_PER_MIN) / _MB / node.call_s_per_min * node.calls
        print(f"{node.name}: {demand * 1000:.0f} MB/s, so 1 GB/s is enough for {1 / demand:.0f} nodes")
    longest_first = np.sort(minutes)[::-1]
    for nodes in (10, 100):
        both = [simulate(order, CPU_NODE, nodes, 10.0) for order in (minutes, longest_first)]
        print(f"{nodes} nodes, by name and longest first: " + ", ".join(f"{f.makespan_s / 3600:.1f} h" for f in both))
    for hours in (math.inf, HOURS_BETWEEN_FAILURES, 24.0):
        found = simulate(minutes, CPU_NODE, 100, 10.0, hours_between_failures=hours)
        text = f"{found.makespan_s / 3600:.1f} h, {found.repeated} begun again, speed {found.speed:.0f}"
        print(f"100 nodes, a failure every {hours:g} h of a node: {text}")
    if arguments.picture:
        draw(minutes, arguments.picture)


if __name__ == "__main__":
    main()
