"""What somebody wears, as colours: a histogram of the region below a face.

Clothes tell people of one scene apart where faces cannot: in profile, small, or blurred.
"""

from __future__ import annotations

import cv2
import numpy as np

from core.types import ByteArray, FloatArray
from utils.images.image_shrinking import shrunk
from utils.images.lab_histogram import HISTOGRAM_SIZE, lab_histogram

CLOTHES_SIZE = HISTOGRAM_SIZE
"""numbers of one description"""

_TOP, _BOTTOM, _HALF_WIDTH = 1.45, 3.2, 1.0
"""the region: from and to where below the upper edge of the box, in box heights, and to either side of its middle, in
box widths. The chin is at 1.0 and shoulders begin at about 1.3; lower down, tables and other people are as frequent"""

_CELLS_X, _CELLS_Y = 32, 28
"""the whole region is shrunk to so many pixels: patterns become mean colours, noise averages out"""

_CELL_SAMPLES = 4
"""pixels along each axis that a cell is the mean of, at most: more of them cost time and change little"""

_MIN_VISIBLE = 0.04
"""share of the region that must lie in the frame"""


def clothes_colours(image: ByteArray, box: FloatArray) -> ByteArray | None:
    """The colours below a face: (CLOTHES_SIZE,) uint8, None where the frame ends too soon below it.

    The values are the square roots of the histogram's shares, times 255, so that the dot product of two descriptions,
    divided by 255 squared, is their Bhattacharyya coefficient.

    Args:
        image: (h, w, 3) uint8 RGB.
        box: (4,) float32 xyxy, the face in pixels of the image.
    """
    width, height = box[2:] - box[:2]
    centre = (box[0] + box[2]) / 2
    region = np.array(
        [
            centre - _HALF_WIDTH * width,
            box[1] + _TOP * height,
            centre + _HALF_WIDTH * width,
            box[1] + _BOTTOM * height,
        ]
    )
    size = np.maximum(region[2:] - region[:2], 1)
    limit = np.array(image.shape[1::-1])
    low, high = np.clip(np.round(region[:2]), 0, limit).astype(int), np.clip(np.round(region[2:]), 0, limit).astype(int)
    visible = (high - low) / size
    if (high <= low).any() or visible.prod() < _MIN_VISIBLE:
        return None
    cells = np.maximum(np.round(visible * (_CELLS_X, _CELLS_Y)), 1).astype(int)
    patch = image[low[1] : high[1], low[0] : high[0]]
    small = shrunk(patch, int(cells[0]), int(cells[1]), _CELL_SAMPLES)
    lab = cv2.cvtColor(np.asarray(small, np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    return np.asarray(np.rint(255 * np.sqrt(lab_histogram(lab))), np.uint8)
