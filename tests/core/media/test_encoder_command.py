"""The ffmpeg command of a clip, as a value: which input gives which arguments."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from config import EncodeSettings
from core.media.audio_reader import PcmFormat
from core.media.encoder_command import ClipAudio, ClipEncoding, color_tags, encoder_command
from core.types import ColorInfo

NTSC = Fraction(30000, 1001)


def command(audio: ClipAudio | None = None, color: ColorInfo | None = None, timecode: str = "") -> tuple[str, ...]:
    encoding = ClipEncoding(
        512, 640, NTSC, EncodeSettings(audio_kbps=96), color or ColorInfo(), audio, timecode=timecode
    )
    return encoder_command("ffmpeg", Path("/a/clip.mp4"), encoding)


def value(argv: tuple[str, ...], option: str) -> str:
    return argv[argv.index(option) + 1]


def test_size_and_exact_rate_of_the_frames_are_told() -> None:
    argv = command()
    assert value(argv, "-video_size") == "512x640"
    assert value(argv, "-framerate") == value(argv, "-r") == "30000/1001"
    assert "-acodec" not in argv and "-timecode" not in argv


def test_pcm_is_encoded_and_an_mp4_is_copied() -> None:
    encoded = command((Path("/a/audio.pcm"), PcmFormat(48000, 2)))
    assert (value(encoded, "-ar"), value(encoded, "-ac"), value(encoded, "-b:a")) == ("48000", "2", "96k")
    assert value(encoded, "-acodec") == "aac"
    copied = command((Path("/a/audio.mp4"), None))
    assert value(copied, "-acodec") == "copy" and "-b:a" not in copied


def test_a_timecode_is_passed_on() -> None:
    assert value(command(timecode="01:00:00;02"), "-timecode") == "01:00:00;02"


def test_ffmpeg_opens_nothing_but_the_given_files() -> None:
    argv = command((Path("/a/audio.pcm"), PcmFormat(48000, 2)))
    assert [argv[at + 1] for at, part in enumerate(argv) if part == "-protocol_whitelist"] == ["pipe", "file"]


def test_colour_tags_that_ffmpeg_does_not_know_are_left_out() -> None:
    assert color_tags(ColorInfo("bt709", "gamma22", "gbr", "limited")) == {
        "color_primaries": "bt709",
        "color_trc": "bt470m",
        "range": "tv",
    }
    assert color_tags(ColorInfo("", "nonsense", "", "")) == {}
    assert not any("setparams" in part for part in command(color=ColorInfo()))
