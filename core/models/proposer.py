"""One-pass detectors that propose where faces may be, for MTCNN's O-Net to judge.

They take the place of P-Net's pyramid and of R-Net, which are most of a search's cost. Their own scores and landmarks
are not used: what the program calls a face is decided by O-Net, as with the pyramid.
"""

from __future__ import annotations

import importlib.util
import math
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from core.errors import ModelError, ModelUnavailableError
from core.models.inference.dynamic_shape_graph import DynamicShapeGraph
from core.models.inference.openvino_graph import OpenVINOGraph
from core.models.networks.installed_files import installed_file
from core.models.networks.model_spec import WeightsFile
from core.models.networks.quantised_onnx import read_quantised
from core.models.proposal_weights import PROPOSAL_WEIGHTS, PYRAMID
from core.types import ByteArray, FloatArray
from utils.images.nms import non_maximum_suppression
from utils.processes.stage_times import timed

MAX_PROPOSALS = 200
"""per image, best first: bounds the time that an image full of texture takes"""

SAME_FACE_OVERLAP = 0.5
"""IoU of two proposals from which on the better one stands for both"""

_KEPT_PROPOSALS = 4
"""Latest results that are kept: up to three questions are asked about one image, others may come between them."""

_GRID_PX = 32
"""sides of an input are multiples of it: the largest stride of both networks"""


class Proposer(Protocol):
    """Proposes regions of images that may be faces. May be called by several threads."""

    def prepare(self) -> None:
        """Get ready ahead of the first call; does not wait."""
        ...

    def propose(self, image: ByteArray, min_face_px: float, /) -> FloatArray:
        """(N, 4) float32 boxes in pixels of `image`, best first.

        image: (h, w, 3) uint8 RGB, whose pixels never change. min_face_px: height of the smallest face that is wanted.
        """
        ...


Heads = Callable[[Sequence[FloatArray], int, float], tuple[FloatArray, FloatArray]]
"""(outputs of a network, width of its input in px, least score) -> boxes (N, 4) in pixels of the input, scores (N,)"""


@dataclass(frozen=True, slots=True)
class ProposerSpec:
    """What the program knows about one proposing network.

    heads: reads its outputs. is_bgr: order of the colours of its input, whose levels are 0 to 255 in both networks.
    is_quantised: whether its file is one of those that `read_quantised` reads.
    least_score: of a proposal. smallest_px: height at which the smallest wanted face is shown to it.
    """

    weights: WeightsFile
    heads: Heads
    is_bgr: bool
    is_quantised: bool
    least_score: float
    smallest_px: float

    def scale(self, min_face_px: float) -> float:
        """By which an image is shrunk for the network if the smallest face that is wanted has this height."""
        return min(1.0, self.smallest_px / min_face_px)

    def proposed(self, outputs: Sequence[FloatArray], width: int) -> FloatArray:
        """(N, 4) float32, pixels of the network's input, best first. width: of that input."""
        boxes, scores = self.heads(outputs, width, self.least_score)
        keep = non_maximum_suppression(boxes, scores, np.zeros(len(boxes), np.int64), SAME_FACE_OVERLAP)
        return boxes[keep[:MAX_PROPOSALS]]


def centerface_boxes(outputs: Sequence[FloatArray], _width: int, least: float) -> tuple[FloatArray, FloatArray]:
    """CenterFace (Xu et al. 2019): one map of cells of 4 px that says where faces have their centre.

    outputs: heat (1, 1, h, w) in [0, 1]; logarithms of height and width in cells (1, 2, h, w); place of the centre in
    its cell, y and x (1, 2, h, w).
    """
    heat, size, offset = outputs[0][0, 0], outputs[1][0], outputs[2][0]
    row, column = np.nonzero(heat >= least)
    half = 2 * np.exp(size[:, row, column])
    y, x = 4 * (np.stack([row, column]) + offset[:, row, column] + 0.5)
    boxes = np.stack([x - half[1], y - half[0], x + half[1], y + half[0]], 1)
    return boxes.astype(np.float32), heat[row, column]


