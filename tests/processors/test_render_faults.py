"""Rendering that is stopped or fails: encoders that break, full disks; nothing half-written is left."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from config import ClipSettings, EncodeSettings, Settings
from core.errors import EncodeError, InterruptedRunError, OutputError, ToolMissingError
from core.media import encoder_command
from core.media.clip_writer import ClipWriter
from core.media.h264_encoder import NVENC, encoder_options
from processors import clip_renderer
from processors.clip_renderer import ClipRenderer
from tests.material.rendered_clips import SETTINGS, crop, plain_analysis
from tests.material.small_disk import no_file_above
from utils.console.stage_monitor import StageMonitor

plain = pytest.fixture(scope="module")(plain_analysis)


def leftovers(folder):
    return [p.name for p in Path(folder).rglob(".partial-*")]


def test_stop_leaves_nothing(plain, tmp_path, monkeypatch):
    monitor = StageMonitor(threading.Event())
    threads = set(threading.enumerate())
    started: list[float] = []

    def update(stage, done, total):
        if done > 5 and not started:
            started.append(time.monotonic())
            monitor.stop.set()

    monkeypatch.setattr(monitor, "update", update)
    with pytest.raises(InterruptedRunError):
        ClipRenderer(SETTINGS, monitor).render(plain, [crop(plain), crop(plain, 2, 90, "p2")], tmp_path)
    assert time.monotonic() - started[0] < 2
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
    assert set(threading.enumerate()) <= threads


@pytest.mark.slow
def test_an_encoder_that_fails_in_mid_run_is_replaced(plain, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(clip_renderer, "choose_encoder", lambda *_: NVENC)
    options = encoder_options

    def broken(encoder, *rest):
        return options(encoder, *rest) if encoder != NVENC else {"vcodec": "libx264", "preset": "broken"}

    monkeypatch.setattr(encoder_command, "encoder_options", broken)
    with caplog.at_level(logging.WARNING):
        result = ClipRenderer(SETTINGS).render(plain, [crop(plain), crop(plain, 2, 90, "p2")], tmp_path)
    assert result.encoder == "libx264"
    assert len(result.clips) == 2 and all((tmp_path / clip.file).stat().st_size for clip in result.clips)
    assert f"{NVENC} failed" in caplog.text and "libx264" in caplog.text
    assert not leftovers(tmp_path)
    # The first clip has all its frames before it fails, while the second one waits for a slot.
    result = ClipRenderer(SETTINGS, max_encoders=1).render(plain, [crop(plain, 0, 3), crop(plain, 10, 30)], tmp_path)
    assert [clip.frames for clip in result.clips] == [3, 20]
    demanded = Settings(clip=SETTINGS.clip, encode=EncodeSettings(codec="nvenc"))
    with pytest.raises(EncodeError, match="the encoder"):
        ClipRenderer(demanded).render(plain, [crop(plain)], tmp_path)


def test_the_encoder_is_tried_with_the_size_that_the_video_gives(plain, tmp_path, monkeypatch):
    tried = []

    def refused(*size):
        tried.append(size)
        raise ToolMissingError("no encoder")

    monkeypatch.setattr(clip_renderer, "choose_encoder", refused)
    with pytest.raises(ToolMissingError):
        ClipRenderer(Settings(clip=ClipSettings(size="source", aspect="4:1"))).render(plain, [crop(plain)], tmp_path)
    assert tried == [("auto", 4 * plain.video.height, plain.video.height)]


def test_encoder_killed_in_mid_clip(plain, tmp_path, monkeypatch):
    write = ClipWriter.write

    def killing(self, y, u, v):
        if self.frames == 20:
            self.process.kill()
            self.process.wait()
        write(self, y, u, v)

    monkeypatch.setattr(ClipWriter, "write", killing)
    with pytest.raises(EncodeError, match=r"exit code -9"):
        ClipRenderer(SETTINGS).render(plain, [crop(plain)], tmp_path)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_no_disk_space_for_the_audio(plain, tmp_path):
    with no_file_above(2000), pytest.raises(OutputError, match="its audio cannot be written"):
        ClipRenderer(SETTINGS).render(plain, [crop(plain)], tmp_path)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_no_disk_space_for_the_video(plain, tmp_path):
    silent = replace(plain, video=replace(plain.video, audio=()))
    with no_file_above(2000), pytest.raises(OutputError, match="cannot be written: File too large"):
        ClipRenderer(SETTINGS).render(silent, [crop(plain)], tmp_path)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
