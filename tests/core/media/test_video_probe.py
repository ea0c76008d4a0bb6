import logging
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from core.errors import InvalidVideoError
from core.media.media_input import open_input
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from tests.material.small_videos import make_video, quadrants, run_ffmpeg

SIX = [quadrants(160, 96)] * 6


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("probe") / "plain.mp4", SIX)


def refusal(path: Path) -> str:
    with pytest.raises(InvalidVideoError) as caught:
        probe_video(path)
    error = caught.value
    assert error.path == path
    assert error.stage == "probe"
    assert error.hint
    assert "\n" not in str(error)
    return error.message


def test_the_facts_of_an_ordinary_video(plain: Path) -> None:
    info = probe_video(plain)
    assert (info.container, info.codec, info.pixel_format) == ("mov", "h264", "yuv420p")
    assert (info.coded_width, info.coded_height, info.width, info.height) == (160, 96, 160, 96)
    assert (info.rotation, info.sample_aspect_ratio, info.interlaced) == (0, Fraction(1), False)
    assert (info.frame_rate, info.frame_count, info.start_pts) == (Fraction(25), 6, 0)
    assert info.duration_s == pytest.approx(0.24)
    assert info.size_bytes == plain.stat().st_size
    assert info.audio == ()


def test_audio_tracks_with_language_and_default(tmp_path: Path, plain: Path) -> None:
    path = tmp_path / "two.mkv"
    run_ffmpeg(
        "-i", str(plain), "-f", "lavfi", "-i", "sine=d=0.24:r=48000", "-f", "lavfi", "-i", "anoisesrc=d=0.24:r=16000",
        "-map", "0", "-map", "1", "-map", "2", "-c:v", "copy", "-c:a", "flac", "-ac:a:1", "2",
        "-metadata:s:a:0", "language=deu", "-disposition:a:0", "0", "-disposition:a:1", "default", str(path),
    )  # fmt: skip
    first, second = probe_video(path).audio
    assert (first.index, first.codec, first.sample_rate_hz, first.channels) == (1, "flac", 48000, 1)
    assert (first.language, first.default) == ("deu", False)
    assert (second.sample_rate_hz, second.channels, second.language, second.default) == (16000, 2, "", True)
    assert probe_video(path).default_audio == second


def test_one_of_several_video_streams_can_be_chosen(tmp_path: Path, plain: Path) -> None:
    path = tmp_path / "two.mkv"
    small = ("-f", "lavfi", "-i", "color=gray:s=64x48:r=25:d=0.24")
    run_ffmpeg("-i", str(plain), *small, "-map", "0", "-map", "1", "-disposition:v:0", "default", str(path))
    assert (probe_video(path).width, probe_video(path).video_number) == (160, 1)
    second = probe_video(path, 2)
    assert (second.width, second.stream_index, second.video_number, second.video_streams) == (64, 1, 2, 2)
    with VideoReader(second) as reader:
        assert {frame.planes()[0].shape for frame in reader.frames()} == {(48, 64)}
    with pytest.raises(InvalidVideoError, match="no video stream 3") as caught:
        probe_video(path, 3)
    assert caught.value.hint == "--video-stream takes 1 to 2"


@pytest.mark.parametrize(
    ("aspect", "size", "told"),
    [("4/3", (213, 96), Fraction(4, 3)), ("3/4", (160, 128), Fraction(3, 4)), ("100/1", (160, 96), Fraction(1))],
)
def test_pixels_are_made_square_without_losing_any(
    tmp_path: Path, aspect: str, size: tuple[int, int], told: Fraction
) -> None:
    info = probe_video(make_video(tmp_path / "a.mp4", SIX, "-vf", f"setsar={aspect}"))
    assert (info.width, info.height) == size
    assert info.sample_aspect_ratio == told
    assert (info.coded_width, info.coded_height) == (160, 96)


