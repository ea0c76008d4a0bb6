"""The delay of audio in AVI files: silence that the encoder put in front, and that AVI cannot tell players to skip."""

from __future__ import annotations

from fractions import Fraction

from core.types import VideoInfo

_SAMPLES = {"mp3": 1105, "mp3float": 1105, "aac": 1024}
"""by decoder: the delay of LAME with that of every decoder (576 and 529), and of ffmpeg's AAC encoder; other encoders
have more, not less"""


def encoder_delay_s(video: VideoInfo) -> Fraction:
    """Length of the silence with which the encoder began the audio that is used; 0 unless it is in an AVI file.

    Other containers begin with a negative time or tell how much to skip, but AVI cannot. ffmpeg moves the frames behind
    the first one instead, by whole frames.
    """
    audio = video.default_audio
    if video.container != "avi" or audio is None or audio.sample_rate_hz <= 0:
        return Fraction(0)
    return Fraction(_SAMPLES.get(audio.codec, 0), audio.sample_rate_hz)
