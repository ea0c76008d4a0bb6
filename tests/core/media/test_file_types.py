"""Every extension that is picked up from a folder: a file of that kind is read image by image."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import pytest

from config import VIDEO_EXTENSIONS
from core.errors import InvalidVideoError
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from tests.material.small_videos import gray_ramp, make_video, number_in_ramp

MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2", "-bf", "0")
MPEG1 = ("-c:v", "mpeg1video", "-q:v", "2", "-bf", "0")
MPEG4 = ("-c:v", "mpeg4", "-q:v", "2")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "4")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:qp=4", "-f", "hevc")
MJPEG = ("-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-crf", "4", "-b:v", "0")
WMV = ("-c:v", "wmv2", "-q:v", "2", "-f", "asf")
THEORA = ("-c:v", "libtheora", "-q:v", "10", "-f", "ogg")
PAL = ("-s", "720x576", "-aspect", "4:3")

# fmt: off
KINDS = {
    **dict.fromkeys(("mp4", "m4v", "mp4v", "mpeg4", "insv", "lrv", "lrf", "osv", "360"), (*H264, "-f", "mp4")),
    "ismv": (*H264, "-f", "ismv"),
    **dict.fromkeys(("mov", "qt", "mqv", "hdmov"), (*MJPEG, "-f", "mov")),
    "f4v": (*H264, "-f", "f4v"),
    "mj2": ("-c:v", "jpeg2000", "-q:v", "2", "-f", "mp4"),
    **dict.fromkeys(("3gp", "3gpp", "3gpp2", "3gp2", "3g2", "k3g"), (*H264, "-f", "3gp")),
    **dict.fromkeys(("mkv", "mk3d"), (*H264, "-f", "matroska")),
    "webm": (*VP9, "-f", "webm"),
    **dict.fromkeys(("avi", "divx", "xvid"), (*MPEG4, "-f", "avi")),
    **dict.fromkeys(("ts", "m2t", "mpegts", "trp", "tp", "tod"), (*H264, "-f", "mpegts")),
    **dict.fromkeys(("m2ts", "mts", "ssif"), (*H264, "-f", "mpegts", "-mpegts_m2ts_mode", "1")),
    **dict.fromkeys(("mpg", "mpeg", "mpe", "mpg2"), (*MPEG1, "-f", "mpeg")),
    **dict.fromkeys(("vob", "evo", "vro", "mod", "dat", "m2p"), (*MPEG2, "-f", "vob")),
    "flv": ("-c:v", "flv1", "-q:v", "2"),
    **dict.fromkeys(("wmv", "wm", "asf", "dvr-ms"), WMV),
    "wtv": (*MPEG2, "-f", "wtv"),
    **dict.fromkeys(("ogv", "ogm", "ogx"), THEORA),
    "mxf": MPEG2,
    **dict.fromkeys(("rm", "rmvb"), ("-c:v", "rv10", "-q:v", "2", "-s", "176x144", "-f", "rm")),
    "nut": MPEG4,
    "y4m": ("-c:v", "rawvideo"),
    "gif": ("-c:v", "gif", "-pix_fmt", "gray"),
    "apng": ("-c:v", "apng", "-pix_fmt", "rgba", "-plays", "0"),
    **dict.fromkeys(("dv", "dif"), ("-c:v", "dvvideo", *PAL, "-f", "dv")),
    "m1v": (*MPEG1, "-f", "mpeg1video"),
    **dict.fromkeys(("m2v", "mp2v", "mpv2", "mpv"), (*MPEG2, "-f", "mpeg2video")),
    **dict.fromkeys(("mjpg", "mjpeg"), (*MJPEG, "-f", "mjpeg")),
    **dict.fromkeys(("h264", "264", "avc"), (*H264, "-f", "h264")),
    **dict.fromkeys(("h265", "265", "hevc"), HEVC),
    "ivf": VP9,
    "obu": ("-c:v", "libaom-av1", "-cpu-used", "8", "-crf", "4", "-f", "obu"),
}
# fmt: on
"""encoder and container by extension; "dav" is made by `write_dav`"""


def write_dav(path: Path, h264: Path) -> None:
    """Put the images of a raw stream, one every 40 ms, into the container of Dahua's recorders."""
    with av.open(str(h264), format="h264") as container, path.open("wb") as file:
        stream = container.streams.video[0]
        packets = [bytes(packet) for packet in container.demux(stream) if packet.size]
        for number, data in enumerate(packets):
            extra = bytes([0x81, 0, 4, 25])
            if number == 0:
                extra = bytes([0x80, 0, stream.width // 8, stream.height // 8]) + extra
            length = 24 + len(extra) + len(data) + 8
            date = 26 << 26 | 1 << 22 | 1 << 17
            head = b"DHAV" + bytes([0xFC if number else 0xFD, 0, 0, 0]) + struct.pack("<III", number, length, date)
            file.write(head + struct.pack("<HBB", 40 * number, len(extra), 0) + extra + data)
            file.write(b"dhav" + struct.pack("<I", length))


def test_every_extension_is_tried() -> None:
    assert {*KINDS, "dav"} == VIDEO_EXTENSIONS


@pytest.mark.parametrize("extension", sorted(VIDEO_EXTENSIONS))
def test_frames_of_every_kind_of_file(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"A.{extension.upper()}"
    if extension == "dav":
        write_dav(path, make_video(tmp_path / "a.h264", gray_ramp(20, 160, 96), *H264))
    else:
        make_video(path, gray_ramp(20, 160, 96), *KINDS[extension])
    info = probe_video(path)
    with VideoReader(info) as reader:
        frames = list(reader.frames())
        lumas = [frame.planes()[0] for frame in frames]
    full_range = info.color.range == "pc"
    numbers = [round((float(y.mean()) - 20) / 8) if full_range else number_in_ramp(y) for y in lumas]
    assert reader.decode_failures == 0
    assert numbers == list(range(20))
    assert info.frame_rate == 25
    if extension == "m1v":
        return  # libav makes up the times of a raw MPEG-1 stream, and doubles one interval near its beginning
    times = [float((frame.pts - frames[0].pts) * info.time_base) for frame in frames]
    assert times == pytest.approx([n / 25 for n in range(20)], abs=0.011)


@pytest.mark.parametrize("extension", ["h264", "hevc", "m2v"])
def test_a_raw_stream_keeps_the_rate_of_its_header(extension: str, tmp_path: Path) -> None:
    path = make_video(tmp_path / f"a.{extension}", gray_ramp(20, 160, 96), *KINDS[extension], rate="30000/1001")
    info = probe_video(path)
    assert info.frame_rate == Fraction(30000, 1001)
    with VideoReader(info) as reader:
        pts = [frame.pts for frame in reader.frames()]
    assert float((pts[-1] - pts[0]) * info.time_base) == pytest.approx(19 * 1001 / 30000, abs=0.001)


def test_a_raw_stream_without_a_rate_has_25(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.obu", gray_ramp(6, 160, 96), *KINDS["obu"], rate="30")
    assert probe_video(path).frame_rate == 25


@pytest.mark.parametrize("name", ["a.jpg", "a.jpeg", "a.png"])
def test_a_photograph_is_not_a_video(name: str, tmp_path: Path) -> None:
    make_video(tmp_path / name, gray_ramp(1, 160, 96), "-c:v", "png" if name.endswith("png") else "mjpeg")
    with pytest.raises(InvalidVideoError):
        probe_video(tmp_path / name)


def test_another_container_under_the_name_of_a_jpeg_stream(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", gray_ramp(6, 160, 96))
    assert probe_video((tmp_path / "a.mp4").rename(tmp_path / "a.mjpg")).container == "mov"


@pytest.mark.parametrize("extension", ["h264", "hevc", "obu", "ivf", "mjpg", "m2v", "dav", "rm", "nut", "dv", "wtv"])
def test_text_under_a_videos_name(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{extension}"
    path.write_text("no video at all\n" * 200)
    with pytest.raises(InvalidVideoError):
        probe_video(path)
