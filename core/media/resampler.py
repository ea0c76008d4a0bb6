"""Scaling planes on a torch device, as products with matrices of weights."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray


class Resampler:
    """Scales planes on one device. Keeps the weights of each pair of sizes, which are few in one video.

    The products are exact for any ratio, and give the same result however often they are computed. May be used by
    several threads.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._kept: dict[tuple[int, int, bool], torch.Tensor] = {}

    def __call__(self, planes: torch.Tensor, width: int, height: int, *, averaged: bool) -> torch.Tensor:
        """(n, H, W) uint8 scaled to (n, height, width) float32. averaged: as for `resampling_weights`.

        Raises:
            RuntimeError: the device fails.
        """
        across = self._weights(planes.shape[2], width, averaged)
        down = self._weights(planes.shape[1], height, averaged)
        return down @ (planes.to(torch.float32) @ across.T)

    def _weights(self, source: int, target: int, averaged: bool) -> torch.Tensor:
        key = source, target, averaged
        if key not in self._kept:
            weights = resampling_weights(source, target, averaged=averaged)
            self._kept[key] = torch.from_numpy(weights).to(self._device)
        return self._kept[key]


def resampling_weights(source: int, target: int, *, averaged: bool) -> NDArray[np.float32]:
    """(target, source) weights with which `source` samples become `target`; each row adds up to 1.

    averaged: each result is the mean of the stretch that it covers; otherwise it lies between the two samples nearest
        to the middle of that stretch. Enlarging is always the latter.
    """
    ratio = source / target
    begin = np.arange(target) * ratio
    samples = np.arange(source)
    if averaged and ratio > 1:
        overlap = np.minimum(begin[:, None] + ratio, samples + 1) - np.maximum(begin[:, None], samples)
        weights = np.clip(overlap, 0, None)
    else:
        middle = np.clip(begin + ratio / 2 - 0.5, 0, source - 1)
        weights = np.clip(1 - np.abs(middle[:, None] - samples), 0, None)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)
