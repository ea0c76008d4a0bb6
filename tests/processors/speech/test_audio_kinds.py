"""The same speech is heard at the same time, however the file has its audio."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from core.models.voice_activity import VoiceActivity
from core.types import FaceAnalysis, FloatArray, Shot
from processors.speech.audio_features import read_audio_features
from tests.speech_models import needs_speech_packages

pytestmark = [pytest.mark.clips, needs_speech_packages]

DURATION_S = 8.0


def remade(source: Path, target: Path, rate_hz: int, layout: str, late_s: float) -> Path:
    """`source` with its audio at another rate and layout, as AAC, `late_s` after where it belongs."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        video = new.add_stream_from_template(old.streams.video[0])
        audio = new.add_stream("aac", rate=rate_hz, layout=layout)
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate_hz)
        for packet in old.demux(old.streams.video[0]):
            if packet.dts is not None:
                packet.stream = video
                new.mux(packet)
        old.seek(0)
        for frame in [*old.decode(audio=0), None]:
            for piece in resampler.resample(frame):
                piece.pts = (piece.pts or 0) + round(late_s * rate_hz)
                piece.time_base = Fraction(1, rate_hz)
                new.mux(audio.encode(piece))
        new.mux(audio.encode(None))
    return target


def voice(path: Path, models: VoiceActivity) -> FloatArray | None:
    info = probe_video(path)
    with VideoReader(info) as reader:
        pts = np.array([frame.pts for frame in reader.frames()], np.int64)
    analysis = FaceAnalysis(info, pts, (Shot(0, 0, len(pts), "start"),), (), "dlib", 0)
    found = read_audio_features(analysis, DURATION_S, models)
    return None if found is None else found.voice


@pytest.mark.parametrize(
    ("rate_hz", "layout", "late_s"), [(8000, "mono", 0), (48000, "5.1", 0), (44100, "stereo", 2.0), (8000, "mono", 1.5)]
)
def test_speech_is_heard_where_it_is(
    shared: Path, tmp_path: Path, voice_activity: VoiceActivity, rate_hz: int, layout: str, late_s: float
) -> None:
    source = shared / "speech" / "turns-quiet__r1_r5.mp4"
    wanted = voice(source, voice_activity)
    found = voice(remade(source, tmp_path / "a.mp4", rate_hz, layout, late_s), voice_activity)
    assert wanted is not None and found is not None
    shift = round(late_s * 25)
    before, after = wanted[: len(wanted) - shift] > 0.5, found[shift:] > 0.5
    assert 0.2 < before.mean() < 0.99
    assert (before == after).mean() > 0.93
    assert (found[:shift] < 0.5).all()


def test_a_video_without_audio_has_no_voice(shared: Path, voice_activity: VoiceActivity) -> None:
    info = probe_video(shared / "speech" / "turns-quiet__r1_r5.mp4")
    silent = dataclasses.replace(info, audio=())
    analysis = FaceAnalysis(silent, np.arange(10), (Shot(0, 0, 10, "start"),), (), "dlib", 0)
    assert read_audio_features(analysis, DURATION_S, voice_activity) is None
