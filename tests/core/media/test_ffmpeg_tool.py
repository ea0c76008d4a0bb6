"""Which ffmpeg is chosen."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ToolMissingError
from core.media import ffmpeg_tool


@pytest.fixture(autouse=True)
def _forget():
    ffmpeg_tool.find_ffmpeg.cache_clear()
    yield
    ffmpeg_tool.find_ffmpeg.cache_clear()


def fake_ffmpeg(folder, text, code=0):
    program = folder / "ffmpeg"
    program.write_text(f"#!/bin/sh\necho '{text}'\nexit {code}\n")
    program.chmod(0o755)
    return program


def test_the_one_found_works():
    answer = subprocess.run([ffmpeg_tool.find_ffmpeg(), "-version"], capture_output=True, check=True)
    assert answer.stdout.startswith(b"ffmpeg version")


def test_the_bundled_one_is_what_its_package_names(monkeypatch):
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE", raising=False)
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    assert ffmpeg_tool.bundled_ffmpeg() == imageio_ffmpeg.get_ffmpeg_exe()


@pytest.mark.parametrize("files", [[], ["ffmpeg-one", "ffmpeg-two"]])
def test_a_package_of_another_layout_is_asked(tmp_path, monkeypatch, files):
    package = tmp_path / "imageio_ffmpeg"
    (package / "binaries").mkdir(parents=True)
    (package / "__init__.py").write_text("def get_ffmpeg_exe():\n    return 'asked'\n")
    for name in files:
        (package / "binaries" / name).write_text("")
        (package / "binaries" / name).chmod(0o755)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "imageio_ffmpeg", raising=False)
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE", raising=False)
    try:
        assert ffmpeg_tool.bundled_ffmpeg() == "asked"
    finally:
        sys.modules.pop("imageio_ffmpeg", None)


def test_the_program_that_the_user_names_to_the_package_counts(monkeypatch):
    pytest.importorskip("imageio_ffmpeg")
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/my/ffmpeg")
    assert ffmpeg_tool.bundled_ffmpeg() == "/my/ffmpeg"


def test_the_system_is_preferred_if_it_can_encode(tmp_path, monkeypatch):
    program = fake_ffmpeg(tmp_path, " V....D libx264   libx264 H.264")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(ffmpeg_tool.find_ffmpeg()) == program


@pytest.mark.parametrize("text,code", [("V....D libx265", 0), ("V....D libx264", 1)])
def test_a_system_that_cannot_encode_is_passed_over(tmp_path, monkeypatch, text, code):
    fake_ffmpeg(tmp_path, text, code)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(ffmpeg_tool, "bundled_ffmpeg", lambda: None)
    with pytest.raises(ToolMissingError) as caught:
        ffmpeg_tool.find_ffmpeg()
    assert "imageio-ffmpeg" in str(caught.value)
