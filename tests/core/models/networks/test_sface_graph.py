"""Reading SFace out of OpenCV's ONNX file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from core.errors import ModelError
from core.models.networks.sface_graph import layer_names, read_state
from core.models.networks.torch_nets import build
from tests.material.synthetic.portraits import COLLINS, HOPPER, photograph


@pytest.mark.slow
def test_the_torch_network_agrees_with_opencvs_recogniser(sface_graph: Path) -> None:
    faces = []
    for portrait in (COLLINS, HOPPER):
        x1, y1, x2, y2 = (int(v) for v in portrait.box)
        faces.append(cv2.resize(photograph(portrait)[y1:y2, x1:x2], (112, 112), interpolation=cv2.INTER_AREA))
    faces.append(np.random.RandomState(0).randint(0, 256, (112, 112, 3), np.uint8))
    chips = np.stack(faces)
    with torch.inference_mode():
        ours = build("sface", sface_graph)(torch.from_numpy(chips)).numpy()
    recogniser = cv2.FaceRecognizerSF.create(str(sface_graph), "")
    theirs = np.concatenate([recogniser.feature(cv2.cvtColor(chip, cv2.COLOR_RGB2BGR)) for chip in chips])
    ours, theirs = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (ours, theirs))
    assert ours.shape == (3, 128)
    assert np.abs(ours - theirs).max() < 1e-5
    assert (theirs @ theirs.T)[np.triu_indices(3, 1)].max() < 0.5, "images whose vectors are alike prove little"


def test_layers_are_named_in_their_order() -> None:
    assert layer_names()[:4] == ("conv_1", "conv_2_dw", "conv_2", "conv_3_dw")
    assert layer_names()[-1] == "conv_14" and len(layer_names()) == 27


@pytest.mark.parametrize("content", [b"", b"\x08\x07 half a model"])
def test_a_file_that_is_not_a_model_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "other.onnx"
    file.write_bytes(content)
    with pytest.raises(ModelError) as refused:
        read_state(file)
    assert refused.value.path == file


def test_a_model_of_another_network_is_refused(tmp_path: Path) -> None:
    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    # An ONNX model of version 8 and operations of version 13 that returns its input, one float.
    shape = field(2, field(1, b"\x08\x01"))
    value = field(2, field(1, b"\x08\x01" + shape))
    node = field(1, b"x") + field(2, b"y") + field(4, b"Identity")
    graph = field(1, node) + field(2, b"g") + field(11, field(1, b"x") + value) + field(12, field(1, b"y") + value)
    file = tmp_path / "other.onnx"
    file.write_bytes(b"\x08\x08" + field(7, graph) + field(8, field(1, b"") + b"\x10\x0d"))
    with pytest.raises(ModelError, match="another network") as refused:
        read_state(file)
    assert refused.value.path == file
