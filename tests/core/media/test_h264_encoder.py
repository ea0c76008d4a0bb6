"""Which encoder is chosen."""

import ctypes
import logging
import subprocess
import sys

import pytest

from config import EncodeSettings
from core.errors import ToolMissingError
from core.media import h264_encoder
from core.media.h264_encoder import NVENC, choose_encoder, encoder_options


@pytest.fixture(autouse=True)
def forget(monkeypatch):
    # As if there were a driver, so that the trial decides.
    monkeypatch.setattr(h264_encoder, "missing_driver", lambda: "")
    choose_encoder.cache_clear()
    h264_encoder.log_once.cache_clear()
    yield
    choose_encoder.cache_clear()


def script(monkeypatch, *, code, stderr=b""):
    """Fake the result of the trial; returns the commands that were run."""
    commands = []

    def run(command, **options):
        commands.append((command, len(options["input"])))
        return subprocess.CompletedProcess(command, code, b"", stderr)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(h264_encoder, "find_ffmpeg", lambda: "ffmpeg")
    return commands


def test_x264_needs_no_trial(monkeypatch):
    commands = script(monkeypatch, code=0)
    assert choose_encoder("x264", 512, 512) == "libx264" and commands == []


def test_auto_uses_nvenc_if_a_trial_at_the_clip_size_succeeds(monkeypatch, caplog):
    commands = script(monkeypatch, code=0)
    with caplog.at_level(logging.INFO):
        assert choose_encoder("auto", 406, 720) == choose_encoder("auto", 406, 720) == NVENC
    ((command, size),) = commands
    assert "406x720" in command and NVENC in command and size == 4 * 406 * 720 * 3 // 2
    assert caplog.text.count("NVENC") == 1


def test_auto_falls_back_and_says_why(monkeypatch, caplog):
    script(monkeypatch, code=1, stderr=b"[h264_nvenc @ 0x55] Cannot load libcuda.so.1\nmore\n")
    with caplog.at_level(logging.INFO):
        assert choose_encoder("auto", 64, 64) == choose_encoder("auto", 128, 64) == "libx264"
    assert caplog.text.count("x264; no NVENC: Cannot load libcuda.so.1") == 1


def test_requested_nvenc_never_falls_back(monkeypatch):
    script(monkeypatch, code=1)
    with pytest.raises(ToolMissingError, match="NVENC does not work here"):
        choose_encoder("nvenc", 512, 512)


def test_a_trial_that_hangs_has_failed(monkeypatch):
    def hang(command, **_):
        raise subprocess.TimeoutExpired(command, 1)

    monkeypatch.setattr(subprocess, "run", hang)
    monkeypatch.setattr(h264_encoder, "find_ffmpeg", lambda: "ffmpeg")
    assert choose_encoder("auto", 512, 512) == "libx264"


def test_the_real_trial_gives_an_answer():
    assert choose_encoder("auto", 512, 512) in ("libx264", NVENC)


@pytest.mark.parametrize(
    ("platform", "loads", "reason"),
    [
        ("linux", True, ""),
        ("linux", False, "libcuda.so.1 cannot be loaded"),
        ("win32", False, "nvcuda.dll cannot be loaded"),
        ("darwin", True, "not available on darwin"),
    ],
)
def test_without_a_driver_there_is_no_trial(monkeypatch, caplog, platform, loads, reason):
    monkeypatch.undo()
    commands = script(monkeypatch, code=0)

    def load(name):
        if not loads:
            raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", load)
    monkeypatch.setattr(sys, "platform", platform)
    with caplog.at_level(logging.INFO):
        assert choose_encoder("auto", 512, 512) == ("libx264" if reason else NVENC)
    assert reason in caplog.text
    assert len(commands) == (not reason)


def test_quality_reaches_the_encoder():
    settings = EncodeSettings(quality=23)
    assert encoder_options("libx264", settings, 512, 512)["crf"] == 23
    assert encoder_options(NVENC, settings, 512, 512)["cq"] == 23


def test_threads_depend_on_the_clip_size_only():
    threads = [encoder_options("libx264", EncodeSettings(), side, side)["threads:v"] for side in (64, 512, 720, 2160)]
    assert threads == [1, 1, 2, 4]
