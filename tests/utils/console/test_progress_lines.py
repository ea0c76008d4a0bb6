"""Progress without a terminal."""

from __future__ import annotations

import io
import json

from utils.console.progress_lines import JsonMonitor, LineMonitor


def test_there_is_a_line_a_minute_with_per_cent_and_the_time_left():
    now = [0.0]
    stream = io.StringIO()
    monitor = LineMonitor(stream, lambda: now[0])
    monitor.begin(1)
    monitor.expect("one", 100.0)
    for second in range(0, 131, 5):
        now[0] = float(second)
        monitor.video("one").update("analyse", second, 200)
    # 60 s for 30 % of an analysis of 200 s, and 0.6 of that for rendering.
    assert stream.getvalue().splitlines() == [
        "video 1 of 1 (one, analyse): 19 %, about 4:20 left",
        "video 1 of 1 (one, analyse): 38 %, about 3:20 left",
    ]
    monitor.end_video("one")


def test_a_line_may_be_about_the_conversion_of_networks():
    now = [0.0]
    stream = io.StringIO()
    monitor = LineMonitor(stream, lambda: now[0])
    monitor.begin(3)
    now[0] = 61.0
    monitor.video("one").update("convert", 1, 4)
    assert stream.getvalue() == "video 1 of 3 (one, converting 2 of 4 networks (once))\n"


def events(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_has_one_object_a_line_with_the_same_keys():
    now = [0.0]
    stream = io.StringIO()
    monitor = JsonMonitor(stream, lambda: now[0])
    monitor.write("before")
    assert events(stream)[0]["eta_s"] is None
    stream.truncate(stream.seek(0))
    monitor.begin(2)
    monitor.expect("a", 10.0)
    monitor.write('a "line"')
    for tenth in range(0, 101):
        now[0] = tenth / 10
        monitor.video("a").update("analyse", tenth, 100)
    monitor.end_video("a")
    monitor.end_video("b")
    told = events(stream)
    keys = ["event", "input", "stage", "done", "total", "eta_s"]
    assert all(list(event)[:6] == keys for event in told)
    assert told[0] == {"event": "begin", "input": None, "stage": None, "done": 0, "total": 2, "eta_s": None}
    assert told[1]["event"] == "log" and told[1]["message"] == 'a "line"'
    stages = [event for event in told if event["event"] == "stage"]
    assert [event["done"] for event in stages] == list(range(0, 101, 10)), "once a second, and the last one"
    assert stages[0]["eta_s"] is None and stages[-1]["eta_s"] is not None
    assert [(event["input"], event["done"], event["total"]) for event in told[-2:]] == [("a", 1, 2), ("b", 2, 2)]
    assert told[-1]["eta_s"] == 0.0
