"""Proposes tilted faces: YuNet looks at a small image that shows the whole picture turned either way."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.models.inference.dynamic_shape_graph import DynamicShapeGraph
from core.models.proposer import PROPOSERS, colour_planes, inner_and_padded
from core.types import ByteArray, FloatArray
from utils.images.face_roll import turned_both_ways
from utils.processes.stage_times import timed

IMAGE_TURN = 60.0
"""degrees by which images are turned for the proposals, either way. YuNet gives three people in clips turned by 50 and
60 degrees 0.05 to 0.56 in the image as it is, where 0.2 is a proposal, and 0.89 to 0.93 in the image turned by 45; with
60, faces that lie are within its reach, too"""

_YUNET = PROPOSERS["yunet"]


@dataclass(frozen=True, slots=True, eq=False)
class TurnedBoxes:
    """Squares that may show tilted faces, best first.

    boxes: (N, 4) float32, pixels of the image. rolls: (N,) float32 degrees, how far the image was turned for each. A
    face may be tilted by 45 more or less: YuNet's landmarks do not tell, they are always those of a face that is
    upright in the turned image.
    """

    boxes: FloatArray
    rolls: FloatArray

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: slice | NDArray[np.bool_]) -> TurnedBoxes:
        return TurnedBoxes(self.boxes[rows], self.rolls[rows])

    def joined(self, other: TurnedBoxes) -> TurnedBoxes:
        """These, then the `other` ones."""
        return TurnedBoxes(np.concatenate([self.boxes, other.boxes]), np.concatenate([self.rolls, other.rolls]))


class TurnedProposer:
    """Any number of threads may use it."""

    def __init__(self, graph: DynamicShapeGraph) -> None:
        """graph: OpenCV's quantised YuNet."""
        self._graph = graph

    @timed("proposals")
    def propose(self, image: ByteArray, min_face_px: float) -> TurnedBoxes:
        """Regions that may be tilted faces.

        image: (h, w, 3) uint8 RGB. min_face_px: height of the smallest face that is wanted. Most faces of less than
        twice that are left out, because the turned images are that much smaller.

        Raises:
            ModelError: OpenVINO cannot read the network.
        """
        height, width = image.shape[:2]
        inner, padded = inner_and_padded(height, width, _YUNET.scale(min_face_px))
        # Shrunk first: turning all pixels of the image takes half as long as the network.
        shrunk = np.asarray(cv2.resize(image, inner[::-1], interpolation=cv2.INTER_AREA), np.uint8)
        # As large as what `OnePassProposer` shows, because the network would have to be prepared for another size.
        both, back = turned_both_ways(shrunk, IMAGE_TURN, padded)
        boxes = _YUNET.proposed(self._graph(colour_planes(both, is_bgr=_YUNET.is_bgr)), padded[1])
        halves = _halves(boxes, padded)
        squares = _moved_back(boxes, np.stack(back)[halves])
        squares *= np.tile([width / inner[1], height / inner[0]], 2)
        rolls = np.array([IMAGE_TURN, -IMAGE_TURN], np.float32)[halves]
        return TurnedBoxes(squares.astype(np.float32), rolls)


def _halves(boxes: FloatArray, size: tuple[int, int]) -> NDArray[np.int64]:
    """(N,) 0 or 1: in which half of an image of `turned_both_ways` the middle of each box, (N, 4), lies.

    size: its height and width.
    """
    axis = 0 if size[1] >= size[0] else 1
    return np.asarray(boxes[:, axis] + boxes[:, axis + 2] >= size[1 - axis], np.int64)


def _moved_back(boxes: FloatArray, matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squares, (N, 4), in the places of boxes that were found in a turned image. matrices: (N, 2, 3), out of it."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    centre = (matrices[:, :, :2] @ middle[:, :, None])[:, :, 0] + matrices[:, :, 2]
    scale = np.sqrt(np.abs(np.linalg.det(matrices[:, :, :2])))[:, None]
    half = scale * np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(1, keepdims=True)) / 2
    return np.concatenate([centre - half, centre + half], 1)
