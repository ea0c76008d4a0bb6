"""The torch networks, wrapped so that they take images: (N, h, w, 3) RGB in [0, 255], uint8 or float32.

It is imported where torch runs the networks, and in the child process that converts them for OpenVINO.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from core.models.networks.facenet_graph import read_state
from core.models.networks.model_spec import MODELS, input_side
from core.models.networks.openvino_runtime import import_openvino
from core.models.networks.torch_dlib_nets import DlibResNet, MmodNet
from core.models.networks.torch_sface import SFace


class NormalizedNet(nn.Module):  # type: ignore[misc]
    """A network behind its normalisation, (x - 127.5) / 128, which MTCNN and FaceNet share.

    FaceNet's older weights want each image's own mean and deviation instead. Those in use (20180402, 20180408) were
    trained with fixed numbers, and tell people apart better with them (docs/decisions/models.md).
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: torch.Tensor) -> Any:
        """images: (N, h, w, 3) RGB in [0, 255]; returns what the network returns."""
        # In half precision large values would lose the fraction of a pixel, so it is subtracted in float32.
        x = (images.permute(0, 3, 1, 2).to(torch.float32) - 127.5) * 0.0078125
        return self.net(x.to(next(self.net.parameters()).dtype))


class FullSoftmax(nn.Module):  # type: ignore[misc]
    """Softmax in single precision, whatever the precision of the network: in half, all good scores would be 1."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.softmax(x, self.dim, dtype=torch.float32)


def build(kind: str, weights: Path) -> nn.Module:
    """The network `kind` in evaluation mode, on the CPU, float32. kind: a key of `MODELS`."""
    if kind == "dlib":
        return DlibResNet(weights).eval()
    if kind == "mmod":
        return MmodNet(weights, input_side(kind)).eval()
    if kind == "sface":
        return NormalizedNet(SFace(weights)).eval()
    from facenet_pytorch.models import inception_resnet_v1, mtcnn

    net: nn.Module
    if kind == "facenet-casia":
        net = inception_resnet_v1.InceptionResnetV1(pretrained=None, classify=False)
        net.load_state_dict({name: torch.from_numpy(values) for name, values in read_state(weights).items()})
        return NormalizedNet(net).eval()
    state = torch.load(weights, map_location="cpu", weights_only=True)
    if kind == "facenet":
        net = inception_resnet_v1.InceptionResnetV1(pretrained=None, classify=False)
        # The published file includes the classification layer of the training set, which is not used.
        net.load_state_dict({k: v for k, v in state.items() if not k.startswith("logits.")})
    else:
        net = {"pnet": mtcnn.PNet, "rnet": mtcnn.RNet, "onet": mtcnn.ONet}[kind](pretrained=False)
        net.load_state_dict(state)
        for name, layer in list(net.named_children()):
            if isinstance(layer, nn.Softmax):
                setattr(net, name, FullSoftmax(layer.dim))
    return NormalizedNet(net).eval()


def convert(kind: str, weights: Path, target: Path) -> None:
    """Write the network as OpenVINO IR to `target` (.xml, with a .bin beside it)."""
    openvino = import_openvino(converter=True)
    spec = MODELS[kind]
    side = spec.example_side or input_side(kind)
    example = torch.zeros((2, side, side, 3), dtype=torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates the kind of tracing that OpenVINO uses
        model = openvino.convert_model(build(kind, weights), example_input=example)
    any_size = -1
    size = spec.side or any_size
    model.reshape(openvino.PartialShape([any_size, size, size, 3]))
    openvino.save_model(model, target, compress_to_fp16=False)


if __name__ == "__main__":
    import sys

    kinds, sources, targets = sys.argv[1::3], sys.argv[2::3], sys.argv[3::3]
    for one, source, result in zip(kinds, sources, targets, strict=True):
        convert(one, Path(source), Path(result))
