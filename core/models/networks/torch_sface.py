"""SFace as a torch module."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from core.models.networks.sface_graph import layer_names, read_state


class SFace(nn.Module):  # type: ignore[misc]
    """SFace (Zhong et al. 2021) as OpenCV publishes it: MobileNet with PReLU, 27 convolutions, on 112x112 px."""

    # From the input to the output: number of filters of each pointwise convolution, and where the resolution is halved.
    LAYERS = (
        *((64, False), (128, True), (128, False), (256, True), (256, False), (512, True)),
        *((512, False),) * 5,
        *((1024, True), (1024, False)),
    )
    HEAD_SIDE, DIMENSIONS = 7, 128

    def __init__(self, weights: Path) -> None:
        """weights: OpenCV's file.

        Raises:
            ModelError: it holds another network.
        """
        super().__init__()
        self.names = layer_names()
        names = iter(self.names)
        self.add_module(next(names), ConvolutionBlock(3, 32, size=3))
        channels = 32
        for filters, halves in self.LAYERS:
            stride = 2 if halves else 1
            self.add_module(next(names), ConvolutionBlock(channels, channels, size=3, stride=stride, groups=channels))
            self.add_module(next(names), ConvolutionBlock(channels, filters, size=1))
            channels = filters
        self.features_norm = nn.BatchNorm2d(channels)
        self.head = nn.Linear(channels * self.HEAD_SIDE**2, self.DIMENSIONS)
        self.embedding_norm = nn.BatchNorm1d(self.DIMENSIONS)
        state = {name: torch.from_numpy(values) for name, values in read_state(weights).items()}
        # The file has no counters of training steps, which nothing uses.
        counters = {name: value for name, value in self.state_dict().items() if name.endswith("num_batches_tracked")}
        self.load_state_dict(state | counters)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """images: (N, 3, 112, 112), RGB in about [-1, 1]; returns (N, 128)."""
        x = images
        for name in self.names:
            x = getattr(self, name)(x)
        return self.embedding_norm(self.head(self.features_norm(x).flatten(1)))


class ConvolutionBlock(nn.Module):  # type: ignore[misc]
    """Convolution, batch normalisation, PReLU."""

    def __init__(self, inputs: int, filters: int, *, size: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, filters, size, stride, padding=size // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(filters)
        self.slope = nn.PReLU(filters)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.slope(self.norm(self.conv(x)))
