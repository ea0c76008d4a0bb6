"""dlib's networks, rebuilt in torch from dlib's own files: face recognition, and the MMOD face detector.

Like those of `core.models.networks.torch_nets` they take images: (N, h, w, 3) RGB in [0, 255], uint8 or float32.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from core.models.networks.dlib_weights import read_parameters
from core.models.networks.tiled_pyramid import Tile, tiled_pyramid

MEAN_RGB = (122.782, 117.001, 104.298)
"""subtracted from pixels, which are then divided by 256: input_rgb_image of dlib/dnn/input.h"""


class DlibResNet(nn.Module):  # type: ignore[misc]
    """dlib's face recognition network (dnn_face_recognition_ex.cpp), 29 convolutions, on (N, 150, 150, 3) RGB."""

    # Blocks from the input to the output: number of filters, and whether the block halves the resolution.
    BLOCKS = (
        *((32, False),) * 3,
        *((64, True), (64, False), (64, False), (64, False)),
        *((128, True), (128, False), (128, False)),
        *((256, True), (256, False), (256, False)),
        (256, True),
    )

    def __init__(self, weights: Path) -> None:
        super().__init__()
        parameters = read_parameters(weights)
        self.register_buffer("mean", _mean())
        self.stem = _convolution(parameters, 3, 32, size=7, stride=2)
        self.blocks = nn.ModuleList()
        channels = 32
        for filters, halves in self.BLOCKS:
            first = _convolution(parameters, channels, filters, size=3, stride=2 if halves else 1)
            second = _convolution(parameters, filters, filters, size=3, stride=1)
            self.blocks.append(nn.Sequential(first, nn.ReLU(), second))
            channels = filters
        kind, values = parameters.pop(0)
        if kind != "fc" or parameters:
            raise ValueError(f"unexpected layers in {weights.name}")
        self.register_buffer("head", torch.tensor(values).reshape(channels, 128))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """images: (N, 150, 150, 3) RGB in [0, 255]; returns (N, 128)."""
        x = (images.permute(0, 3, 1, 2).to(torch.float32) - self.mean) / 256
        x = x.to(self.head.dtype)
        x = functional.max_pool2d(torch.relu(self.stem(x)), 3, 2)
        for (_, halves), block in zip(self.BLOCKS, self.blocks, strict=True):
            main = block(x)
            skip = functional.avg_pool2d(x, 2) if halves else x
            x = torch.relu(_padded_sum(main, skip))
        return x.mean((2, 3)) @ self.head


class MmodNet(nn.Module):  # type: ignore[misc]
    """dlib's MMOD face detector (dnn_mmod_face_detection_ex.cpp), 7 convolutions, for square images of one size.

    It tells the score of the best face in an image. Where that face is, nobody asks: boxes are not worked out, nor
    suppressed where they overlap, which never removes the best one.
    """

    # Convolutions from the input to the output: number of filters, size, stride.
    LAYERS = (*((16, 5, 2), (32, 5, 2), (32, 5, 2)), *((45, 5, 1),) * 3)
    LAST_SIZE = 9

    def __init__(self, weights: Path, side: int) -> None:
        """side: of the images, px."""
        super().__init__()
        parameters = read_parameters(weights)
        self.register_buffer("mean", _mean())
        self.layers = nn.Sequential()
        channels = 3
        for filters, size, stride in self.LAYERS:
            self.layers.extend([_convolution(parameters, channels, filters, size=size, stride=stride), nn.ReLU()])
            channels = filters
        self.head = _convolution(parameters, channels, 1, size=self.LAST_SIZE, stride=1, affine=False)
        if parameters:
            raise ValueError(f"unexpected layers in {weights.name}")
        self.pyramid = tiled_pyramid(side, side)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """images: (N, side, side, 3) RGB in [0, 255]; returns (N, 1): 0 if there is no face, real ones have about 1."""
        tile = (images.permute(0, 3, 1, 2).to(torch.float32) - self.mean) / 256
        first, *smaller = self.pyramid.tiles
        canvas = self._placed(tile, first)
        for place in smaller:
            tile = functional.interpolate(tile, (place.height, place.width), mode="bilinear", align_corners=True)
            canvas = canvas + self._placed(tile, place)
        scores = self.head(self.layers(canvas.to(self.head.weight.dtype)))
        return scores.amax((2, 3)).clamp_min(0)

    def _placed(self, pixels: torch.Tensor, tile: Tile) -> torch.Tensor:
        """`pixels` on an empty canvas."""
        right = self.pyramid.width - tile.left - tile.width
        return functional.pad(pixels, (tile.left, right, tile.top, self.pyramid.height - tile.top - tile.height))


def _mean() -> torch.Tensor:
    return torch.tensor(MEAN_RGB).reshape(1, 3, 1, 1)


def _convolution(
    parameters: list[tuple[str, Any]], inputs: int, filters: int, *, size: int, stride: int, affine: bool = True
) -> nn.Module:
    """The next convolution in the file, with the affine layer after it, if there is one, folded in."""
    kind, values = parameters.pop(0)
    if kind != "con" or len(values) != filters * (inputs * size * size + 1):
        raise ValueError(f"unexpected layer {kind} ({len(values)})")
    # dlib pads a convolution only where its stride is 1.
    layer = nn.Conv2d(inputs, filters, size, stride, padding=size // 2 if stride == 1 else 0)
    weight = torch.tensor(values[:-filters]).reshape(filters, inputs, size, size)
    bias = torch.tensor(values[-filters:])
    if affine:
        kind, values = parameters.pop(0)
        if kind != "affine" or len(values) != 2 * filters:
            raise ValueError(f"unexpected layer {kind} ({len(values)}) after a convolution")
        gamma, beta = torch.tensor(values[:filters]), torch.tensor(values[filters:])
        weight, bias = weight * gamma[:, None, None, None], bias * gamma + beta
    layer.weight.data, layer.bias.data = weight, bias
    return layer


def _padded_sum(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """dlib's add_prev: the smaller tensor counts as 0 where it has no elements (channels, bottom, right)."""
    channels, height, width = (max(a.shape[i], b.shape[i]) for i in (1, 2, 3))
    return sum(
        functional.pad(t, (0, width - t.shape[3], 0, height - t.shape[2], 0, channels - t.shape[1])) for t in (a, b)
    )
