"""Shared fixtures, and checks after each test: no threads or processes left, no unexpected errors logged."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.material.synthetic.portraits import COLLINS, HOPPER, photograph
from utils.console.console_log import OWN_LOGGERS, CallbackHandler

PROJECT = Path(__file__).resolve().parent.parent
SHARED = PROJECT.parent / "shared"
FAIL_WITHOUT_GPU = os.environ.get("FAIL_WITHOUT_GPU") == "1"
MISSING_TOOL = "missing on this machine: "
"""first words of the reason when a test is skipped because an installable tool is missing"""
GRACE_S = 5.0
"""time that threads and child processes may take to end after their test"""
LASTING_THREADS = ("pytest_timeout", "tqdm", "ThreadPoolExecutor", "pydevd")
"""name prefixes of threads that libraries keep for the whole process"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("clips") and not (SHARED / "clips").is_dir():
            item.add_marker(pytest.mark.skip(reason=f"no development clips in {SHARED / 'clips'}"))
        # The first test with real networks converts them, which takes ten seconds; development clips are whole videos.
        if "models_cache" in getattr(item, "fixturenames", ()) or item.get_closest_marker("clips"):
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("gpu") and not FAIL_WITHOUT_GPU and not _has_gpu():
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true, fail tests that are skipped because a tool is missing; otherwise that would go unnoticed."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason.startswith(MISSING_TOOL):
            report.outcome = "failed"
            report.longrepr = f"{reason}; CI has to install it (.ci/run)"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Make reports fit for the way to the process that prints them: names of files may hold what is no UTF-8."""
    report = yield
    return encodable(report)


def encodable(value: Any) -> Any:
    """`value` with every string in it encodable as UTF-8; lone surrogates become escapes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {encodable(key): encodable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(encodable(item) for item in value)
    return value


def _has_gpu() -> bool:
    import torch  # takes seconds, and most runs select no test that needs it

    return bool(torch.cuda.is_available())


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's folder."""
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with development material beside the project; for tests marked `clips`."""
    if not SHARED.is_dir():
        pytest.skip(f"no {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def clips(shared: Path) -> Path:
    """Real videos with truth files; for tests marked `clips`."""
    return shared / "clips"


@pytest.fixture(scope="session")
def sample() -> Path:
    """The sample video in the repository."""
    return PROJECT / "videos" / "input" / "sample.mp4"


@pytest.fixture(scope="session")
def portraits() -> dict[str, NDArray[np.uint8]]:
    """Two photographs by name, (H, W, 3) uint8 RGB, read-only; their face boxes are in `Portrait`."""
    return {portrait.name: photograph(portrait) for portrait in (COLLINS, HOPPER)}


@pytest.fixture(autouse=True, scope="session")
def _no_settings_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test finds the settings file of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves threads or child processes running."""
    threads, children = set(threading.enumerate()), _children()
    yield
    deadline = time.monotonic() + GRACE_S
    while (left := _left_behind(threads, children)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not left, f"still running after the test: {left}"


def _left_behind(threads: set[threading.Thread], children: dict[int, str]) -> list[str]:
    started = [t.name for t in threading.enumerate() if t not in threads and not t.name.startswith(LASTING_THREADS)]
    return started + [f"{name} ({pid})" for pid, name in _children().items() if pid not in children]


def _children() -> dict[int, str]:
    """Names of child processes by id, zombies included; empty on systems without /proc."""
    found = {}
    for listing in Path("/proc/self/task").glob("*/children"):
        try:
            for pid in listing.read_text().split():
                found[int(pid)] = Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:  # the thread or the child has ended meanwhile
            continue
    return found


@pytest.fixture(autouse=True)
def _no_errors_logged(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test during which the program or a library logged at ERROR, unless it is marked `errors_expected`."""
    yield
    if request.node.get_closest_marker("errors_expected"):
        return
    tests = Path(__file__).parent
    records = [r for r in caplog.get_records("call") if not Path(r.pathname).is_relative_to(tests)]
    errors = [r.getMessage() for r in records if r.levelno >= logging.ERROR]
    assert not errors, f"logged at ERROR (mark the test `errors_expected` if that is right): {errors}"


@pytest.fixture(autouse=True)
def _logging_not_set_up() -> Iterator[None]:
    """Undo what a run of the program within a test or fixture sets: with its levels, later tests see no messages."""
    yield
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(logging.NOTSET)
    for handler in [h for h in root.handlers if isinstance(h, CallbackHandler)]:
        root.removeHandler(handler)
