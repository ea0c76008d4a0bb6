"""LR-ASD as torch modules: built for the conversion to OpenVINO only, in a child process of its own.

Liao et al., "LR-ASD: Lightweight and Robust Network for Active Speaker Detection", IJCV 2025. Three parts, so that a
long recording needs neither all its mouths nor all its audio at a time: two encoders, which see a few frames around
each, and the back end, which looks at a whole stretch. The shapes come from the published state dicts; where these
leave a choice, the running means and variances of the normalisations, which describe what each layer was fed with,
decide.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core.models.networks.openvino_runtime import import_openvino

WIDTHS = ((1, 16, 32), (32, 32, 64), (64, 64, 128))
"""channels into, inside and out of the three blocks of either encoder"""

GREY_MEAN, GREY_DEVIATION = 0.4161, 0.1688
"""of the training set's faces in [0, 1]"""


class _Encoder(nn.Module):  # type: ignore[misc]
    """Three blocks of two spatial (for audio: spectral) and two temporal convolutions with normalisation and ReLU."""

    def __init__(self, *, convolution: Any, normalisation: Any, names: str, kernels: Any, strides: Any) -> None:
        super().__init__()
        for number, (inputs, middle, outputs) in enumerate(WIDTHS, 1):
            block = nn.Module()
            plan = (
                (f"{names}_1", f"{names}_norm_1", inputs, middle),
                (f"{names}_2", f"{names}_norm_2", middle, outputs),
                ("t_1", "t_norm_1", outputs, outputs),
                ("t_2", "t_norm_2", outputs, outputs),
            )
            for (name, norm, source, target), kernel in zip(plan, kernels, strict=True):
                stride = strides if name.endswith("_1") and number == 1 and name != "t_1" else 1
                padding = tuple(size // 2 for size in kernel)
                setattr(block, name, convolution(source, target, kernel, stride, padding, bias=False))
                setattr(block, norm, normalisation(target, eps=0.001))
            setattr(self, f"block{number}", block)
        self._order = tuple((name, norm) for name, norm, _, _ in plan)

    def _run(self, number: int, x: torch.Tensor) -> torch.Tensor:
        block = getattr(self, f"block{number}")
        for name, norm in self._order:
            x = torch.relu(getattr(block, norm)(getattr(block, name)(x)))
        return x


class VisualEncoder(_Encoder):
    """(T, 112, 112) grey in [0, 255], 25 a second -> (T, 128)."""

    def __init__(self) -> None:
        super().__init__(
            convolution=nn.Conv3d,
            normalisation=nn.BatchNorm3d,
            names="s",
            kernels=((1, 5, 5), (1, 3, 3), (5, 1, 1), (3, 1, 1)),
            strides=(1, 2, 2),
        )
        self.pool = nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))

    def forward(self, mouths: torch.Tensor) -> torch.Tensor:
        x = ((mouths / 255 - GREY_MEAN) / GREY_DEVIATION)[None, None]
        x = self.pool(self._run(1, x))
        x = self.pool(self._run(2, x))
        return self._run(3, x).amax((3, 4))[0].T


class AudioEncoder(_Encoder):
    """(4 T, 13) MFCC, 100 a second -> (T, 128)."""

    def __init__(self) -> None:
        super().__init__(
            convolution=nn.Conv2d,
            normalisation=nn.BatchNorm2d,
            names="m",
            kernels=((5, 1), (3, 1), (1, 5), (1, 3)),
            strides=1,
        )
        self.pool = nn.MaxPool2d((1, 3), (1, 2), (0, 1))

    def forward(self, mfcc: torch.Tensor) -> torch.Tensor:
        x = mfcc.T[None, None]
        x = self.pool(self._run(1, x))
        x = self.pool(self._run(2, x))
        return self._run(3, x).mean(2)[0].T


class _Attention(nn.Module):  # type: ignore[misc]
    """Channels weighted by a gate that each moment sets for itself; x: (N, C, T)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attention = nn.Conv1d(channels, channels, 1, bias=False)
        self.bn = nn.BatchNorm1d(channels, eps=0.001)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(self.bn(self.attention(x)))


class BackEnd(nn.Module):  # type: ignore[misc]
    """(N, T, 128) audio and (N, T, 128) mouths -> (N, T) log-odds that the face speaks."""

    def __init__(self) -> None:
        super().__init__()
        self.fusion = _Attention(256)
        self.detector = nn.Module()
        self.detector.gru_forward = nn.GRU(256, 64, batch_first=True)
        self.detector.gru_backward = nn.GRU(256, 64, batch_first=True)
        self.detector.attention = _Attention(128)
        self.head = nn.Linear(128, 2)

    def forward(self, audio: torch.Tensor, visual: torch.Tensor) -> torch.Tensor:
        x = self.fusion(torch.cat([audio, visual], 2).transpose(1, 2)).transpose(1, 2)
        ahead, _ = self.detector.gru_forward(x)
        back, _ = self.detector.gru_backward(x.flip(1))
        x = torch.cat([ahead, back.flip(1)], 2)
        x = self.detector.attention(x.transpose(1, 2)).transpose(1, 2)
        logits = self.head(x)
        return logits[..., 1] - logits[..., 0]


PARTS: dict[str, Any] = {"visual": VisualEncoder, "audio": AudioEncoder, "back_end": BackEnd}
_PREFIXES = {"visual": "model.visualEncoder.", "audio": "model.audioEncoder.", "back_end": "model."}


def build(part: str, weights: Path) -> nn.Module:
    """`part` of LR-ASD (a key of `PARTS`); evaluation mode, on the CPU, float32."""
    state = torch.load(weights, map_location="cpu", weights_only=True)
    net = PARTS[part]()
    prefix = _PREFIXES[part]
    wanted = net.state_dict()
    found = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    found |= {f"head.{key.removeprefix('lossAV.FC.')}": v for key, v in state.items() if key.startswith("lossAV.FC.")}
    net.load_state_dict({key: value for key, value in found.items() if key in wanted})
    return net.eval()


_EXAMPLES = {"visual": ((24, 112, 112),), "audio": ((96, 13),), "back_end": ((2, 25, 128), (2, 25, 128))}


def convert(part: str, weights: Path, target: Path) -> None:
    """Write `part` as OpenVINO IR to `target` (.xml, with a .bin beside it)."""
    openvino = import_openvino(converter=True)
    examples = tuple(torch.zeros(shape) for shape in _EXAMPLES[part])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates the tracing that OpenVINO's front end uses
        model = openvino.convert_model(build(part, weights), example_input=examples)
    free = {"visual": [[-1, 112, 112]], "audio": [[-1, 13]], "back_end": [[-1, -1, 128], [-1, -1, 128]]}[part]
    model.reshape({port: openvino.PartialShape(shape) for port, shape in zip(model.inputs, free, strict=True)})
    openvino.save_model(model, target, compress_to_fp16=False)


if __name__ == "__main__":
    import sys

    kinds, sources, targets = sys.argv[1::3], sys.argv[2::3], sys.argv[3::3]
    for one, source, result in zip(kinds, sources, targets, strict=True):
        convert(one.rpartition(".")[2], Path(source), Path(result))
