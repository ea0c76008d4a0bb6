"""The torch networks, wrapped so that they take images: (N, h, w, 3) RGB in [0, 255], uint8 or float32.

Only this module builds torch modules. It is imported where torch runs the networks, and in the child process that
converts them for OpenVINO.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from core.models import facenet_graph, sface_graph
from core.models.dlib_weights import read_parameters
from core.models.model_spec import MODELS, input_side
from core.models.openvino_runtime import import_openvino


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
    MEAN_RGB = (122.782, 117.001, 104.298)

    def __init__(self, weights: Path) -> None:
        super().__init__()
        parameters = read_parameters(weights)
        self.register_buffer("mean", torch.tensor(self.MEAN_RGB).reshape(1, 3, 1, 1))
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


def _convolution(parameters: list[tuple[str, Any]], inputs: int, filters: int, *, size: int, stride: int) -> nn.Module:
    """The next convolution in the file, with the affine layer after it folded in."""
    (kind, values), (next_kind, affine) = parameters.pop(0), parameters.pop(0)
    if (kind, next_kind) != ("con", "affine") or len(values) != filters * (inputs * size * size + 1):
        raise ValueError(f"unexpected layers {kind} ({len(values)}), {next_kind}")
    # dlib pads a convolution only where its stride is 1.
    layer = nn.Conv2d(inputs, filters, size, stride, padding=size // 2 if stride == 1 else 0)
    gamma, beta = torch.tensor(affine[:filters]), torch.tensor(affine[filters:])
    weight = torch.tensor(values[:-filters]).reshape(filters, inputs, size, size)
    bias = torch.tensor(values[-filters:])
    layer.weight.data = weight * gamma[:, None, None, None]
    layer.bias.data = bias * gamma + beta
    return layer


def _padded_sum(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """dlib's add_prev: the smaller tensor counts as 0 where it has no elements (channels, bottom, right)."""
    channels, height, width = (max(a.shape[i], b.shape[i]) for i in (1, 2, 3))
    return sum(
        functional.pad(t, (0, width - t.shape[3], 0, height - t.shape[2], 0, channels - t.shape[1])) for t in (a, b)
    )


class SFace(nn.Module):  # type: ignore[misc]
    """SFace (Zhong et al. 2021) as OpenCV publishes it: MobileNet with PReLU, 27 convolutions, on 112x112 px."""

    # From the input to the output: number of filters of each pointwise convolution, and where the resolution is halved.
    LAYERS = (
        *((64, False), (128, True), (128, False), (256, True), (256, False), (512, True)),
        *((512, False),) * 5,
        *((1024, True), (1024, False)),
    )
    HEAD_SIDE, DIMENSIONS = 7, 128

    def __init__(self) -> None:
        super().__init__()
        names = iter(sface_graph.layer_names())
        self.names = tuple(sface_graph.layer_names())
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


def build(kind: str, weights: Path) -> nn.Module:
    """The network `kind`, a key of `MODELS` but mmod, in evaluation mode, on the CPU, float32."""
    if kind == "dlib":
        return DlibResNet(weights).eval()
    if kind == "sface":
        sface = SFace()
        state = {name: torch.from_numpy(values) for name, values in sface_graph.read_state(weights).items()}
        # Counters of training steps are the only thing that the file lacks.
        missing = sface.load_state_dict(state, strict=False)
        if unknown := [name for name in missing.missing_keys if not name.endswith("num_batches_tracked")]:
            raise ValueError(f"{weights.name} lacks {', '.join(unknown)}")
        return NormalizedNet(sface).eval()
    from facenet_pytorch.models import inception_resnet_v1, mtcnn

    net: nn.Module
    if kind == "facenet-casia":
        net = inception_resnet_v1.InceptionResnetV1(pretrained=None, classify=False)
        net.load_state_dict(
            {name: torch.from_numpy(values) for name, values in facenet_graph.read_state(weights).items()}
        )
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
