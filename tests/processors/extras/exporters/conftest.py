from __future__ import annotations

import pytest

from core.types import FaceAnalysis, Timeline
from tests.material.export_material import example_analysis, example_timeline


@pytest.fixture
def analysis() -> FaceAnalysis:
    return example_analysis()


@pytest.fixture
def timeline() -> Timeline:
    return example_timeline()
