"""How many videos are worked on at a time."""

from __future__ import annotations

import pytest

from core.settings_file import load_settings
from processors.workers import worker_count as module
from processors.workers.worker_count import worker_count, workers_for

PLENTY_MB = 64_000.0


@pytest.mark.parametrize(
    ("cpus", "memory_mb", "inputs", "expected"),
    [
        (2, PLENTY_MB, 10, 1),
        (7, PLENTY_MB, 10, 1),
        (8, PLENTY_MB, 10, 2),
        (16, PLENTY_MB, 10, 4),
        (16, PLENTY_MB, 3, 3),
        (16, 4000.0, 10, 2),
        (16, 800.0, 10, 1),
        (16, None, 10, 4),
    ],
)
def test_cores_memory_and_inputs_limit_the_number(
    cpus: int, memory_mb: float | None, inputs: int, expected: int
) -> None:
    assert workers_for(inputs, cpus=cpus, memory_mb=memory_mb, has_gpu=False) == expected


def test_one_process_has_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    assert workers_for(10, cpus=64, memory_mb=PLENTY_MB, has_gpu=True) == 1
    monkeypatch.setattr(module, "driver_finds_gpu", lambda: True)
    monkeypatch.setattr(module, "free_memory_mb", lambda: PLENTY_MB)
    assert worker_count(load_settings(None, {"run": {"threads": 16}}), 10) == 1
    on_cpu = load_settings(None, {"run": {"threads": 16}, "analysis": {"device": "cpu"}})
    assert worker_count(on_cpu, 10) == 4


def test_a_number_that_is_given_counts_but_never_more_than_there_are_inputs() -> None:
    settings = load_settings(None, {"run": {"workers": "3"}})
    assert (worker_count(settings, 10), worker_count(settings, 2), worker_count(settings, 1)) == (3, 2, 1)
