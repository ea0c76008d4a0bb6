"""Audio is read once for all clips of an interval, and its file exists until the last of them is done."""

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
from processors.clips.constant_rate import Interval
from processors.clips.shared_audio import SharedAudio
from tests.material.factories import face_analysis

FIRST, SECOND = Interval(Fraction(1), Fraction(2)), Interval(Fraction(3), Fraction(2))


@pytest.fixture
def readings(monkeypatch):
    """The intervals that were read; each is a file of bytes with its start."""
    seen = []

    def read(analysis, interval, file, stop):
        seen.append(interval)
        file.write(bytes([int(interval.start_s)]) * 4)
        return PcmExcerpt(PcmFormat(48000, 1), 2, 0, 0)

    monkeypatch.setattr(shared_audio, "read_interval_audio", read)
    monkeypatch.setattr(shared_audio, "encode_aac", lambda pcm, form, kbps: pcm)
    return seen


def test_clips_of_one_interval_share_one_read(readings, tmp_path):
    everybody_has_it = threading.Barrier(4)

    def use(interval):
        with shared.read(interval, threading.Event()) as audio:
            everybody_has_it.wait(10)
            assert audio is not None
            return audio[0][0], audio[0][0].read_bytes()

    with SharedAudio(face_analysis(), tmp_path, 160) as shared:
        wanted = [FIRST, SECOND, FIRST, FIRST]
        for interval in wanted:
            shared.request(interval)
        with ThreadPoolExecutor(4) as pool:
            got = list(pool.map(use, wanted))
        assert set(readings) == {FIRST, SECOND} and len(readings) == 2
        assert [data for _, data in got] == [b"\1" * 4, b"\3" * 4, b"\1" * 4, b"\1" * 4]
        assert got[0][0] == got[2][0] == got[3][0] != got[1][0]
        assert not list(tmp_path.iterdir()), "the file is removed with its last user"


def test_a_file_exists_until_its_last_user_is_done(readings, tmp_path):
    with SharedAudio(face_analysis(), tmp_path, 160) as shared:
        for _ in range(2):
            shared.request(FIRST)
        for _ in range(2):
            with shared.read(FIRST, threading.Event()) as audio:
                assert audio is not None and audio[0][0].read_bytes() == b"\1" * 4
        assert readings == [FIRST]
        shared.request(SECOND)
        shared.request(SECOND)
        with shared.read(SECOND, threading.Event()):
            pass
    assert not list(tmp_path.iterdir()), "a request that is never read leaves no file"


def test_a_failed_read_is_repeated_for_the_next_user(monkeypatch, tmp_path):
    failures = iter([DecodeError("gone"), None])

    def read(analysis, interval, file, stop):
        file.write(b"half")
        failure = next(failures)
        if failure:
            raise failure
        return PcmExcerpt(PcmFormat(48000, 1), 2, 0, 0)

    monkeypatch.setattr(shared_audio, "read_interval_audio", read)
    monkeypatch.setattr(shared_audio, "encode_aac", lambda pcm, form, kbps: pcm)
    with SharedAudio(face_analysis(), tmp_path, 160) as shared:
        shared.request(FIRST)
        shared.request(FIRST)
        with pytest.raises(DecodeError), shared.read(FIRST, threading.Event()):
            pass
        with shared.read(FIRST, threading.Event()) as audio:
            assert audio is not None
            assert audio[0][0].read_bytes() == b"half", "a new file, not appended to the failed one"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("seconds", "encoded"), [(3, True), (31, False)])
def test_short_audio_is_encoded_once_for_all(seconds, encoded, monkeypatch, tmp_path):
    pcm = (np.arange(8000 * seconds) % 50 * 300).astype("<i2").tobytes()

    def read(analysis, interval, file, stop):
        file.write(pcm)
        return PcmExcerpt(PcmFormat(8000, 1), len(pcm) // 2, 0, 0)

    monkeypatch.setattr(shared_audio, "read_interval_audio", read)
    interval = Interval(Fraction(0), Fraction(seconds))
    with SharedAudio(face_analysis(), tmp_path, 64) as shared:
        shared.request(interval)
        with shared.read(interval, threading.Event()) as audio:
            assert audio is not None
            (path, form), _ = audio
            assert form == (None if encoded else PcmFormat(8000, 1))
            if not encoded:
                assert path.read_bytes() == pcm
                return
            with av.open(io.BytesIO(path.read_bytes())) as container:
                assert container.streams.audio[0].codec_context.name == "aac"