@pytest.mark.parametrize(("counterclockwise", "clockwise"), [(90, 270), (180, 180), (270, 90)])
def test_rotation_is_reported_clockwise_and_swaps_the_sides(
    tmp_path: Path, plain: Path, counterclockwise: int, clockwise: int
) -> None:
    path = tmp_path / "turned.mov"
    run_ffmpeg("-display_rotation", str(counterclockwise), "-i", str(plain), "-c", "copy", str(path))
    info = probe_video(path)
    assert info.rotation == clockwise
    assert (info.width, info.height) == ((160, 96) if clockwise == 180 else (96, 160))


@pytest.mark.parametrize(("written", "told"), [("30000/1001", Fraction(30000, 1001)), ("12.5", Fraction(25, 2))])
@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_constant_rates_are_exact_whatever_the_time_base(
    tmp_path: Path, written: str, told: Fraction, container: str
) -> None:
    assert probe_video(make_video(tmp_path / f"a.{container}", SIX * 5, rate=written)).frame_rate == told


def test_a_variable_rate_becomes_a_standard_one(tmp_path: Path) -> None:
    # 33, 67, 33, 67 ms: twenty frames a second on average, thirty where it moves
    path = make_video(tmp_path / "v.mkv", SIX * 8, "-vf", "select=mod(n\\,3)", "-fps_mode", "passthrough", rate="30")
    assert probe_video(path).frame_rate == 30


def test_a_rate_that_is_no_standard_one_is_said_as_a_decimal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """30 and 60 ms."""
    path = make_video(tmp_path / "v.mkv", SIX * 8, "-vf", "select=mod(n\\,3)", "-fps_mode", "passthrough", rate="100/3")
    with caplog.at_level(logging.INFO):
        assert probe_video(path).frame_rate == Fraction(100, 3)
    assert "clips get 33.333 frames/s" in caplog.text


@pytest.mark.parametrize(("written", "told"), [("1/5", 1), ("1000", 240)])
def test_impossible_rates_are_bounded_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, written: str, told: int
) -> None:
    path = make_video(tmp_path / "a.mkv", SIX, rate=written)
    with caplog.at_level(logging.INFO):
        assert probe_video(path).frame_rate == told
    assert "impossible frame rate" in caplog.text


def test_frames_hours_apart(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", SIX, "-vf", "setpts=N*3600/TB", "-fps_mode", "passthrough", rate="25")
    assert probe_video(path).frame_rate == 1


def test_a_clock_that_is_not_a_clock(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.avi", SIX, "-c:v", "mpeg4")
    data = bytearray(path.read_bytes())
    scale = data.index(b"strh") + 28
    data[scale : scale + 4] = (25_000_000).to_bytes(4, "little")
    path.write_bytes(data)
    assert "time base of 1000000 s" in refusal(path)


def test_the_first_pts_is_kept(tmp_path: Path) -> None:
    info = probe_video(make_video(tmp_path / "late.ts", SIX, "-output_ts_offset", "10"))
    assert info.seconds(info.start_pts) == pytest.approx(11.4, abs=0.001)  # 1.4 s are the muxer's own


def test_colour_tags_have_ffmpegs_names(tmp_path: Path) -> None:
    tags = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=iec61966-2-1:range=pc"
    color = probe_video(make_video(tmp_path / "c.mp4", SIX, "-vf", f"format=yuv420p,{tags}")).color
    assert (color.matrix, color.primaries, color.transfer, color.range) == ("bt709", "bt709", "iec61966-2-1", "pc")


def test_colour_of_rgb_sources_is_that_of_the_frames_delivered(tmp_path: Path) -> None:
    color = probe_video(make_video(tmp_path / "c.mkv", SIX, "-c:v", "ffv1", "-pix_fmt", "bgra")).color
    assert (color.matrix, color.range) == ("smpte170m", "tv")


def test_interlaced_video_is_recognised(tmp_path: Path) -> None:
    path = make_video(tmp_path / "i.mp4", SIX, "-flags", "+ildct+ilme", "-x264opts", "tff=1")
    assert probe_video(path).interlaced


def test_names_that_look_like_options_addresses_or_patterns(tmp_path: Path, plain: Path) -> None:
    for name in (b"-i.mp4", b"http:%03d*.mp4", b"caf\xe9 \xff.mp4", b"a\nb.mp4"):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.write_bytes(plain.read_bytes())
        assert probe_video(path).width == 160


def test_a_relative_path_works(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(plain.parent)
    assert probe_video(Path(plain.name)).frame_count == 6


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n\n<!DOCTYPE html><html><body>404</body></html>", "is a web page"),
        (b"no video at all, " * 50, "is not a video"),
        (b"RIFF\x00\x10\x00\x00AVI LIST", "damaged or incomplete"),
        (b"RIFF\x00\x10\x00\x00WEBPVP8 ", "is not a video"),
        (b"\x1a\x45\xdf\xa3" + bytes(100), "damaged or incomplete"),
        (b"FLV\x01\x05" + bytes(100), "damaged or incomplete"),
        ((b"G" + bytes(187)) * 2, "damaged or incomplete"),
    ],
)
def test_files_that_are_no_videos(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    assert reason in refusal(path)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{video}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{video}'\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5000 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{video}</BaseURL></MPD>',
    ],
)
def test_a_playlist_under_a_videos_name_is_refused(tmp_path: Path, plain: Path, text: str) -> None:
    path = tmp_path / "x.mp4"
    path.write_text(text.format(video=plain))
    assert refusal(path)


