"""One reading for clips of the same interval, and files that go with their last user."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import av
import numpy as np
import pytest

from core.errors import DecodeError
from core.media.audio_reader import PcmExcerpt, PcmFormat
from processors.clips import shared_audio
from processors.clips.shared_audio import ClipSounds
from tests.material.factories import video_info

FIRST, SECOND = (Fraction(1), Fraction(2)), (Fraction(3), Fraction(2))


@pytest.fixture
def readings(monkeypatch):
    """The intervals that were read, each as bytes that tell its start."""
    seen = []

    def read(video, start_s, duration_s, file, *, clock_shifts, stop):
        seen.append((start_s, duration_s))
        file.write(bytes([int(start_s)]) * 4)
        return PcmExcerpt(PcmFormat(48000, 1), 2, 0, 0)

    monkeypatch.setattr(shared_audio, "read_audio", read)
    monkeypatch.setattr(shared_audio, "encode_aac", lambda pcm, form, kbps: pcm)
    return seen


def test_clips_of_one_interval_share_one_reading(readings, tmp_path):
    everybody_has_it = threading.Barrier(4)

    def use(interval):
        with sounds.read(interval, threading.Event()) as sound:
            everybody_has_it.wait(10)
            assert sound is not None
            return sound[0][0], sound[0][0].read_bytes()

    with ClipSounds(video_info(), tmp_path, 160) as sounds:
        wanted = [FIRST, SECOND, FIRST, FIRST]
        for interval in wanted:
            sounds.expect(interval)
        with ThreadPoolExecutor(4) as pool:
            got = list(pool.map(use, wanted))
        assert sorted(readings) == [FIRST, SECOND]
        assert [data for _, data in got] == [b"\1" * 4, b"\3" * 4, b"\1" * 4, b"\1" * 4]
        assert got[0][0] == got[2][0] == got[3][0] != got[1][0]
        assert not list(tmp_path.iterdir()), "the last user takes the file with it"


def test_a_file_stays_for_those_who_come_later(readings, tmp_path):
    with ClipSounds(video_info(), tmp_path, 160) as sounds:
        for _ in range(2):
            sounds.expect(FIRST)
        for _ in range(2):
            with sounds.read(FIRST, threading.Event()) as sound:
                assert sound is not None and sound[0][0].read_bytes() == b"\1" * 4
        assert readings == [FIRST]
        sounds.expect(SECOND)
        sounds.expect(SECOND)
        with sounds.read(SECOND, threading.Event()):
            pass
    assert not list(tmp_path.iterdir()), "who never came leaves nothing behind"


def test_who_fails_does_not_speak_for_the_others(monkeypatch, tmp_path):
    failures = iter([DecodeError("gone"), None])

    def read(video, start_s, duration_s, file, *, clock_shifts, stop):
        file.write(b"half")
        failure = next(failures)
        if failure:
            raise failure
        return PcmExcerpt(PcmFormat(48000, 1), 2, 0, 0)

    monkeypatch.setattr(shared_audio, "read_audio", read)
    monkeypatch.setattr(shared_audio, "encode_aac", lambda pcm, form, kbps: pcm)
    with ClipSounds(video_info(), tmp_path, 160) as sounds:
        sounds.expect(FIRST)
        sounds.expect(FIRST)
        with pytest.raises(DecodeError), sounds.read(FIRST, threading.Event()):
            pass
        with sounds.read(FIRST, threading.Event()) as sound:
            assert sound is not None and sound[0][0].read_bytes() == b"half", (
                "a file of its own, not behind what failed"
            )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("seconds", "encoded"), [(3, True), (31, False)])
def test_short_sound_is_encoded_once_for_all(seconds, encoded, monkeypatch, tmp_path):
    pcm = (np.arange(8000 * seconds) % 50 * 300).astype("<i2").tobytes()

    def read(video, start_s, duration_s, file, *, clock_shifts, stop):
        file.write(pcm)
        return PcmExcerpt(PcmFormat(8000, 1), len(pcm) // 2, 0, 0)

    monkeypatch.setattr(shared_audio, "read_audio", read)
    interval = (Fraction(0), Fraction(seconds))
    with ClipSounds(video_info(), tmp_path, 64) as sounds:
        sounds.expect(interval)
        with sounds.read(interval, threading.Event()) as sound:
            assert sound is not None
            (path, form), _ = sound
            assert form == (None if encoded else PcmFormat(8000, 1))
            if not encoded:
                assert path.read_bytes() == pcm
                return
            with av.open(io.BytesIO(path.read_bytes())) as container:
                assert container.streams.audio[0].codec_context.name == "aac"
