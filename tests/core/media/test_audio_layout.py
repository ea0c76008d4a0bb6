"""Channels of every order and count: none of them ends the process, all of them are heard at their level."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.media.audio_layout import ChannelMix, channel_mix
from core.media.audio_reader import read_audio
from core.media.video_probe import probe_video
from tests.material.channel_videos import labelled_mov, tone_video, tones_of

PROJECT = Path(__file__).resolve().parents[3]
SHARED = PROJECT.parent / "shared" / "cases" / "media"

# A layout whose map is freed twice ends the process, sometimes only when it exits.
IN_CHILD = """
import gc, io, json, sys
from fractions import Fraction
from pathlib import Path
from core.media.audio_reader import read_audio
from core.media.video_probe import probe_video
from tests.material.channel_videos import tones_of
for path in sys.argv[1:]:
    info = probe_video(Path(path))
    for _ in range(3):
        pcm = io.BytesIO()
        excerpt = read_audio(info, Fraction(1, 4), Fraction(1), pcm)
        gc.collect()
    print(json.dumps([list(tones) for tones in tones_of(excerpt, pcm.getvalue(), info.audio[0].channels)]), flush=True)
"""


def read_in_child(paths: list[Path]) -> list[list[list[int]]]:
    """For each video, which source channels each channel of its audio holds."""
    command = [sys.executable, "-c", IN_CHILD, *map(str, paths)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-500:]}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def heard(path: Path) -> list[dict[int, float]]:
    info = probe_video(path)
    pcm = io.BytesIO()
    excerpt = read_audio(info, Fraction(1, 4), Fraction(1), pcm)
    assert excerpt is not None and excerpt.damaged_packets == 0
    return tones_of(excerpt, pcm.getvalue(), info.audio[0].channels)


@pytest.mark.slow
def test_layouts_of_custom_order_neither_crash_nor_lose_a_channel(tmp_path: Path) -> None:
    cases = {
        ("FL", "FL"): [[0], [1]],
        ("FR", "FL"): [[1], [0]],
        ("UNSD", "FL"): [[1]],
        ("FL", "FR", "UNSD", "UNSD"): [[0], [1]],
        ("UNSD", "UNSD", "FL", "FR"): [[2], [3]],
        ("FL", "FR", "FL", "FR"): [[0], [1]],
        ("FL", "TFL", "FC", "FR"): [[0, 1, 2], [2, 3]],
        ("FR", "FL", "LFE", "BL", "UNSD"): [[1, 3], [0]],
        ("FC", "FC", "FC", "FC"): [[0], [1]],
        ("UNSD", "UNSD", "UNSD"): [[0], [1]],
        ("FL", "FC", "FR", "BL", "BR", "LFE"): [[0], [2], [1], [5], [3], [4]],
        ("FL", "FR") + ("UNSD",) * 14: [[0], [1]],
        ("FL",) * 64: [[0], [1]],
        ("BL", "FR", "FC", "FL"): [[0, 2, 3], [1, 2]],
    }
    paths = [labelled_mov(tmp_path / f"{n}.mov", labels) for n, labels in enumerate(cases)]
    assert read_in_child(paths) == list(cases.values())


@pytest.mark.slow
@pytest.mark.clips
@pytest.mark.skipif(not SHARED.exists(), reason="shared material is missing")
def test_recordings_whose_layouts_ended_the_process() -> None:
    paths = sorted(SHARED.glob("01_crash_*.mov"))
    assert len(paths) == 2
    for path, info in zip(paths, map(probe_video, paths), strict=True):
        assert info.audio[0].layout in ("FL+FL", "FL+FR+UNSD+UNSD")
        pcm = io.BytesIO()
        read_audio(info, Fraction(1, 4), Fraction(1), pcm)
        loudness = np.abs(np.frombuffer(pcm.getvalue(), "<i2").reshape(-1, 2)).max(0)
        assert (loudness > 1000).all(), path
    assert len(read_in_child(paths)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("extension", ["mov", "mkv", "mxf"])
def test_unlabelled_channels_of_any_count_are_heard(tmp_path: Path, extension: str) -> None:
    counts = [*range(1, 17), 24, 64]
    paths = [tone_video(tmp_path / f"{n}.{extension}", n, "-c:a", "pcm_s16le", seconds=1.3) for n in counts]
    for count, channels in zip(counts, read_in_child(paths), strict=True):
        assert all(channels) and channels[0][0] == 0, count
        assert count == 1 or channels[1][0] == 1, count


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        # the front keeps its level, what is added to it has the usual -3 dB
        ("stereo", [{0: 0}, {1: 0}]),
        ("quad", [{0: 0, 2: -3}, {1: 0, 3: -3}]),
        ("4.0", [{0: 0, 2: -3, 3: -6}, {1: 0, 2: -3, 3: -6}]),
        ("5.0", [{0: 0, 2: -3, 3: -3}, {1: 0, 2: -3, 4: -3}]),
        ("5.1", [{0: 0}, {1: 0}, {2: 0}, {3: 0}, {4: 0}, {5: 0}]),
        ("7.1", [{0: 0}, {1: 0}, {2: 0}, {3: 0}, {4: 0, 6: -3}, {5: 0, 7: -3}]),
    ],
)
def test_surround_is_as_loud_as_its_front(tmp_path: Path, layout: str, expected: list[dict[int, float]]) -> None:
    count = {"stereo": 2, "quad": 4, "4.0": 4, "5.0": 5, "5.1": 6, "7.1": 8}[layout]
    found = heard(tone_video(tmp_path / "a.mov", count, "-c:a", "pcm_s16le", layout=layout))
    assert [set(tones) for tones in found] == [set(tones) for tones in expected]
    for tones, wanted in zip(found, expected, strict=True):
        assert tones == pytest.approx(wanted, abs=0.1)


def test_the_four_inputs_of_a_camera_are_not_mixed(tmp_path: Path) -> None:
    found = heard(tone_video(tmp_path / "a.mxf", 4, "-c:a", "pcm_s16le"))
    assert found == [{0: pytest.approx(0, abs=0.1)}, {1: pytest.approx(0, abs=0.1)}]


def test_channels_that_change_in_mid_stream_keep_their_level(tmp_path: Path) -> None:
    joined = b""
    for part, (count, layout) in enumerate([(2, "stereo"), (6, "5.1"), (1, "mono")]):
        offset = ("-output_ts_offset", str(2 * part))
        path = tone_video(tmp_path / f"{part}.ts", count, "-c:a", "aac", *offset, layout=layout, seconds=2)
        joined += path.read_bytes()
    path = tmp_path / "joined.ts"
    path.write_bytes(joined)
    info = probe_video(path)
    for part, expected in enumerate([[{0: 0}, {1: 0}], [{0: 0, 2: -3, 4: -3}, {1: 0, 2: -3, 5: -3}], [{0: 0}, {0: 0}]]):
        pcm = io.BytesIO()
        excerpt = read_audio(info, info.start_pts * info.time_base + 2 * part + Fraction(1, 2), Fraction(1), pcm)
        assert excerpt is not None and excerpt.damaged_packets == 0
        for tones, wanted in zip(tones_of(excerpt, pcm.getvalue(), 6), expected, strict=True):
            assert tones == pytest.approx(wanted, abs=0.2)


@pytest.mark.slow
def test_aac_with_a_program_config_element(tmp_path: Path) -> None:
    for layout, count in (("6.1(front)", 7), ("octagonal", 8), ("4.0", 4)):
        path = tone_video(
            tmp_path / f"{count}.mp4", count, "-c:a", "aac", "-b:a", "512k", "-aac_pce", "1", layout=layout
        )
        found = heard(path)
        assert found[0][0] == pytest.approx(0, abs=0.3) and found[1][1] == pytest.approx(0, abs=0.3)


def test_ambisonic_audio_is_heard(tmp_path: Path) -> None:
    path = tone_video(
        tmp_path / "a.mkv", 4, "-c:a", "libopus", "-b:a", "400k", "-mapping_family", "2", layout="ambisonic 1"
    )
    assert probe_video(path).audio[0].layout == "ambisonic 1"
    assert heard(path) == [{0: pytest.approx(0, abs=0.3)}]


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("mono", ChannelMix(1, "")),
        ("stereo", ChannelMix(2, "")),
        ("2 channels", ChannelMix(2, "")),
        ("4 channels", ChannelMix(2, "stereo|c0=c0|c1=c1")),
        ("6 channels", ChannelMix(6, "")),
        ("5.1(side)", ChannelMix(6, "")),
        ("22.2", ChannelMix(6, "")),
        ("11 channels", ChannelMix(2, "stereo|c0=c0|c1=c1")),
        ("FC+LFE", ChannelMix(1, "")),
        ("LFE", ChannelMix(1, "mono|c0=c0")),
        ("BL+BR", ChannelMix(2, "stereo|c0=c0|c1=c1")),
        ("UNK+FR+FL", ChannelMix(2, "stereo|c0=c2|c1=c1")),
        ("TFL+FR+FC+FL", ChannelMix(2, "stereo|c0=c3+0.7071*c0+0.7071*c2|c1=c1+0.7071*c2")),
        ("FL+FR+FC+UNSD+FC", ChannelMix(2, "stereo|c0=c0+0.7071*c2|c1=c1+0.7071*c2")),
        ("FR+FL+FC", ChannelMix(2, "FL+FR+FC|c0=c1|c1=c0|c2=c2")),
        ("binaural", ChannelMix(2, "stereo|c0=c0|c1=c1")),
        ("ambisonic 1+stereo", ChannelMix(2, "stereo|c0=c0+c4|c1=c0+c5")),
    ],
)
def test_what_is_made_of_a_layout(layout: str, expected: ChannelMix) -> None:
    assert channel_mix(layout) == expected
