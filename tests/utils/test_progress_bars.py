"""Bars on a terminal, lines elsewhere."""

from __future__ import annotations

import io
import threading

import pytest

from utils import progress_bars
from utils.batch_monitor import BatchMonitor
from utils.progress_bars import BarMonitor


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def bars():
    monitor = BarMonitor(Terminal())
    yield monitor
    monitor.close()


def begin(monitor: BarMonitor, weights: dict[str, float]) -> None:
    monitor.begin(len(weights))
    for name, weight in weights.items():
        monitor.expect(name, weight)


def shown(monitor: BarMonitor) -> str:
    for bar in monitor._bars.values():
        bar.refresh()
    monitor._batch.refresh()
    assert isinstance(monitor._stream, Terminal)
    return monitor._stream.getvalue()


def test_a_videos_monitor_shares_the_stop_event():
    batch = BatchMonitor()
    assert batch.video("a").stop is batch.stop
    batch.video("a").update("analyse", 1, 2)


def test_batch_bar_and_stage_bars_with_the_time_left(bars):
    begin(bars, {"one": 1.0, "two": 3.0})
    bars.video("one").update("analyse", 50, 100)
    bars.video("two").update("render", 10, 40)
    text = shown(bars)
    assert "video 1 of 2" in text
    assert "analyse  one" in text and "50/100 [" in text and "<" in text
    assert "render   two" in text and "10/40 [" in text


def test_a_stage_of_the_next_video_starts_from_zero_on_the_same_line(bars):
    begin(bars, {"one": 1.0, "two": 1.0})
    bars.video("one").update("analyse", 100, 100)
    bars.end_video("one")
    bars.video("two").update("analyse", 3, 10)
    assert list(bars._bars) == ["analyse"]
    assert (bars._bars["analyse"].n, bars._bars["analyse"].total) == (3, 10)
    # A late word about a finished video changes nothing.
    bars.video("one").update("analyse", 99, 100)
    assert (bars._bars["analyse"].n, bars._bars["analyse"].total) == (3, 10)


def test_several_videos_at_a_time_have_a_line_each(bars):
    bars.begin(4, at_a_time=2)
    bars.video("one").update("analyse", 50, 100)
    bars.video("two").update("analyse", 10, 40)
    text = shown(bars)
    assert "analyse  one" in text and "50/100 [" in text
    assert "analyse  two" in text and "10/40 [" in text
    # One that is analysed makes room: it may be rendered much later.
    bars.video("one").update("analyse", 100, 100)
    bars.video("three").update("analyse", 3, 10)
    bars.video("two").update("render", 1, 10)
    assert len(bars._bars) == 2
    bars.end_video("two")
    bars.video("one").update("render", 7, 10)
    assert len(bars._bars) == 2
    assert (bars._bars["2"].n, bars._bars["2"].total) == (7, 10)


def test_unknown_and_wrong_totals(bars):
    begin(bars, {"one": 0.0})
    bars.video("one").update("analyse", 7, 0)
    assert "analyse  one" in shown(bars) and " 7 [" in shown(bars)
    bars.video("one").update("analyse", 120, 100)
    assert "120/120" in shown(bars)


def test_lines_are_written_above_the_bars_and_nothing_remains_at_the_end(bars):
    begin(bars, {"one": 1.0})
    bars.video("one").update("analyse", 1, 2)
    bars.write("a line")
    assert "a line\n" in bars._stream.getvalue()
    bars.close()
    bars.close()
    assert bars._stream.getvalue().rstrip(" ").endswith("\r")
    bars.video("one").update("analyse", 2, 2)
    bars.write("after")


def test_many_threads_at_once(bars):
    names = [f"v{i}" for i in range(8)]
    begin(bars, dict.fromkeys(names, 1.0))

    def work(name: str) -> None:
        for i in range(200):
            bars.video(name).update("analyse", i, 200)
        bars.end_video(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert bars._batch.n == pytest.approx(1)


def test_the_conversion_of_networks_is_said_and_its_line_is_emptied(bars):
    begin(bars, {"one": 1.0})
    bars.video("one").update("convert", 1, 4)
    assert "converting 2 of 4 networks (once)" in shown(bars)
    bars.video("one").update("convert", 4, 4)
    assert "convert" not in bars._owners and bars._bars["convert"].desc == ""


def test_the_clock_ticks_while_nothing_is_reported(monkeypatch):
    """It stood still for 44 s while networks were converted."""
    monkeypatch.setattr(progress_bars, "_TICK_S", 0.01)
    monitor = BarMonitor(Terminal())
    try:
        begin(monitor, {"one": 1.0})
        ticked = threading.Event()
        monkeypatch.setattr(monitor._batch, "refresh", lambda *_, **__: ticked.set())
        assert ticked.wait(10)
    finally:
        monitor.close()
    assert monitor._ticking is None


def test_the_time_left_is_shown_when_enough_is_known():
    now = [0.0]
    monitor = BarMonitor(Terminal(), clock=lambda: now[0])
    try:
        begin(monitor, {"one": 10.0})
        for second in range(6):
            now[0] = float(second)
            monitor.video("one").update("analyse", second, 10)
        assert "about" in shown(monitor) and "left" in shown(monitor)
    finally:
        monitor.close()