def yunet_boxes(outputs: Sequence[FloatArray], width: int, least: float) -> tuple[FloatArray, FloatArray]:
    """YuNet (Wu et al. 2023): maps of cells of 8, 16 and 32 px, flattened.

    outputs: of the three maps the class (1, cells, 1), then the objectness (1, cells, 1), both in [0, 1], then the
    boxes (1, cells, 4): place of the centre in its cell, x and y, logarithms of width and height, all in cells.
    """
    boxes, scores = [], []
    for level, cell in enumerate((8, 16, 32)):
        shown, there, place = (outputs[level + k][0] for k in (0, 3, 6))
        score = np.sqrt(np.clip(shown[:, 0], 0, 1) * np.clip(there[:, 0], 0, 1))
        chosen = np.flatnonzero(score >= least)
        row, column = np.divmod(chosen, width // cell)
        centre = (np.stack([column, row], 1) + place[chosen, :2]) * cell
        half = np.exp(place[chosen, 2:]) * cell / 2
        boxes.append(np.concatenate([centre - half, centre + half], 1))
        scores.append(score[chosen])
    return np.concatenate(boxes).astype(np.float32), np.concatenate(scores)


PROPOSERS: dict[str, ProposerSpec] = {
    "centerface": ProposerSpec(
        PROPOSAL_WEIGHTS["centerface"],
        centerface_boxes,
        is_bgr=False,
        is_quantised=False,
        least_score=0.15,
        smallest_px=10.0,
    ),
    "yunet": ProposerSpec(
        PROPOSAL_WEIGHTS["yunet"],
        yunet_boxes,
        is_bgr=True,
        is_quantised=True,
        least_score=0.2,
        smallest_px=12.0,
    ),
}
"""Least scores and sizes were chosen on frames of the development clips: smaller inputs lose faces of 25 px, larger
ones cost more and find hardly any others, and more proposals only cost MTCNN's time (docs/measurements)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Proposed:
    """A result. image: None once nobody has it any more."""

    image: weakref.ref[ByteArray]
    min_face_px: float
    boxes: FloatArray


class OnePassProposer:
    """A `Proposer`: one network on the CPU, run on the image scaled so that the smallest wanted face is a few pixels.

    Inputs are filled up with black to a multiple of 32 px, so videos of one aspect ratio and `--min-face` have one
    size, which matters because the network is prepared for each (see `DynamicShapeGraph`).

    Attributes:
        graph: the network.
    """

    def __init__(self, spec: ProposerSpec, model_file: Path, *, threads: int = 1) -> None:
        """model_file: the file of `spec`, verified."""
        self._spec = spec
        self._file = model_file
        self._threads = threads
        self.graph = DynamicShapeGraph(self._compiled)
        self._latest: tuple[_Proposed, ...] = ()

    def prepare(self) -> None:
        """As `Proposer.prepare`."""
        self.graph.compile_ahead()

    def propose(self, image: ByteArray, min_face_px: float) -> FloatArray:
        """As `Proposer.propose`. Raises ModelError if OpenVINO cannot read the network."""
        for each in self._latest:
            if each.image() is image and each.min_face_px == min_face_px:
                return each.boxes
        boxes = self._proposals(image, min_face_px)
        boxes.setflags(write=False)
        self._latest = (*self._latest[1 - _KEPT_PROPOSALS :], _Proposed(weakref.ref(image), min_face_px, boxes))
        return boxes

    @timed("proposals")
    def _proposals(self, image: ByteArray, min_face_px: float) -> FloatArray:
        planes, (x_scale, y_scale) = input_planes(image, self._spec.scale(min_face_px), is_bgr=self._spec.is_bgr)
        boxes = self._spec.proposed(self.graph(planes), planes.shape[3])
        return np.asarray(boxes / np.array([x_scale, y_scale] * 2), np.float32)

    def _compiled(self) -> OpenVINOGraph:
        read = read_quantised if self._spec.is_quantised else None
        return OpenVINOGraph(self._file, threads=self._threads, shapes={0: (1, 3, -1, -1)}, read=read)


def load_proposer(name: str, *, threads: int) -> OnePassProposer:
    """The proposer `name`, a key of `PROPOSERS`, ready for use.

    Raises:
        ModelUnavailableError: its package is not installed.
        ModelChecksumError: the file is damaged or another one.
        ModelError: OpenVINO is missing or cannot read it.
    """
    if importlib.util.find_spec("openvino") is None:
        raise ModelError(f"--proposals {name} needs OpenVINO", stage="models", hint=f"--proposals {PYRAMID}")
    spec = PROPOSERS[name]
    try:
        file = installed_file(spec.weights)
    except ModelUnavailableError as error:
        hint = f"{error.hint}, or --proposals {PYRAMID}"
        raise ModelUnavailableError(error.message, stage="models", hint=hint) from error
    return OnePassProposer(spec, file, threads=threads)


def input_planes(image: ByteArray, scale: float, *, is_bgr: bool) -> tuple[ByteArray, tuple[float, float]]:
    """The input of a proposing network: (1, 3, h, w) uint8, and the scale of its pixels in x and y.

    image: (h, w, 3) uint8 RGB. scale, padding: see `shrunk_and_padded`. is_bgr: see `ProposerSpec`.
    """
    padded, scales = shrunk_and_padded(image, scale)
    return colour_planes(padded, is_bgr=is_bgr), scales


def colour_planes(image: ByteArray, *, is_bgr: bool) -> ByteArray:
    """(1, 3, h, w) uint8 of an image (h, w, 3) uint8 RGB. is_bgr: see `ProposerSpec`."""
    # Not by a stride of -1: numpy's inner loops would run over three numbers.
    colours = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), np.uint8) if is_bgr else image
    return np.asarray(colours.transpose(2, 0, 1)[None], np.uint8)


def shrunk_and_padded(image: ByteArray, scale: float) -> tuple[ByteArray, tuple[float, float]]:
    """`image`, (h, w, 3) uint8, times `scale` (at most 1), filled up with black on the right and below.

    Returns:
        The image, (H, W, 3) uint8, whose sides are multiples of 32 px, and its exact scale in x and y.
    """
    height, width = image.shape[:2]
    (inner_height, inner_width), padded_size = inner_and_padded(height, width, scale)
    padded = np.zeros((*padded_size, 3), np.uint8)
    shrunk = cv2.resize(image, (inner_width, inner_height), interpolation=cv2.INTER_AREA)
    padded[:inner_height, :inner_width] = shrunk
    return padded, (inner_width / width, inner_height / height)


def inner_and_padded(height: int, width: int, scale: float) -> tuple[tuple[int, int], tuple[int, int]]:
    """Height and width of an image times `scale`, and of that filled up to multiples of 32 px."""
    inner = max(1, round(height * scale)), max(1, round(width * scale))
    return inner, (_up(inner[0]), _up(inner[1]))


def _up(length: int) -> int:
    return _GRID_PX * math.ceil(length / _GRID_PX)
