"""The encoder process: what it writes, and what is left when it fails."""

import logging
import subprocess
import sys
import threading
from fractions import Fraction

import av
import numpy as np
import pytest

from config import EncodeSettings
from core.errors import EncodeError, OutputError
from core.media import clip_writer
from core.media.aac_encoder import encode_aac
from core.media.audio_reader import PcmFormat
from core.media.clip_writer import ClipWriter
from core.media.encoder_command import ClipEncoding
from core.media.timecode_reader import read_timecode
from core.media.video_probe import probe_video
from core.types import ColorInfo
from tests.material.small_disk import small_disk

FAST = EncodeSettings(preset="ultrafast")
RATE = Fraction(30000, 1001)


def image(seed, size=64):
    rng = np.random.default_rng(seed)
    return tuple(
        np.kron(rng.integers(16, 235, (4, 4), np.uint8), np.ones((s // 4,) * 2, np.uint8))
        for s in (size, size // 2, size // 2)
    )


def write_clip(target, count=30, settings=FAST, **options):
    with ClipWriter(target, ClipEncoding(64, 64, RATE, settings, **options)) as writer:
        for i in range(count):
            writer.write(*image(i))
    return target


def test_frames_rate_and_tags_arrive(tmp_path):
    color = ColorInfo("bt709", "iec61966-2-1", "bt470bg", "pc")
    target = write_clip(
        tmp_path / "a" / "clip.mp4", settings=EncodeSettings(quality=0, preset="ultrafast"), color=color
    )
    with av.open(str(target)) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == RATE and container.start_time == 0
        frames = list(container.decode(stream))
    assert [f.pts * f.time_base for f in frames] == [i / RATE for i in range(30)]
    first = frames[0]
    assert (first.color_primaries, first.color_trc, first.colorspace, first.color_range) == (1, 13, 5, 2)
    # Quality 0 is lossless: frames reach the encoder unchanged.
    for i, frame in enumerate(frames):
        values = frame.to_ndarray()
        assert np.array_equal(values[:64].reshape(64, 64), image(i)[0])
        assert np.array_equal(values[64:80].reshape(32, 32), image(i)[1])


@pytest.mark.parametrize(
    ("rate", "timecode"),
    [
        (RATE, "23:59:59;28"),
        (Fraction(25), "10:11:12:13"),
        (Fraction(12), "00:00:01:11"),
        (Fraction(25, 2), "00:00:00:07"),
        (Fraction(120), "00:00:00:119"),
    ],
)
def test_a_clip_tells_the_timecode_of_its_first_frame(tmp_path, rate, timecode):
    files = [tmp_path / "one.mp4", tmp_path / "two.mp4", tmp_path / "none.mp4"]
    for target in files:
        with ClipWriter(
            target, ClipEncoding(64, 64, rate, FAST, timecode="" if target.stem == "none" else timecode)
        ) as writer:
            for seed in range(3):
                writer.write(*image(seed))
    found = read_timecode(probe_video(files[0]))
    assert found is not None and found.label() == timecode
    assert files[0].read_bytes() == files[1].read_bytes()
    with av.open(str(files[2])) as container:
        assert [stream.type for stream in container.streams] == ["video"]


def test_unknown_colour_stays_untagged(tmp_path):
    target = write_clip(tmp_path / "clip.mp4", color=ColorInfo("", "nonsense", "gbr", ""))
    with av.open(str(target)) as container:
        frame = next(container.decode(video=0))
    assert (frame.color_primaries, frame.color_trc, frame.colorspace) == (2, 2, 2)


def test_same_input_same_bytes(tmp_path):
    pcm = tmp_path / "x.pcm"
    pcm.write_bytes(np.random.default_rng(0).integers(-9000, 9000, 48048 * 2).astype("<i2").tobytes())
    audio = (pcm, PcmFormat(48000, 2))
    a = write_clip(tmp_path / "a.mp4", audio=audio).read_bytes()
    b = write_clip(tmp_path / "b.mp4", audio=audio).read_bytes()
    assert a == b
    assert a.index(b"moov") < a.index(b"mdat")


def audio_of(path):
    with av.open(str(path)) as container:
        (stream,) = container.streams.audio
        length = round(stream.duration * stream.time_base * stream.rate)
        frames = list(container.decode(stream))
        assert container.start_time == 0 and frames[0].pts == 0
    return length, np.concatenate([frame.to_ndarray() for frame in frames], axis=1)[:, :length]


def test_audio_that_is_aac_already_is_copied(tmp_path):
    form, samples = PcmFormat(48000, 2), 48048  # 30 frames
    pcm = (np.sin(np.arange(2 * samples) / 40) * 9000).astype("<i2").tobytes()
    (tmp_path / "x.pcm").write_bytes(pcm)
    (tmp_path / "x.m4a").write_bytes(encode_aac(pcm, form, FAST.audio_kbps))
    copied = audio_of(write_clip(tmp_path / "copied.mp4", audio=(tmp_path / "x.m4a", None)))
    encoded = audio_of(write_clip(tmp_path / "encoded.mp4", audio=(tmp_path / "x.pcm", form)))
    assert copied[0] == encoded[0] == samples
    assert np.array_equal(copied[1], audio_of(tmp_path / "x.m4a")[1])
    assert np.abs(copied[1] - encoded[1]).mean() < 0.003  # two versions of libavcodec


def test_hostile_names(tmp_path):
    for name in ("-y.mp4", "a'b\"c $(x) %03d.mp4", "pipe:1.mp4", "한 🎬\n.mp4", "\udcff/not UTF-8 \udce9.mp4"):
        assert write_clip(tmp_path / name, count=2).stat().st_size > 500


def test_encoder_that_refuses(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(EncodeError, match=r"failed|ended") as caught:
        write_clip(tmp_path / "clip.mp4", count=2000, encoder="no_such_encoder")
    assert "exit code 0" not in str(caught.value)
    assert "no_such_encoder" in next(text for text in caplog.messages if text.startswith("clip.mp4: the encoder's"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("room_bytes", [4096, 65536])
def test_a_full_disk_is_called_so(tmp_path, room_bytes):
    """It was "the encoder ended in mid-clip: one of its streams received no packets", or the encoder was blamed."""
    with small_disk(tmp_path / "disk", room_bytes) as disk:
        with pytest.raises(OutputError, match="cannot be written: No space left on device") as caught:
            write_clip(disk / "clip.mp4", count=600)
        assert caught.value.path == disk / "clip.mp4" and f"make room in {disk}, " in caught.value.hint
        assert list(disk.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
def test_a_limit_of_file_sizes_is_called_so(tmp_path):
    """As of a shell (ulimit -f) or a file system; it was "the encoder failed (exit code -25)"."""
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OutputError, match="cannot be written: File too large"):
            write_clip(tmp_path / "clip.mp4", count=600)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_no_frames_is_a_failure_not_an_empty_clip(tmp_path):
    with pytest.raises(EncodeError):
        write_clip(tmp_path / "clip.mp4", count=0)
    assert list(tmp_path.iterdir()) == []


def test_error_in_the_block_leaves_nothing(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"older")
    with (
        pytest.raises(ZeroDivisionError),
        ClipWriter(tmp_path / "clip.mp4", ClipEncoding(64, 64, RATE, FAST)) as writer,
    ):
        writer.write(*image(0))
        raise ZeroDivisionError
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"older"]


def test_abort_from_another_thread(tmp_path):
    with pytest.raises(EncodeError), ClipWriter(tmp_path / "clip.mp4", ClipEncoding(64, 64, RATE, FAST)) as writer:
        writer.write(*image(0))
        thread = threading.Thread(target=writer.abort)
        thread.start()
        thread.join()
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_clip(tmp_path / "file" / "clip.mp4", count=1)


def test_without_a_thread_for_its_messages_the_encoder_does_not_stay(tmp_path, monkeypatch):
    started = []
    popen = subprocess.Popen

    def remembered(*arguments, **options):
        started.append(popen(*arguments, **options))
        return started[-1]

    class Refused(threading.Thread):
        def start(self):
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(subprocess, "Popen", remembered)
    monkeypatch.setattr(clip_writer, "helper_thread", lambda work, name: Refused(name=name))
    writer = ClipWriter(tmp_path / "clip.mp4", ClipEncoding(64, 64, RATE, FAST))
    with pytest.raises(RuntimeError, match="can't start new thread"), writer:
        raise AssertionError("entered")
    process = started[-1]  # the first time, `find_ffmpeg` asks ffmpeg for its encoders before
    assert process.poll() is not None
    assert all(pipe is not None and pipe.closed for pipe in (process.stdin, process.stderr))
    assert list(tmp_path.iterdir()) == []
