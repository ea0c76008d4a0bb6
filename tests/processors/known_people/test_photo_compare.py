from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from core.errors import PhotoError
from core.model_manager import ModelManager
from processors.known_people.photo_compare import compare_photos, comparison_lines, draw_comparison
from tests.processors.known_people.photos import collins, hopper, random_image, save


@pytest.fixture
def targets(tmp_path: Path) -> list[Path]:
    save(tmp_path / "same.jpg", np.ascontiguousarray(collins()[:, ::-1]))
    save(tmp_path / "other.jpg", hopper())
    save(tmp_path / "nobody.jpg", random_image())
    (tmp_path / "text.jpg").write_text("no photo")
    return [tmp_path / name for name in ("same.jpg", "other.jpg", "nobody.jpg", "text.jpg", "gone.jpg")]


def test_compares_in_order_and_continues_after_bad_ones(
    tmp_path: Path, targets: list[Path], models: ModelManager
) -> None:
    source = save(tmp_path / "source.png", collins())
    done = list(compare_photos(source, targets, models))
    found = json.loads(msgspec.json.encode([comparison for comparison, _ in done]))
    assert [[face["same"] for face in entry["faces"]] for entry in found] == [[True], [False], [], [], []]
    assert set(found[0]) == {"source", "target", "faces"} and set(found[0]["faces"][0]) == {"box", "similarity", "same"}
    assert found[0]["target"] == str(targets[0]) and found[2]["faces"] == []
    assert "is text" in found[3]["error"] and "No such file" in found[4]["error"]
    lines = list(comparison_lines(comparison for comparison, _ in done))
    assert lines[1].startswith("yes ") and lines[2].startswith("no ") and "is text" in lines[4]
    drawn = draw_comparison(done[0][1], done[0][0])
    assert drawn is not None and drawn.shape == done[0][1].photo.pixels.shape  # type: ignore[union-attr]
    assert (drawn != done[0][1].photo.pixels).any()  # type: ignore[union-attr]
    assert draw_comparison(done[3][1], done[3][0]) is None


def test_a_source_without_a_face(tmp_path: Path, targets: list[Path], models: ModelManager) -> None:
    with pytest.raises(PhotoError, match="no face was found"):
        list(compare_photos(targets[2], targets[:1], models))
    with pytest.raises(PhotoError, match="is text"):
        list(compare_photos(targets[3], targets[:1], models))
