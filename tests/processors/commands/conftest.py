"""Fixtures of the tests of commands."""

from __future__ import annotations

import pytest

from tests.material.command_calls import pretend_results, pretend_videos

videos = pytest.fixture(pretend_videos)
results = pytest.fixture(pretend_results)