def test_the_whitelist_is_what_refuses_a_playlist(tmp_path: Path, plain: Path) -> None:
    """Without our options libav does follow it: the test above would otherwise prove nothing."""
    path = tmp_path / "x.ffconcat"
    path.write_text(f"ffconcat version 1.0\nfile '{plain}'\n")
    with av.open(str(path), options={"safe": "0"}) as container:
        assert container.format.name == "concat"
    with pytest.raises((av.FFmpegError, ValueError)):
        open_input(path)


def test_only_local_files_can_be_opened() -> None:
    with pytest.raises((av.FFmpegError, OSError, ValueError)):
        open_input(Path("http://127.0.0.1:9/x.mp4"))


def test_audio_only(tmp_path: Path) -> None:
    path = tmp_path / "s.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "sine=d=0.2", str(path))
    assert refusal(path) == "has no video stream"


def test_a_cover_image_is_not_a_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    run_ffmpeg(
        "-f", "lavfi", "-i", "sine=d=0.2", "-f", "lavfi", "-i", "color=s=64x64:d=0.04", "-map", "0", "-map", "1",
        "-c:v", "mjpeg", "-frames:v", "1", "-disposition:v", "attached_pic", str(path),
    )  # fmt: skip
    assert "cover image" in refusal(path)


@pytest.mark.parametrize("extension", ["mkv", "mov"])
def test_a_cover_image_that_is_not_marked_as_one_is_not_the_film(tmp_path: Path, extension: str) -> None:
    cover = make_video(tmp_path / "cover.png", [quadrants(640, 480)], "-c:v", "png", "-pix_fmt", "rgb24")
    film = make_video(tmp_path / "film.mkv", [quadrants(160, 96)] * 60)
    path = tmp_path / f"both.{extension}"
    run_ffmpeg("-i", str(cover), "-i", str(film), "-map", "0", "-map", "1", "-c", "copy", str(path))
    info = probe_video(path)
    assert (info.width, info.height, info.video_streams) == (160, 96, 1)


def test_dv_interleaved_with_its_audio_has_the_frames_that_it_has(tmp_path: Path) -> None:
    dv = make_video(tmp_path / "a.dv", [quadrants(720, 576)] * 10, "-c:v", "dvvideo", "-f", "dv")
    run_ffmpeg("-i", str(dv), "-c", "copy", "-an", str(tmp_path / "type2.avi"))
    path = tmp_path / "type1.avi"
    data = (tmp_path / "type2.avi").read_bytes()
    assert b"vidsdvsd" in data
    path.write_bytes(data.replace(b"vidsdvsd", b"iavsdvsd", 1).replace(b"00dc", b"00__"))
    info = probe_video(path)
    assert (info.container, info.frame_rate, info.frame_count) == ("avi", Fraction(25), 10)


