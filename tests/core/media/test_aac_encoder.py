"""AAC made in memory: of the same length, close to the input, reproducible."""

import io

import av
import numpy as np
import pytest

from core.errors import EncodeError
from core.media.aac_encoder import encode_aac
from core.media.audio_reader import PcmFormat


def tone(form, samples):
    """A different sine in each channel, int16 (samples, channels)."""
    pitch_hz = 200 * (1 + np.arange(form.channels))
    phase = 2 * np.pi * np.arange(samples)[:, None] / form.sample_rate_hz * pitch_hz
    return np.round(8000 * np.sin(phase)).astype("<i2")


def decoded(data):
    """(length in the file, the samples that a player plays, float (samples, channels))."""
    with av.open(io.BytesIO(data)) as container:
        (stream,) = container.streams.audio
        pieces = [frame.to_ndarray() for frame in container.decode(stream)]
        length = round(stream.duration * stream.time_base * stream.rate)
    return length, np.concatenate(pieces, axis=1).T[:length]


@pytest.mark.parametrize("samples", [1, 1023, 48000, 100001])
@pytest.mark.parametrize("form", [PcmFormat(8000, 1), PcmFormat(48000, 2), PcmFormat(44100, 6), PcmFormat(96000, 2)])
def test_length_is_kept_to_the_sample(form, samples):
    assert decoded(encode_aac(tone(form, samples).tobytes(), form, 160))[0] == samples


@pytest.mark.parametrize("form", [PcmFormat(16000, 1), PcmFormat(48000, 2)])
def test_the_input_is_played_without_delay(form):
    given = tone(form, 2 * form.sample_rate_hz)
    played = decoded(encode_aac(given.tobytes(), form, 160))[1]
    error = played - given / 32768
    assert 10 * np.log10(np.mean((given / 32768) ** 2) / np.mean(error**2)) > 25


def test_same_bytes_every_time():
    form = PcmFormat(48000, 2)
    pcm = tone(form, 48000).tobytes()
    assert encode_aac(pcm, form, 96) == encode_aac(pcm, form, 96)
    assert len(encode_aac(pcm, form, 32)) < len(encode_aac(pcm, form, 192))


def test_a_rate_that_aac_does_not_support():
    with pytest.raises(EncodeError, match="12345 Hz"):
        encode_aac(b"\0" * 200, PcmFormat(12345, 1), 96)
