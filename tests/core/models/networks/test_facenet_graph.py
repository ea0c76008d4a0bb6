"""Reading InceptionResnetV1 out of a TensorFlow graph."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from facenet_pytorch.models.inception_resnet_v1 import InceptionResnetV1

from core.errors import ModelError
from core.models.inference.openvino_graph import OpenVINOGraph
from core.models.networks.facenet_graph import read_state
from core.models.networks.torch_nets import build
from core.types import ByteArray
from tests.material.synthetic.portraits import COLLINS, HOPPER, photograph


@pytest.fixture(scope="module")
def chips() -> ByteArray:
    """Two faces, and noise: (3, 160, 160, 3)."""
    faces = []
    for portrait in (COLLINS, HOPPER):
        x1, y1, x2, y2 = (int(v) for v in portrait.box)
        faces.append(cv2.resize(photograph(portrait)[y1:y2, x1:x2], (160, 160), interpolation=cv2.INTER_AREA))
    noise = np.random.RandomState(0).randint(0, 256, (160, 160, 3), np.uint8)
    return np.stack([*faces, noise])


@pytest.mark.slow
def test_the_torch_network_and_the_graph_agree(facenet_graph: Path, chips: ByteArray) -> None:
    with torch.inference_mode():
        ours = build("facenet-casia", facenet_graph)(torch.from_numpy(chips)).numpy()
    graph = OpenVINOGraph(facenet_graph)
    original = np.concatenate([graph((chip[None] - 127.5) / 128)[0] for chip in chips])
    assert ours.shape == original.shape == (3, 512)
    assert (ours * original).sum(1) == pytest.approx(np.ones(3), abs=1e-5)
    assert np.abs(ours - original).max() < 1e-4
    assert (original @ original.T)[np.triu_indices(3, 1)].max() < 0.9, "images whose vectors are alike prove little"


@pytest.mark.slow
def test_every_parameter_has_a_place_and_a_value(facenet_graph: Path) -> None:
    state = read_state(facenet_graph)
    wanted = InceptionResnetV1(classify=False).state_dict()
    shapes = {name: tuple(value.shape) for name, value in wanted.items() if not name.endswith("num_batches_tracked")}
    assert {name: value.shape for name, value in state.items()} == shapes
    assert all(np.isfinite(value).all() and value.any() for name, value in state.items() if "running_mean" not in name)


def test_a_graph_of_another_network_is_refused(tmp_path: Path) -> None:
    # A GraphDef with one node: "x", of the operation "Placeholder" with its dtype float.
    dtype = b"\x0a\x05dtype\x12\x02\x30\x01"
    node = b"\x0a\x01x\x12\x0bPlaceholder\x2a" + bytes([len(dtype)]) + dtype
    file = tmp_path / "other.pb"
    file.write_bytes(b"\x0a" + bytes([len(node)]) + node)
    with pytest.raises(ModelError, match="another network") as refused:
        read_state(file)
    assert refused.value.path == file


@pytest.mark.parametrize("content", [b"", b"\x0a\xff\xff half a graph"])
def test_a_file_that_is_not_a_graph_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "graph_final.pb"
    file.write_bytes(content)
    with pytest.raises(ModelError) as refused:
        read_state(file)
    assert refused.value.path == file
