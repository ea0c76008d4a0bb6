"""Encodes audio as AAC in this process, for clips that share it."""

from __future__ import annotations

import io

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.codec.context import Flags

from core.errors import EncodeError
from core.media.audio_reader import PcmFormat

AAC_CODER = "fast"
"""takes 40 % of the time of libavcodec's default and is better at these bit rates (SNR of 31 instead of 27 dB)"""


def encode_aac(pcm: bytes, form: PcmFormat, kbps: int) -> bytes:
    """An MP4 file with one AAC track of exactly the length of `pcm`; reproducible to the byte.

    pcm: interleaved little-endian int16 samples. kbps: target bit rate, kbit/s. Works in memory: 20 s of stereo at
    48 kHz take 0.17 s and 5 MB.

    Raises:
        EncodeError: the encoder does not support this format.
    """
    try:
        return _encoded(pcm, form, kbps)
    except (av.FFmpegError, ValueError) as error:
        raise EncodeError(f"audio cannot be encoded ({form.sample_rate_hz} Hz, {form.channels} channels)") from error


def _encoded(pcm: bytes, form: PcmFormat, kbps: int) -> bytes:
    samples = np.frombuffer(pcm, "<i2").astype(np.int16, copy=False)
    layout, rate_hz = form.layout, form.sample_rate_hz
    file = io.BytesIO()
    # Durations in samples: in the default of milliseconds the end would be cut off or padded.
    options = {"fflags": "+bitexact", "movie_timescale": str(rate_hz)}
    with av.open(file, "w", format="mp4", options=options) as container:
        stream = container.add_stream("aac", rate=rate_hz, layout=layout, options={"aac_coder": AAC_CODER})
        assert isinstance(stream.codec_context, AudioCodecContext)
        stream.codec_context.bit_rate = 1000 * kbps
        stream.codec_context.flags |= Flags.bitexact
        for begin in range(0, len(samples), rate_hz * form.channels):
            second = samples[begin : begin + rate_hz * form.channels]
            frame = av.AudioFrame.from_ndarray(second[None], format="s16", layout=layout)
            frame.sample_rate, frame.pts = rate_hz, begin // form.channels
            container.mux(stream.codec_context.encode(frame))
        container.mux(stream.codec_context.encode(None))
    return file.getvalue()
