"""Audio cut to the sample, on the container's clock."""

import io
import threading
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest

from core.errors import DecodeError, InterruptedRunError
from core.media.audio_reader import PcmExcerpt, PcmFormat, on_video_clock, pcm_format, read_audio
from core.media.video_probe import probe_video
from core.types import AudioInfo
from tests.material.channel_videos import tone_video


def write_ramp(path, *, rate=48000, layout="stereo", start_s=0.0, seconds=3.0, hole=None, tracks=1):
    """PCM whose sample k is k % 20000: every sample tells its place. Track 1 on is silent."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        streams = [out.add_stream("pcm_s16le", rate=rate, layout=layout) for _ in range(tracks)]
        channels = streams[0].codec_context.layout.nb_channels
        for i in range(75):
            image = av.VideoFrame(64, 64, "yuv420p")
            image.pts = i
            out.mux(video.encode(image))
        for number, stream in enumerate(streams):
            for begin in range(0, round(seconds * rate), 1000):
                if hole is not None and hole[0] <= begin / rate < hole[1]:
                    continue
                values = (begin + np.arange(1000)) % 20000 * (number == 0)
                frame = av.AudioFrame.from_ndarray(np.repeat(values, channels)[None].astype(np.int16), "s16", layout)
                frame.sample_rate = rate
                frame.pts, frame.time_base = begin + round(start_s * rate), Fraction(1, rate)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        out.mux(video.encode(None))
    return probe_video(path)


def excerpt(info, start_s, duration_s):
    target = io.BytesIO()
    result = read_audio(info, Fraction(start_s), Fraction(duration_s), target)
    assert result is not None
    return result, np.frombuffer(target.getvalue(), "<i2").reshape(-1, result.format.channels)


@pytest.mark.parametrize("start,duration", [("0", "1"), ("0.5", "1.25"), ("2.5", "0.5"), ("1.0417", "1001/30000")])
def test_samples_are_the_right_ones(tmp_path, start, duration):
    info = write_ramp(tmp_path / "a.mov")
    result, samples = excerpt(info, start, duration)
    first = round(Fraction(start) * 48000)
    assert result.samples == len(samples) == round(Fraction(duration) * 48000)
    assert np.array_equal(samples[:, 0], (first + np.arange(len(samples))) % 20000)
    assert np.array_equal(samples[:, 0], samples[:, 1])
    assert result.silent == result.damaged_packets == 0


def test_silence_before_after_and_in_a_hole(tmp_path):
    info = write_ramp(tmp_path / "a.mkv", start_s=0.5, seconds=1.5, hole=(0.5, 1.0))
    result, samples = excerpt(info, 0, 3)
    assert len(samples) == 3 * 48000
    loud = samples[:, 0] != 0
    for begin, end, expected in ((0, 0.499, 0), (0.501, 0.999, 1), (1.01, 1.49, 0), (1.51, 1.999, 1), (2.01, 3, 0)):
        assert loud[round(begin * 48000) : round(end * 48000)].mean() == pytest.approx(expected, abs=0.01)
    assert result.silent == pytest.approx(2 * 48000, abs=2000)
    # Times in this container are whole milliseconds.
    assert abs(int(np.flatnonzero(loud)[0]) - 24001) <= 48


def test_interval_outside_the_audio_is_silence(tmp_path):
    info = write_ramp(tmp_path / "a.mov", seconds=1.0)
    result, samples = excerpt(info, "2.5", 1)
    assert len(samples) == 48000 == result.silent and not samples.any()
    result, samples = excerpt(info, -1, "1.5")
    assert result.silent == 48000
    assert np.array_equal(samples[48000:, 0], np.arange(24000) % 20000)


def test_rates_and_channels_of_the_pcm_fit_aac():
    def audio(rate, channels):
        return AudioInfo(0, "x", rate, channels, 0.0)

    assert pcm_format(audio(44100, 1)) == PcmFormat(44100, 1)
    assert pcm_format(audio(48000, 6)) == PcmFormat(48000, 6)
    assert pcm_format(audio(192000, 8)) == PcmFormat(48000, 6)
    assert pcm_format(audio(37800, 4)) == PcmFormat(48000, 2)


def test_other_rates_are_resampled_in_place(tmp_path):
    info = write_ramp(tmp_path / "a.mov", rate=37800, layout="mono")
    result, samples = excerpt(info, "0.2", 1)
    assert result.format == PcmFormat(48000, 1) and len(samples) == 48000
    expected = (37800 * 0.2 + np.arange(48000) * 37800 / 48000)[2000:14000]
    assert np.abs(samples[2000:14000, 0] - expected).max() < 3


def test_the_default_track_is_taken(tmp_path):
    info = write_ramp(tmp_path / "a.mov", tracks=2)
    assert len(info.audio) == 2
    assert excerpt(info, 1, 1)[1].any()


def test_a_video_without_audio_writes_nothing(tmp_path):
    info = write_ramp(tmp_path / "a.mov", tracks=1)
    from dataclasses import replace

    target = io.BytesIO()
    assert read_audio(replace(info, audio=()), Fraction(0), Fraction(1), target) is None
    assert target.getvalue() == b""


def test_damage_is_silence_and_counted(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as out:
        video = out.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        stream = out.add_stream("aac", rate=48000, layout="mono")
        for i in range(50):
            image = av.VideoFrame(64, 64, "yuv420p")
            image.pts = i
            out.mux(video.encode(image))
        tone = (0.5 * np.sin(np.arange(96000) * 0.1)).astype(np.float32)
        for begin in range(0, 96000, 1000):
            frame = av.AudioFrame.from_ndarray(tone[None, begin : begin + 1000].copy(), "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 48000, begin, Fraction(1, 48000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        out.mux(video.encode(None))
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(audio=0) if p.size]
    data = bytearray(path.read_bytes())
    for position, size in packets[30:60]:
        data[position : position + size] = b"\xff" * size
    path.write_bytes(data)
    result, samples = excerpt(probe_video(path), 0, 2)
    assert len(samples) == 96000
    assert 20 <= result.damaged_packets <= 31 and result.silent >= 20 * 1024
    assert np.abs(samples[:20000]).max() > 10000 and np.abs(samples[70000:90000]).max() > 10000


def test_stop_and_vanished_file(tmp_path):
    info = write_ramp(tmp_path / "a.mov")
    stop = threading.Event()
    stop.set()
    with pytest.raises(InterruptedRunError):
        read_audio(info, Fraction(0), Fraction(1), io.BytesIO(), stop=stop)
    info.path.unlink()
    with pytest.raises(DecodeError):
        read_audio(info, Fraction(0), Fraction(1), io.BytesIO())


def frames_at(*times_s):
    """What `on_video_clock` knows of frames; their ticks are milliseconds."""
    return [SimpleNamespace(pts=round(1000 * t)) for t in times_s]


@pytest.mark.parametrize(
    ("times_s", "shifts_s", "expected"),
    [
        # Two parts joined; each shift is counted from the file's own times.
        ([5.0, 5.5, 0.2, 3.0, 0.1, 0.6], [6, 10], [5000, 5500, 6200, 9000, 10_100, 10_600]),
        # One wrong time is no new clock.
        ([5.0, 5.5, 0.0, 6.5, 1.0, 1.5], [7], [5000, 5500, None, 6500, 8000, 8500]),
        # Where the images do not leap the audio keeps its times.
        ([5.0, 1.0, 1.5, 0.1, 0.2], [6], [5000, 7000, 7500, 6100, 6200]),
        # A pause is none either; hours ahead are.
        ([1.0, 600.0, 9000.0, 9001.0], [-8000], [1000, 600_000, 1_000_000, 1_001_000]),
    ],
)
def test_audio_follows_the_clock_of_the_video(times_s, shifts_s, expected):
    moved = on_video_clock(iter(frames_at(*times_s)), Fraction(1, 1000), [Fraction(s) for s in shifts_s])
    assert [frame.pts for frame in moved] == expected


@pytest.mark.parametrize("extension", ["vob", "mpg", "ts"])
def test_reading_from_anywhere_is_not_damage(tmp_path, extension):
    path = tone_video(tmp_path / f"a.{extension}", 2, "-c:a", "mp2", seconds=6)
    info = probe_video(path)
    for step in range(23):
        start_s = info.start_pts * info.time_base + Fraction(step, 4)
        result = read_audio(info, start_s, Fraction(1, 2), io.BytesIO())
        assert result is not None and result.damaged_packets == 0, step


def test_a_file_that_is_cut_within_a_packet_is_not_damaged(tmp_path):
    path = tone_video(tmp_path / "a.mpg", 2, "-c:a", "mp2", seconds=6)
    whole = path.read_bytes()
    path.write_bytes(whole[len(whole) // 3 // 2048 * 2048 : len(whole) * 3 // 4])
    info = probe_video(path)
    result = read_audio(info, info.start_pts * info.time_base, Fraction(3), io.BytesIO())
    assert result is not None and result.damaged_packets == 0 and result.silent < 3 * 48000


def test_damage_in_a_program_stream_is_counted_where_it_is(tmp_path):
    path = tone_video(tmp_path / "a.mpg", 2, "-c:a", "mp2", seconds=6)
    info = probe_video(path)
    data = bytearray(path.read_bytes())
    at = [i for i in range(len(data)) if data[i : i + 4] == b"\0\0\1\xc0"]  # the packets of the audio
    for begin in at[len(at) // 2 : len(at) // 2 + 3]:
        size = int.from_bytes(data[begin + 4 : begin + 6], "big")
        data[begin + 40 : begin + 6 + size] = b"\x55" * (size - 34)
    path.write_bytes(data)

    def read(start_s: int, duration_s: int) -> PcmExcerpt:
        result = read_audio(info, info.start_pts * info.time_base + start_s, Fraction(duration_s), io.BytesIO())
        assert result is not None
        return result

    found = [read(second, 1).damaged_packets for second in range(6)]
    assert sum(found) > 0 and found.count(0) >= 4
    whole = read(0, 6)
    assert whole.damaged_packets >= max(found) and whole.silent > 1000
