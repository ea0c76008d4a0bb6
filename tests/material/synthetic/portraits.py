"""The two people of all generated videos: public-domain portraits that come with installed packages.

Nothing is downloaded. The face boxes were measured once with facenet-pytorch's MTCNN, the outlines
were cut out once with GrabCut; both are stored here, so that the truth depends on no library's version.
A mirrored or tinted portrait is still the same person; there are two identities, not more.
"""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

FEATHER_PX = 1.2
"""softness of the cut-out's edge, standard deviation in pixels of the portrait"""


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """One person, cut out of a photograph.

    package, file: where the photograph lies. box: the face, xyxy in pixels of the photograph.
    outline: (N, 2) int32, polygon around head and body, same pixels.
    """

    name: str
    package: str
    file: str
    box: tuple[float, float, float, float]
    outline: NDArray[np.int32]

    @property
    def centre(self) -> tuple[float, float]:
        x1, y1, x2, y2 = self.box
        return (x1 + x2) / 2, (y1 + y2) / 2

    @property
    def face_height(self) -> float:
        return self.box[3] - self.box[1]

    @property
    def face_width(self) -> float:
        return self.box[2] - self.box[0]


@functools.lru_cache
def photograph(portrait: Portrait) -> NDArray[np.uint8]:
    """The whole photograph, (H, W, 3) uint8 RGB. Read-only.

    Raises:
        FileNotFoundError: the package that brings it is not installed.
    """
    spec = importlib.util.find_spec(portrait.package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"{portrait.file} comes with {portrait.package}: pip install -r requirements-dev.txt")
    image = cv2.imread(str(Path(spec.origin).parent / portrait.file), cv2.IMREAD_COLOR)
    if image is None:
        raise FileNotFoundError(f"{portrait.package} no longer brings {portrait.file}")
    rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
    rgb.setflags(write=False)
    return rgb


@functools.lru_cache
def cutout(portrait: Portrait, halvings: int = 0) -> NDArray[np.float32]:
    """The person alone, (H, W, 4) float32 RGBA in 0..255 with colours premultiplied, `halvings` times halved."""
    if halvings:
        larger = cutout(portrait, halvings - 1)
        size = (max(larger.shape[1] // 2, 1), max(larger.shape[0] // 2, 1))
        return np.asarray(cv2.resize(larger, size, interpolation=cv2.INTER_AREA), np.float32)
    rgb = photograph(portrait)
    mask = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(mask, [portrait.outline], 255, cv2.LINE_AA)
    # A border that repeats the edge keeps the body solid where the photograph ends.
    alpha = cv2.GaussianBlur(mask, (0, 0), FEATHER_PX, borderType=cv2.BORDER_REPLICATE)[..., None].astype(np.float32)
    return np.concatenate([rgb * (alpha / 255), alpha], axis=2, dtype=np.float32)


# fmt: off
COLLINS = Portrait(
    "collins", "skimage", "data/astronaut.png", (181.1, 62.2, 267.7, 172.1),
    np.array([
        [200, 24], [185, 38], [160, 54], [155, 62], [153, 71], [159, 104], [161, 108], [172, 116], [179, 124],
        [180, 139], [182, 144], [181, 150], [177, 153], [155, 157], [142, 165], [134, 166], [130, 169], [123, 179],
        [119, 200], [113, 207], [111, 214], [77, 235], [64, 248], [47, 277], [41, 292], [39, 306], [34, 317],
        [33, 326], [36, 331], [48, 336], [51, 340], [48, 353], [49, 370], [46, 379], [42, 383], [31, 382], [27, 385],
        [24, 416], [22, 421], [24, 430], [23, 458], [26, 482], [29, 492], [37, 502], [40, 511], [511, 511],
        [511, 489], [508, 489], [493, 473], [494, 467], [501, 460], [501, 458], [495, 448], [494, 428], [488, 406],
        [475, 381], [443, 355], [420, 346], [383, 345], [371, 349], [365, 348], [360, 342], [360, 329], [357, 324],
        [357, 312], [351, 286], [345, 276], [308, 240], [291, 203], [256, 172], [256, 164], [264, 149], [269, 134],
        [293, 112], [299, 95], [299, 74], [295, 57], [287, 42], [275, 31], [250, 19], [241, 19], [229, 16],
    ], np.int32),
)
"""Eileen Collins, NASA portrait of 1998, `skimage.data.astronaut()`"""

HOPPER = Portrait(
    "hopper", "matplotlib", "mpl-data/sample_data/grace_hopper.jpg", (174.4, 119.6, 355.6, 340.5),
    np.array([
        [218, 32], [211, 43], [197, 50], [185, 60], [177, 72], [174, 85], [157, 101], [150, 102], [145, 107],
        [147, 170], [151, 179], [157, 186], [153, 199], [154, 214], [161, 228], [169, 258], [176, 269], [175, 286],
        [177, 289], [197, 297], [202, 301], [204, 307], [203, 317], [198, 329], [189, 336], [133, 354], [122, 360],
        [99, 363], [77, 370], [61, 380], [54, 381], [47, 388], [38, 411], [25, 425], [25, 430], [27, 433],
        [27, 461], [23, 497], [17, 528], [12, 599], [511, 599], [511, 441], [507, 440], [505, 437], [504, 428],
        [492, 394], [488, 390], [463, 377], [422, 366], [361, 340], [338, 322], [329, 312], [330, 299], [336, 286],
        [345, 278], [349, 271], [360, 262], [367, 234], [368, 203], [366, 194], [371, 188], [368, 181], [371, 136],
        [369, 130], [369, 102], [364, 89], [356, 86], [352, 82], [349, 70], [338, 59], [314, 45], [299, 40],
        [291, 33], [280, 27], [268, 24], [251, 23], [240, 25], [227, 31],
    ], np.int32),
)
"""Grace Hopper, US Navy portrait of 1984, `matplotlib`'s sample data"""
# fmt: on
