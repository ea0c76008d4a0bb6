"""Which ffmpeg is chosen."""

import subprocess
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


def test_the_system_is_preferred_if_it_can_encode(tmp_path, monkeypatch):
    program = fake_ffmpeg(tmp_path, " V....D libx264   libx264 H.264")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(ffmpeg_tool.find_ffmpeg()) == program


@pytest.mark.parametrize("text,code", [("V....D libx265", 0), ("V....D libx264", 1)])
def test_a_system_that_cannot_encode_is_passed_over(tmp_path, monkeypatch, text, code):
    fake_ffmpeg(tmp_path, text, code)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(ffmpeg_tool, "_bundled_ffmpeg", lambda: None)
    with pytest.raises(ToolMissingError) as caught:
        ffmpeg_tool.find_ffmpeg()
    assert "imageio-ffmpeg" in str(caught.value)
