"""The four torch networks, wrapped so that they take pictures: (N, h, w, 3) float32 RGB in [0, 255].

Only this module builds torch modules. It is imported on a GPU, where OpenVINO cannot be loaded,
and in the child process that converts the networks for OpenVINO.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn


class PictureNet(nn.Module):  # type: ignore[misc]
    """A network behind its normalisation, (x - 127.5) / 128, which MTCNN and FaceNet share."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, pictures: torch.Tensor) -> Any:
        """pictures: (N, h, w, 3) RGB in [0, 255]; returns what the network returns."""
        dtype = next(self.net.parameters()).dtype
        x = (pictures.permute(0, 3, 1, 2).to(dtype) - 127.5) * 0.0078125
        return self.net(x)


def build(kind: str, weights: Path) -> nn.Module:
    """`kind` is pnet, rnet, onet or facenet; evaluation mode, on the CPU, float32."""
    from facenet_pytorch.models import inception_resnet_v1, mtcnn

    state = torch.load(weights, map_location="cpu", weights_only=True)
    net: nn.Module
    if kind == "facenet":
        net = inception_resnet_v1.InceptionResnetV1(pretrained=None, classify=False)
        # The published file holds the classification layer of its training set, which is not used.
        net.load_state_dict({k: v for k, v in state.items() if not k.startswith("logits.")})
    else:
        net = {"pnet": mtcnn.PNet, "rnet": mtcnn.RNet, "onet": mtcnn.ONet}[kind](pretrained=False)
        net.load_state_dict(state)
    return PictureNet(net).eval()


def convert(kind: str, weights: Path, target: Path) -> None:
    """Write the network as OpenVINO IR to `target` (.xml, with a .bin beside it)."""
    import openvino

    side = {"pnet": 64, "rnet": 24, "onet": 48, "facenet": 160}[kind]
    example = torch.zeros((2, side, side, 3), dtype=torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates the tracing that OpenVINO's front end uses
        model = openvino.convert_model(build(kind, weights), example_input=example)
    free = -1
    fixed = free if kind == "pnet" else side
    model.reshape(openvino.PartialShape([free, fixed, fixed, 3]))
    openvino.save_model(model, target, compress_to_fp16=False)


if __name__ == "__main__":
    import sys

    kinds, sources, targets = sys.argv[1::3], sys.argv[2::3], sys.argv[3::3]
    for one, source, result in zip(kinds, sources, targets, strict=True):
        convert(one, Path(source), Path(result))
