"""The mesh lies on the face, and an open mouth is open."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.models.face_mesh import CHIN, FACE_SIDE_PX, FOREHEAD, LOWER_LIP, UPPER_LIP, FaceMesh, mouth_opening
from processors.speech.mouth_region import face_image
from tests.material.synthetic.portraits import COLLINS, HOPPER, Portrait
from tests.speech_models import needs_speech_packages

pytestmark = needs_speech_packages


@pytest.mark.parametrize("portrait", [COLLINS, HOPPER], ids=lambda portrait: portrait.name)
def test_points_lie_in_order_on_a_face(
    portrait: Portrait, portraits: dict[str, NDArray[np.uint8]], face_mesh: FaceMesh
) -> None:
    box = np.array(portrait.box, np.float64)
    grey = cv2.cvtColor(portraits[portrait.name], cv2.COLOR_RGB2GRAY)
    points = face_mesh.points(face_image(np.asarray(grey, np.uint8), box))
    heights = points[[FOREHEAD, UPPER_LIP, LOWER_LIP, CHIN], 1]
    assert points.shape == (468, 2) and (np.diff(heights) > 0).all()
    assert 0 < heights[0] < 0.6 * FACE_SIDE_PX < heights[-1] < FACE_SIDE_PX
    assert 0 <= mouth_opening(points) < 0.2


def test_opening_is_in_heights_of_the_face() -> None:
    points = np.zeros((468, 2), np.float32)
    points[FOREHEAD, 1], points[UPPER_LIP, 1], points[LOWER_LIP, 1], points[CHIN, 1] = 10, 70, 80, 110
    assert mouth_opening(points) == pytest.approx(0.1) == pytest.approx(mouth_opening(points * 3))
