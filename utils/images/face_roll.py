"""Roll, the in-plane rotation of a face: measuring it, cropping faces upright, and the way back into the image. Pure.

Degrees, clockwise as seen in the image: 0 upright, 90 with the forehead to the right. Boxes of tilted faces are
axis-aligned rectangles around them, like all boxes.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from utils.images.area_sampling import BEYOND, LARGE_SHARE
from utils.images.face_alignment import FACE_TEMPLATE, warp

FloatArray = NDArray[np.float32]

UPRIGHT_ROLL = 25.0
"""up to here faces are looked at as they are. MTCNN's networks were trained on faces tilted by about 20 degrees; of
clips turned as a whole, O-Net gives faces 0.98 or more at 30 degrees and 0.2 to 1.0 at 50"""

_UPRIGHT = FACE_TEMPLATE - FACE_TEMPLATE.mean(0)
"""the landmarks of an upright face, around their mean"""

FACE_ASPECT = 0.75
"""width of a face's box as a share of its height: median of 14 people of five development clips"""


def face_rolls(landmarks: FloatArray) -> FloatArray:
    """(N,) degrees in (-180, 180]: the turn that maps an upright frontal face closest to each face.

    landmarks: (N, 5, 2) as of `Detections`. All five count, because eyes alone mislead in profile.
    """
    points = landmarks - landmarks.mean(1, keepdims=True)
    along = (points * _UPRIGHT).sum((1, 2))
    across = (_UPRIGHT[:, 0] * points[..., 1] - _UPRIGHT[:, 1] * points[..., 0]).sum(1)
    return np.asarray(np.degrees(np.arctan2(across, along)), np.float32)


def median_roll(landmarks: FloatArray) -> float:
    """Degrees by which a face is tilted, either way, in the median of its looks: those of single looks may be guesses.

    landmarks: (N, 5, 2).
    """
    rolls = np.sort(np.abs(face_rolls(landmarks)))
    middle = len(rolls) // 2
    # np.median takes ten times as long, and this is asked of every face in every look.
    return float(rolls[middle] if len(rolls) % 2 else (rolls[middle - 1] + rolls[middle]) / 2)


def is_tilted(rolls: FloatArray) -> NDArray[np.bool_]:
    """(N,) whether faces are to be looked at turned upright. rolls: (N,) degrees."""
    return np.asarray(np.abs(rolls) > UPRIGHT_ROLL)


def upright_sizes(boxes: FloatArray, rolls: FloatArray) -> FloatArray:
    """(N,) the longer side of each face once it is turned upright. boxes: (N, 4). rolls: (N,) degrees."""
    size = boxes[:, 2:] - boxes[:, :2]
    # The squares of the sides of the rectangle around an ellipse have one sum, however it is turned.
    turned = np.sqrt((size * size).sum(1) / (1 + FACE_ASPECT**2))
    return np.asarray(np.where(is_tilted(rolls), turned, size.max(1)), np.float32)


def squares_of(boxes: FloatArray, rolls: FloatArray) -> FloatArray:
    """(N, 4) squares around the centres of boxes (N, 4), as large as the faces are high."""
    half = upright_sizes(boxes, rolls)[:, None] / 2
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.asarray(np.concatenate([centre - half, centre + half], 1), np.float32)


def turning_matrix(centre: FloatArray, length: float, roll: float, side: int) -> NDArray[np.float64]:
    """The 2x3 matrix from an image to a `side` x `side` one that shows the square around a face, turned upright.

    centre: (2,). length: of the square's side, px of the image.
    """
    turn = side / max(length, 1.0) * _turn(roll)
    return np.column_stack([turn, side / 2 - turn @ np.asarray(centre, np.float64)])


def _turn(degrees: float) -> NDArray[np.float64]:
    """The 2x2 matrix that turns image coordinates anticlockwise, as seen in the image."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, sin], [-sin, cos]])


def turned_both_ways(
    image: NDArray[np.uint8], degrees: float, size: tuple[int, int]
) -> tuple[NDArray[np.uint8], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """The image, (h, w, 3), turned anticlockwise and clockwise, side by side (one above the other if it is upright).

    Both are shrunk so that all of each fits into its half of an image of `size`, height and width, which are even. A
    turned image of 16:9 needs no more than half of the width, so nothing is lost there.

    Returns the image and the 2x3 matrices that lead from the pixels of each half, anticlockwise first, back to `image`.
    """
    height, width = image.shape[:2]
    is_wide = width >= height
    room = (size[1] // 2, size[0]) if is_wide else (size[1], size[0] // 2)
    step = np.array([room[0], 0] if is_wide else [0, room[1]])
    halves, back = [], []
    for number, angle in enumerate((degrees, -degrees)):
        reach = np.abs(_turn(angle)) @ np.array([width, height])
        turn = float((room / reach).min()) * _turn(angle)
        matrix = np.column_stack([turn, np.array(room) / 2 - turn @ np.array([width, height]) / 2])
        halves.append(cv2.warpAffine(image, matrix, room, flags=cv2.INTER_LINEAR))
        matrix[:, 2] += number * step
        back.append(cv2.invertAffineTransform(matrix))
    return np.asarray(np.concatenate(halves, 1 if is_wide else 0), np.uint8), (back[0], back[1])


def turned_crops(image: NDArray[np.uint8], squares: FloatArray, rolls: FloatArray, side: int) -> FloatArray:
    """(N, side, side, 3) float32 in [0, 255]: the squares (N, 4) of the image, each turned back by its roll.

    Beyond the image is the last pixel of its edge, in large squares grey: as in `few_squares`.
    """
    large_px = LARGE_SHARE * min(image.shape[:2])
    crops = np.empty((len(squares), side, side, 3), np.float32)
    for row, (square, roll) in enumerate(zip(squares, rolls, strict=True)):
        centre, length = (square[:2] + square[2:]) / 2, float(square[2] - square[0])
        beyond = round(BEYOND) if length >= large_px else None
        crops[row] = warp(image, turning_matrix(centre, length, float(roll), side), side, beyond=beyond)
    return crops


def turned_into_image(
    squares: FloatArray, rolls: FloatArray, boxes: FloatArray, landmarks: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """What was found in turned crops, in the image: upright boxes (N, 4) around the faces, and landmarks (N, 5, 2).

    squares: (N, 4), those of `turned_crops`. boxes, landmarks: as if the squares had not been turned.
    """
    middle = (squares[:, :2] + squares[:, 2:]) / 2
    cos, sin = np.cos(np.radians(rolls)), np.sin(np.radians(rolls))
    turn = np.stack([np.stack([cos, sin], 1), np.stack([-sin, cos], 1)], 1)
    points = (landmarks - middle[:, None]) @ turn + middle[:, None]
    centre = (((boxes[:, :2] + boxes[:, 2:]) / 2 - middle)[:, None] @ turn)[:, 0] + middle
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    # A face is an ellipse rather than a rectangle: its bounds do not grow by the corners.
    around = np.stack([np.hypot(half[:, 0] * cos, half[:, 1] * sin), np.hypot(half[:, 0] * sin, half[:, 1] * cos)], 1)
    return (
        np.concatenate([centre - around, centre + around], 1).astype(np.float32),
        np.asarray(points, np.float32),
    )
