"""Files out of packages that must not be imported."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from core.errors import ModelChecksumError, ModelUnavailableError
from core.models.networks.installed_files import installed_file
from core.models.networks.model_spec import WeightsFile

CONTENT = b"weights"
ENTRY = WeightsFile("net.onnx", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), package="bad_package", folder="data")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that fails when it is imported."""
    folder = tmp_path / "bad_package"
    (folder / "data").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('imported')")
    (folder / "data" / "net.onnx").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def test_found_without_importing_the_package(package: Path) -> None:
    assert installed_file(ENTRY) == package / "data" / "net.onnx"
    assert "bad_package" not in sys.modules


def test_a_missing_package_is_reported_with_what_to_do() -> None:
    with pytest.raises(ModelUnavailableError, match=r"bad_package is not installed.*requirements-models\.txt"):
        installed_file(ENTRY)


def test_another_version_of_the_package_is_reported(package: Path) -> None:
    (package / "data" / "net.onnx").unlink()
    with pytest.raises(ModelUnavailableError, match=r"has no net\.onnx.*requirements-models\.txt"):
        installed_file(ENTRY)


def test_an_altered_file_is_refused(package: Path) -> None:
    (package / "data" / "net.onnx").write_bytes(b"another")
    with pytest.raises(ModelChecksumError):
        installed_file(ENTRY)