def test_frames_too_small(tmp_path: Path) -> None:
    path = make_video(tmp_path / "tiny.mkv", [np.zeros((8, 64, 3), np.uint8)] * 2, "-c:v", "ffv1")
    assert "64x8" in refusal(path)


def test_frames_too_large_are_refused_before_their_memory_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "large.mp4"
    path.write_bytes(b"YUV4MPEG2 W16000 H16000 F25:1 Ip A1:1 C420\nFRAME\n" + bytes(4000))
    assert "16000x16000" in refusal(path)


def test_an_unknown_codec(tmp_path: Path) -> None:
    path = make_video(tmp_path / "u.avi", SIX, "-c:v", "mpeg4", "-vtag", "XVID")
    path.write_bytes(path.read_bytes().replace(b"XVID", b"ZZZZ"))
    assert "cannot be decoded" in refusal(path)


def test_frames_that_are_all_rubbish(tmp_path: Path) -> None:
    path = make_video(tmp_path / "r.mkv", SIX, "-c:v", "ffv1")
    data = path.read_bytes()
    start = data.index(b"\x1f\x43\xb6\x75")  # the first cluster
    packets = start + 40
    path.write_bytes(data[:packets] + b"\xff" * (len(data) - packets))
    assert refusal(path)


def test_an_mp4_without_its_index(tmp_path: Path, plain: Path) -> None:
    path = tmp_path / "cut.mp4"
    data = plain.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 4])
    assert "incomplete" in refusal(path)


def test_things_that_are_not_regular_files(tmp_path: Path) -> None:
    assert "folder" in refusal(tmp_path)
    assert "cannot be read" in refusal(tmp_path / "missing.mp4")
    assert "cannot be read" in refusal(Path("a\0b.mp4"))
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "not a regular file" in refusal(tmp_path / "pipe.mp4")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path, plain: Path) -> None:
    path = tmp_path / "secret.mp4"
    path.write_bytes(plain.read_bytes())
    path.chmod(0)
    assert "permission" in refusal(path)


def test_what_is_wrong_with_a_recording_that_broke_off_and_with_animated_webp(tmp_path: Path, plain: Path) -> None:
    data = plain.read_bytes()
    path = tmp_path / "broken.mp4"
    path.write_bytes(data[: data.rindex(b"moov") - 4])
    assert refusal(path) == "is an incomplete video: its index (moov) is missing"
    path = tmp_path / "a.webp"
    for flags, said in ((0x12, "is an animated WebP image"), (0x10, "is not a video")):
        path.write_bytes(b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0" + bytes([flags]) + bytes(30))
        assert refusal(path).startswith(said)


@pytest.mark.clips
def test_the_shared_clips(clips: Path) -> None:
    expected = {
        "hamilton_short.mp4": (640, 360, Fraction(30000, 1001), 10214, 275),
        "retalk_1.mp4": (700, 700, Fraction(30), 507, 135),
        "pyfeat_noface_face.mov": (960, 540, Fraction(30), 0, 169),
        "intel_car.mp4": (768, 432, Fraction(25, 2), 0, 377),
        "people/intel_asl_help.mkv": (640, 480, Fraction(30), 0, 58),
    }
    for name, facts in expected.items():
        info = probe_video(clips / name)
        with VideoReader(info) as reader:
            count = sum(1 for _ in reader.frames())
        assert (info.width, info.height, info.frame_rate, info.start_pts, count) == facts, name
    assert "web page" in refusal(clips / "broken/opencv_megamind.avi")
    assert "no video stream" in refusal(clips / "broken/friends_05_novideo.mp4")
