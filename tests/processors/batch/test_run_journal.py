"""What is known of a run outside the process that does it."""

from __future__ import annotations

from processors.batch.input_result import InputResult
from processors.batch.run_journal import Crash, RunHistory


def test_a_second_crash_leaves_an_input_out() -> None:
    history = RunHistory().after_crash({}, {"a": "analyse", "b": "finish"}, "SIGSEGV")
    assert history.suspects == ["a", "b"]
    assert history.left_out("a") is None
    done = InputResult("a.mp4", "a", "done")
    history = history.after_crash({"a": done}, {"b": "analyse"}, "SIGABRT")
    assert history.results == {"a": done}
    assert history.suspects == []
    assert history.left_out("b") == Crash(2, "analyse", "SIGABRT")
    assert history.left_out("a") is None
    assert history.left_out("c") is None


def test_the_reason_says_what_was_being_done() -> None:
    assert Crash(2, "probe", "SIGABRT").reason == "crashed the program while being probed (SIGABRT); left out"
