from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks.robustness.media.film import H264, MPEG2, STEREO_AAC
from benchmarks.robustness.media.stream_changes import (
    AC3,
    FRAMES,
    MP2,
    OPUS,
    PLAIN,
    STRETCHED,
    TURNED,
    VP8,
    WIDE,
    Piece,
    joined,
)
from tests.benchmarks.robustness.media.streams import frame_sizes, packet_times


@pytest.mark.parametrize(
    ("extension", "codecs"),
    [
        ("ts", (*H264, *STEREO_AAC)),
        ("mkv", (*H264, *STEREO_AAC)),
        ("mp4", (*H264, *STEREO_AAC)),
        ("webm", (*VP8, *OPUS)),
    ],
)
def test_the_size_changes_at_the_seam(tmp_path: Path, extension: str, codecs: tuple[str, ...]) -> None:
    path = joined(tmp_path / f"turned.{extension}", [Piece(PLAIN), Piece(TURNED)], codecs)
    assert frame_sizes(path) == ["320x240"] * FRAMES + ["240x320"] * FRAMES
    assert np.diff(sorted(packet_times(path, "v"))) == pytest.approx(0.04, abs=0.011)


@pytest.mark.parametrize(("extension", "codec"), [("ts", MPEG2), ("mkv", H264)])
def test_the_pixels_aspect_changes_at_the_seam(tmp_path: Path, extension: str, codec: tuple[str, ...]) -> None:
    path = joined(tmp_path / f"aspect.{extension}", [Piece(PLAIN), Piece(STRETCHED)], (*codec, *MP2))
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        aspects = [context.sample_aspect_ratio for _ in container.decode(video=0)]
    # The decoder is some frames ahead of what it hands out.
    assert len(aspects) == 2 * FRAMES
    assert set(aspects[: FRAMES - 3]) == {Fraction(1)}
    assert len(set(aspects[FRAMES:])) == 1
    assert float(aspects[-1] or 0) == pytest.approx(426 / 320, rel=0.01)


@pytest.mark.slow
def test_a_wider_frame_comes_and_goes(tmp_path: Path) -> None:
    path = joined(tmp_path / "wide.ts", [Piece(WIDE), Piece(PLAIN), Piece(WIDE)], (*H264, *STEREO_AAC))
    assert frame_sizes(path)[:: FRAMES - 1] == [
        "426x240",
        "426x240",
        "320x240",
        "426x240",
    ]


def test_the_rate_changes_at_the_seam(tmp_path: Path) -> None:
    path = joined(tmp_path / "rate.mkv", [Piece(), Piece(rate=Fraction(50))], (*H264, *STEREO_AAC))
    steps = np.diff(sorted(packet_times(path, "v")))
    assert np.median(steps[: FRAMES - 1]) == pytest.approx(0.04, abs=0.002)
    assert np.median(steps[FRAMES:]) == pytest.approx(0.02, abs=0.002)


@pytest.mark.parametrize(
    ("extension", "codec", "pieces", "shapes"),
    [
        ("ts", MP2, [Piece(channels=1), Piece()], [(48000, 1), (48000, 2)]),
        ("ts", STEREO_AAC, [Piece(rate_hz=32000), Piece()], [(32000, 2), (48000, 2)]),
        ("mkv", AC3, [Piece(), Piece(channels=6)], [(48000, 2), (48000, 6)]),
    ],
)
def test_the_audio_changes_at_the_seam(
    tmp_path: Path, extension: str, codec: tuple[str, ...], pieces: list[Piece], shapes: list[tuple[int, int]]
) -> None:
    path = joined(tmp_path / f"audio.{extension}", pieces, (*H264, *codec))
    with av.open(str(path)) as container:
        found = [(frame.sample_rate, len(frame.layout.channels)) for frame in container.decode(audio=0)]
    assert list(dict.fromkeys(found)) == shapes
