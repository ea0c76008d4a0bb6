"""Loads the network that proposes faces, from its package."""

from __future__ import annotations

import importlib.util

from core.errors import ModelError, ModelUnavailableError
from core.models.installed_files import installed_file
from core.models.proposal_weights import PYRAMID
from core.models.proposer import PROPOSERS, OnePassProposer


def load_proposer(name: str, *, threads: int) -> OnePassProposer:
    """The proposer `name`, a key of `PROPOSERS`, ready for use.

    Raises:
        ModelUnavailableError: its package is not installed.
        ModelChecksumError: the file is damaged or another one.
        ModelError: OpenVINO is missing or cannot read it.
    """
    if importlib.util.find_spec("openvino") is None:
        raise ModelError(f"--proposals {name} needs OpenVINO", stage="models", hint=f"--proposals {PYRAMID}")
    spec = PROPOSERS[name]
    try:
        file = installed_file(spec.weights)
    except ModelUnavailableError as error:
        hint = f"{error.hint}, or --proposals {PYRAMID}"
        raise ModelUnavailableError(error.message, stage="models", hint=hint) from error
    return OnePassProposer(spec, file, threads=threads)
