"""Progress bars, judged by what a terminal shows of them."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator

import pytest

from utils.console.batch_monitor import BatchMonitor
from utils.console.progress_bars import BarMonitor

_CURSOR_UP = "\x1b[A"


class Terminal(io.StringIO):
    """Remembers what is written. `written` is set by every write."""

    encoding = "utf-8"

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.written.set()
        return super().write(text)

    def lines(self) -> list[str]:
        """What is on the screen, without blanks at the ends of lines and blank lines at the end."""
        rows: list[list[str]] = [[]]
        row = column = 0
        for token in re.findall(r"\x1b\[A|.", self.getvalue(), re.DOTALL):
            if token == _CURSOR_UP:
                row -= 1
            elif token == "\r":
                column = 0
            elif token == "\n":
                row, column = row + 1, 0
                rows += [[] for _ in range(row + 1 - len(rows))]
            else:
                rows[row] += " " * (column + 1 - len(rows[row]))
                rows[row][column] = token
                column += 1
        return "\n".join("".join(cells).rstrip() for cells in rows).rstrip("\n").split("\n")


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


@pytest.fixture
def bars(terminal: Terminal) -> Iterator[BarMonitor]:
    """Bars that are drawn whenever something is reported."""
    monitor = BarMonitor(terminal, redraw_s=0.0)
    yield monitor
    monitor.close()


def begin(monitor: BarMonitor, weights: dict[str, float]) -> None:
    monitor.begin(len(weights))
    for name, weight in weights.items():
        monitor.expect(name, weight)


def test_a_videos_monitor_shares_the_stop_event():
    batch = BatchMonitor()
    assert batch.video("a").stop is batch.stop
    batch.video("a").update("analyse", 1, 2)


def test_batch_bar_and_stage_bars_with_the_time_left(bars, terminal):
    begin(bars, {"one": 1.0, "two": 3.0})
    bars.video("one").update("analyse", 50, 100)
    bars.video("two").update("render", 10, 40)
    batch, first, second = terminal.lines()
    assert "video 1 of 2" in batch
    assert "analyse  one" in first and "50/100 [" in first and "<" in first
    assert "render   two" in second and "10/40 [" in second


def test_a_stage_of_the_next_video_starts_from_zero_on_the_same_line(bars, terminal):
    begin(bars, {"one": 1.0, "two": 1.0})
    bars.video("one").update("analyse", 100, 100)
    bars.end_video("one")
    bars.video("two").update("analyse", 3, 10)
    _, stage = terminal.lines()
    assert "analyse  two" in stage and "3/10" in stage
    bars.video("one").update("analyse", 99, 100)
    assert "3/10" in terminal.lines()[1], "a late report about a finished video changes nothing"


def test_several_videos_at_a_time_have_a_line_each(bars, terminal):
    bars.begin(4, at_a_time=2)
    bars.video("one").update("analyse", 50, 100)
    bars.video("two").update("analyse", 10, 40)
    _, first, second = terminal.lines()
    assert "analyse  one" in first and "50/100 [" in first
    assert "analyse  two" in second and "10/40 [" in second


def test_an_analysed_video_gives_up_its_line_and_later_takes_a_free_one(bars, terminal):
    bars.begin(4, at_a_time=2)
    bars.video("one").update("analyse", 50, 100)
    bars.video("two").update("analyse", 10, 40)
    bars.video("one").update("analyse", 100, 100)
    bars.video("three").update("analyse", 3, 10)
    bars.video("two").update("render", 1, 10)
    _, first, second = terminal.lines()
    assert "analyse  three" in first and "render   two" in second
    bars.end_video("two")
    bars.video("one").update("render", 7, 10)
    _, first, second = terminal.lines()
    assert "analyse  three" in first and "render   one" in second and "7/10" in second


def test_unknown_and_wrong_totals(bars, terminal):
    begin(bars, {"one": 0.0})
    bars.video("one").update("analyse", 7, 0)
    assert "analyse  one" in terminal.lines()[1] and " 7 [" in terminal.lines()[1]
    bars.video("one").update("analyse", 120, 100)
    assert "120/120" in terminal.lines()[1]


def test_lines_are_written_above_the_bars_and_no_bar_remains_at_the_end(bars, terminal):
    begin(bars, {"one": 1.0})
    bars.video("one").update("analyse", 1, 2)
    bars.write("a line")
    line, batch, stage = terminal.lines()
    assert line == "a line" and "video 1 of 1" in batch and "analyse  one" in stage
    bars.close()
    bars.close()
    assert terminal.lines() == ["a line"]
    bars.video("one").update("analyse", 2, 2)
    bars.write("after")
    assert terminal.lines() == ["a line", "after"]


def test_many_threads_at_once(bars, terminal):
    names = [f"v{i}" for i in range(8)]
    begin(bars, dict.fromkeys(names, 1.0))

    def work(name: str) -> None:
        for i in range(50):
            bars.video(name).update("analyse", i, 50)
        bars.end_video(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert "100%" in terminal.lines()[0]


def test_the_conversion_of_networks_is_said_and_its_line_is_emptied(bars, terminal):
    begin(bars, {"one": 1.0})
    bars.video("one").update("convert", 1, 4)
    assert "converting 2 of 4 networks (once)" in terminal.lines()[1]
    bars.video("one").update("convert", 4, 4)
    assert len(terminal.lines()) == 1


def test_the_clock_ticks_while_nothing_is_reported(terminal):
    """It stood still for 44 s while networks were converted."""
    monitor = BarMonitor(terminal, tick_s=0.01)
    try:
        begin(monitor, {"one": 1.0})
        terminal.written.clear()
        assert terminal.written.wait(10)
    finally:
        monitor.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "progress"]


def test_the_time_left_is_shown_when_enough_is_known(terminal):
    now = [0.0]
    monitor = BarMonitor(terminal, clock=lambda: now[0])
    try:
        begin(monitor, {"one": 10.0})
        for second in range(6):
            now[0] = float(second)
            monitor.video("one").update("analyse", second, 10)
        assert re.search(r"about .* left", terminal.lines()[0])
    finally:
        monitor.close()
