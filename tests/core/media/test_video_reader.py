import dataclasses
import gc
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest

from core.errors import DecodeError
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader, is_indexed
from tests.material.small_videos import (
    assert_upright,
    corner_colours,
    gray_ramp,
    make_video,
    number_in_ramp,
    quadrants,
    run_ffmpeg,
)

SIX = [quadrants(160, 96)] * 6
KEYED = ("-c:v", "libx264", "-qp", "4", "-g", "8", "-bf", "2", "-preset", "veryfast")


def read(path: Path) -> tuple[list[int], list[int], VideoReader]:
    """pts of every frame, its number in the gray ramp, and the reader."""
    with VideoReader(probe_video(path)) as reader:
        frames = [(f.pts, number_in_ramp(f.planes()[0])) for f in reader.frames()]
    return [p for p, _ in frames], [n for _, n in frames], reader


def first_rgb(path: Path) -> np.ndarray:
    info = probe_video(path)
    with VideoReader(info) as reader:
        frame = next(reader.frames())
        assert (frame.width, frame.height) == (info.width, info.height)
        return frame.rgb(info.width, info.height)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.flv", "a.avi", "a.mpg"])
def test_every_frame_once_in_order(tmp_path: Path, name: str) -> None:
    codec = ("-c:v", "mpeg2video", "-q:v", "2", "-bf", "2") if name == "a.mpg" else KEYED
    pts, numbers, reader = read(make_video(tmp_path / name, gray_ramp(20, 64, 48), *codec))
    assert numbers == list(range(20))
    steps = np.diff(pts)
    assert steps.min() > 0
    assert steps.max() - steps.min() <= 1
    assert (reader.decode_failures, reader.truncated) == (0, False)


def test_frames_are_numbered_and_know_their_size(tmp_path: Path) -> None:
    with VideoReader(probe_video(make_video(tmp_path / "a.mp4", SIX))) as reader:
        assert [f.index for f in reader.frames()] == list(range(6))
        assert [f.pts for f in reader.frames()] == [512 * k for k in range(6)]  # and again, from the beginning


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
def test_ranges_are_exact_in_any_order(tmp_path: Path, name: str) -> None:
    path = make_video(tmp_path / name, gray_ramp(28, 64, 48), *KEYED, rate="2")  # 14 s, so that seeking pays
    pts, _, _ = read(path)
    with VideoReader(probe_video(path)) as reader:
        for start, end in [(20, 26), (3, 5), (5, 9), (9, 9), (27, 28), (8, 10), (0, 2), (25, 28), (15, 16)]:
            end_pts = pts[end] if end < len(pts) else None
            frames = list(reader.frames(pts[start], end_pts))
            assert [f.pts for f in frames] == pts[start:end]
            assert [number_in_ramp(f.planes()[0]) for f in frames] == list(range(start, end))
            assert [f.index for f in frames] == list(range(end - start))


def test_a_range_left_early_does_not_disturb_the_next(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", gray_ramp(20, 64, 48), *KEYED)
    with VideoReader(probe_video(path)) as reader:
        for frame in reader.frames(512 * 4):
            if frame.index == 2:
                break
        assert [f.pts // 512 for f in reader.frames(512 * 7, 512 * 9)] == [7, 8]
        assert [f.pts // 512 for f in reader.frames(512 * 5, 512 * 8)] == [5, 6, 7]


def test_a_seek_that_lands_too_late_falls_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video(tmp_path / "a.mp4", gray_ramp(20, 64, 48), *KEYED, rate="2")
    pts, _, _ = read(path)
    seek = VideoReader._seek
    tried = []

    def late(self: VideoReader, start_pts: int) -> bool:
        tried.append(start_pts)
        return seek(self, start_pts) and False

    monkeypatch.setattr(VideoReader, "_seek", late)
    with VideoReader(probe_video(path)) as reader:
        frames = list(reader.frames(pts[17], pts[19]))
    assert tried == [pts[17]]
    assert [number_in_ramp(f.planes()[0]) for f in frames] == [17, 18]


@pytest.mark.parametrize(
    "options",
    [
        ("-display_rotation", "90"),
        ("-display_rotation", "180"),
        ("-display_rotation", "270"),
        ("-display_hflip",),
        ("-display_vflip",),
        ("-display_rotation", "90", "-display_hflip"),
        ("-display_rotation", "270", "-display_vflip"),
    ],
)
def test_frames_come_as_a_player_shows_them(tmp_path: Path, options: tuple[str, ...]) -> None:
    plain, turned = make_video(tmp_path / "p.mp4", SIX), tmp_path / "t.mov"
    run_ffmpeg(*options, "-i", str(plain), "-c", "copy", str(turned))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(turned)]
    shown = subprocess.run([*command, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
                           capture_output=True, check=True).stdout  # fmt: skip
    found = first_rgb(turned)
    expected = np.frombuffer(shown, np.uint8).reshape(found.shape)
    assert corner_colours(expected) != corner_colours(quadrants(160, 96))
    for corner, colour in corner_colours(expected).items():
        assert np.abs(np.subtract(corner_colours(found)[corner], colour)).max() <= 12


@pytest.mark.parametrize("options", [(), ("-display_rotation", "270"), ("-display_rotation", "90", "-display_hflip")])
@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_video_is_what_players_show_turned_clockwise(
    tmp_path: Path, options: tuple[str, ...], degrees: int
) -> None:
    plain, path = make_video(tmp_path / "p.mp4", SIX), tmp_path / "t.mov"
    run_ffmpeg(*options, "-i", str(plain), "-c", "copy", str(path))
    shown, info = first_rgb(path), probe_video(path).turned(degrees)
    with VideoReader(info) as reader:
        frame = next(reader.frames())
    assert (frame.width, frame.height) == (info.width, info.height)
    turned = np.rot90(shown, -degrees // 90)
    # Chroma is shared by neighbours.
    assert np.abs(frame.rgb(info.width, info.height).astype(int) - turned).mean() < 1


FULL_709 = ("-vf", "scale=out_range=pc:out_color_matrix=bt709", "-color_range", "pc", "-colorspace", "bt709")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", ("-pix_fmt", "yuv420p10le")),
        ("a.mp4", ("-pix_fmt", "yuv422p")),
        ("a.mp4", ("-pix_fmt", "yuv444p10le")),
        ("a.mp4", ("-pix_fmt", "yuvj444p")),
        ("a.mp4", (*FULL_709, "-pix_fmt", "yuv420p10le")),
        ("a.mp4", (*FULL_709, "-pix_fmt", "yuv420p")),
        ("a.mkv", ("-c:v", "ffv1", "-pix_fmt", "bgra")),
        ("a.avi", ("-c:v", "rawvideo", "-pix_fmt", "bgr24")),
        ("a.gif", ("-c:v", "gif", "-pix_fmt", "rgb8")),
        ("a.y4m", ("-c:v", "rawvideo",)),
        ("a.mp4", ("-vf", "setsar=4/3")),
        ("a.mp4", ("-vf", "setsar=3/4", "-pix_fmt", "yuv422p10le")),
        ("a.mp4", ("-flags", "+ildct+ilme", "-x264opts", "tff=1")),
    ],
)  # fmt: skip
def test_awkward_frames_become_ordinary_with_the_same_colours(
    tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    path = make_video(tmp_path / name, SIX, *options)
    assert_upright(first_rgb(path))
    assert len(read(path)[0]) == 6


def test_gray_sources(tmp_path: Path) -> None:
    path = make_video(tmp_path / "g.mkv", gray_ramp(6, 64, 48), "-c:v", "ffv1", "-pix_fmt", "gray")
    with VideoReader(probe_video(path)) as reader:
        values = [f.patch((0, 0, 64, 48))[0].mean() for f in reader.frames()]
    np.testing.assert_allclose(values, [20 + 8 * k for k in range(6)], atol=1.5)


def test_odd_sides_rotated(tmp_path: Path) -> None:
    plain = make_video(tmp_path / "o.mkv", [quadrants(853, 481)] * 2, "-c:v", "ffv1")
    turned = tmp_path / "t.mkv"
    run_ffmpeg("-display_rotation", "270", "-i", str(plain), "-c", "copy", str(turned))
    rgb = first_rgb(turned)
    assert rgb.shape == (853, 481, 3)
    np.testing.assert_allclose(rgb[200, 100], (0, 0, 255), atol=12)  # the lower left corner went up


def test_ordinary_frames_are_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("av.filter.Graph", None)
    assert read(make_video(tmp_path / "a.mp4", gray_ramp(3, 64, 48)))[1] == [0, 1, 2]


def test_interlaced_frames_lose_their_combs(tmp_path: Path) -> None:
    images = []
    for step in range(24):
        image = np.full((96, 160, 3), 40, np.uint8)
        image[:, 20 + 4 * step : 50 + 4 * step] = 220
        images.append(image)
    interlaced = ("-vf", "tinterlace=interleave_top,fieldorder=tff", "-flags", "+ildct+ilme", "-x264opts", "tff=1")
    path = make_video(tmp_path / "i.mp4", images, *interlaced, rate="50")
    combed = make_video(tmp_path / "p.mp4", images, "-vf", "tinterlace=interleave_top", rate="50")

    def combs(path: Path) -> float:
        with VideoReader(probe_video(path)) as reader:
            lumas = [f.planes()[0].astype(int) for f in reader.frames()]
        assert len(lumas) == 12
        return float(np.mean([np.abs(2 * y[1:-1] - y[:-2] - y[2:]).mean() for y in lumas]))

    assert combs(path) < 0.2 * combs(combed)


def test_a_new_resolution_in_mid_stream_is_scaled_to_the_first(tmp_path: Path) -> None:
    one = make_video(tmp_path / "1.ts", SIX)
    two = make_video(tmp_path / "2.ts", [quadrants(320, 192)] * 6, "-output_ts_offset", "0.24")
    path = tmp_path / "both.ts"
    path.write_bytes(one.read_bytes() + two.read_bytes())
    with VideoReader(probe_video(path)) as reader:
        frames = list(reader.frames())
    assert len(frames) == 12
    for frame in frames:
        assert (frame.width, frame.height) == (160, 96)
        assert_upright(frame.rgb(160, 96))


def joined(tmp_path: Path, *parts: tuple[np.ndarray, tuple[str, ...]]) -> Path:
    """An MPEG-TS of six frames like each of these images, encoded with these options."""
    data = []
    for number, (image, options) in enumerate(parts):
        offset = ("-output_ts_offset", str(0.24 * number))
        data.append(make_video(tmp_path / f"{number}.ts", [image] * 6, *options, *offset).read_bytes())
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(data))
    return path


def assert_between_bars(rgb: np.ndarray, left: int, right: int) -> None:
    """The four colours lie upright in columns [left, right), all else is black; four px on both sides may be mixed."""
    assert rgb[:, : max(left - 4, 0)].max(initial=0) <= 4
    assert rgb[:, right + 4 :].max(initial=0) <= 4
    assert rgb[:, left + 4 : right - 4].max(2).min() > 60
    assert_upright(rgb[:, left:right])


@pytest.mark.parametrize(
    ("container", "later", "options", "place"),
    [
        pytest.param("ts", quadrants(96, 160), (), (51, 109), id="higher"),
        pytest.param("mkv", quadrants(96, 160), (), (51, 109), id="higher in Matroska"),
        pytest.param("mp4", quadrants(128, 96), (), (16, 144), id="narrower in MP4"),
        # A remuxer would tell one pixel aspect for all.
        pytest.param("ts", quadrants(160, 96), ("-vf", "setsar=3/4"), (20, 140), id="pixel aspect"),
        pytest.param("ts", quadrants(240, 288), ("-vf", "setsar=2/1"), (0, 160), id="same shape of wide pixels"),
    ],
)
def test_another_shape_in_mid_stream_is_fitted_inside_the_first(
    tmp_path: Path, container: str, later: np.ndarray, options: tuple[str, ...], place: tuple[int, int]
) -> None:
    first = quadrants(160, 96)
    path = joined(tmp_path, (first, ()), (later, (*KEYED, *options)), (first, ()))
    if container != "ts":
        run_ffmpeg("-i", str(path), "-c", "copy", str(tmp_path / f"a.{container}"))
        path = tmp_path / f"a.{container}"
    with VideoReader(probe_video(path)) as reader:
        frames = list(reader.frames())
        assert reader.barred_frames == (0 if place == (0, 160) else 6)
    assert len(frames) == 18
    for frame in frames:
        bars = place if 6 <= frame.index < 12 else (0, 160)
        assert (frame.width, frame.height) == (160, 96)
        assert_between_bars(frame.rgb(160, 96), *bars)
        # Even columns inside of the place, which is rounded to whole ones here.
        placed = None if bars == (0, 160) else (place[0] // 2 * 2, 0, -(-place[1] // 2) * 2, 96)
        assert frame.placed == pytest.approx(placed, abs=2)


def test_bars_are_the_same_from_anywhere(tmp_path: Path) -> None:
    """What the pixel aspect was at first is known wherever reading begins."""
    wide, narrow = (quadrants(160, 96), ("-vf", "setsar=4/3")), (quadrants(160, 96), ("-vf", "setsar=1/1"))
    path = tmp_path / "a.mkv"
    run_ffmpeg("-i", str(joined(tmp_path, wide, narrow)), "-c", "copy", str(path))
    info = probe_video(path)
    assert (info.width, info.height) == (213, 96)
    with VideoReader(info) as reader:
        whole = [(frame.pts, frame.rgb(213, 96)) for frame in reader.frames()]
    for pts, rgb in whole:
        with VideoReader(info) as reader:
            assert np.array_equal(next(reader.frames(pts)).rgb(213, 96), rgb)
    assert_between_bars(whole[0][1], 0, 213)
    assert_between_bars(whole[-1][1], 26, 186)


@pytest.mark.parametrize("codec", [(), ("-c:v", "mpeg2video", "-bf", "2"), ("-bf", "0")])
def test_a_clock_that_starts_again_continues(tmp_path: Path, codec: tuple[str, ...]) -> None:
    part = make_video(tmp_path / "1.ts", gray_ramp(28, 64, 48), *codec)
    path = tmp_path / "twice.ts"
    path.write_bytes(part.read_bytes() * 2)
    pts, numbers, reader = read(path)
    assert numbers == [*range(28), *range(28)]
    assert set(np.diff(pts)) == {3600}
    assert reader.repaired_pts > 0 and reader.decode_failures == 0
    assert reader.clock_shifts == [28 * 3600]


@pytest.mark.parametrize("codec", [("png", "-pix_fmt", "rgb24"), ("mpeg4", "-qscale:v", "2")])
def test_damage_is_counted_and_the_rest_continues(tmp_path: Path, codec: tuple[str, ...]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (12, 96, 160, 3), np.uint8)
    path = make_video(tmp_path / "d.mkv", list(noise), "-c:v", *codec, "-g", "1")
    data = bytearray(path.read_bytes())
    middle = len(data) * 6 // 13
    data[middle : middle + 2000] = bytes(2000)
    path.write_bytes(data)
    pts, _, reader = read(path)
    assert len(pts) >= 10
    assert 1 <= reader.decode_failures <= 4
    assert not reader.truncated


def test_a_file_cut_short_ends_as_truncated(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (80, 48, 64, 3), np.uint8)
    path = make_video(tmp_path / "t.mp4", list(noise), "-movflags", "+faststart", "-g", "10")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with VideoReader(probe_video(path)) as reader:
        count = sum(1 for _ in reader.frames())
    assert 30 <= count <= 45
    assert reader.truncated
    assert reader.decode_failures == 0
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "coded", [("-c:v", "libx264", "-bf", "2"), ("-c:v", "mpeg2video", "-q:v", "4", "-bf", "2")], ids=["h264", "mpeg2"]
)
def test_a_recording_that_ends_in_mid_frame_is_not_damaged(tmp_path: Path, coded: tuple[str, ...]) -> None:
    """Broadcasts were reported to have one damaged part each."""
    noise = np.random.default_rng(1).integers(0, 256, (40, 96, 128, 3), np.uint8)
    whole = make_video(tmp_path / "a.ts", list(noise), *coded, "-g", "10").read_bytes()
    path = tmp_path / "cut.ts"
    path.write_bytes(whole[: len(whole) * 3 // 4])
    assert read(path)[2].decode_failures == 0
    hole = bytearray(whole)
    middle = len(whole) // 2 // 188 * 188
    del hole[middle : middle + 188 * 20]
    path.write_bytes(hole)
    assert read(path)[2].decode_failures >= 1


def test_a_file_that_has_changed_meanwhile(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", SIX)
    info = probe_video(path)
    path.write_text("#EXTM3U\n")
    with VideoReader(info) as reader, pytest.raises(DecodeError, match="cannot be opened"):
        next(reader.frames())
    path.unlink()
    run_ffmpeg("-f", "lavfi", "-i", "sine=d=0.2", str(path))
    with VideoReader(info) as reader, pytest.raises(DecodeError, match="cannot be opened"):
        next(reader.frames())


def test_not_one_frame(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", gray_ramp(12, 64, 48), "-c:v", "ffv1", "-g", "1", "-slicecrc", "1")
    info = probe_video(path)
    data = path.read_bytes()
    start = data.index(b"\x1f\x43\xb6\x75") + 30
    path.write_bytes(data[:start] + bytes(len(data) - start))
    with VideoReader(info) as reader, pytest.raises(DecodeError, match="none of its frames"):
        list(reader.frames())


def test_frames_outlive_the_reader(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", gray_ramp(8, 64, 48))
    with VideoReader(probe_video(path)) as reader:
        frames = list(reader.frames())
    assert [number_in_ramp(f.planes()[0]) for f in frames] == list(range(8))


def test_the_number_of_threads_changes_nothing(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", gray_ramp(20, 64, 48), *KEYED)
    info = probe_video(path)
    seen = []
    for threads in (1, 3):
        with VideoReader(info, threads=threads) as reader:
            seen.append([(f.pts, f.planes()[0].tobytes()) for f in reader.frames()])
    assert seen[0] == seen[1]


@pytest.mark.clips
def test_a_truncated_avi_decodes_as_far_as_it_goes(clips: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with VideoReader(probe_video(clips / "broken/paulromeo_output.avi")) as reader:
        assert [f.pts for f in reader.frames()] == list(range(195))
    assert reader.truncated
    assert reader.decode_failures == 0
    assert capfd.readouterr().err == ""


def with_times(tmp_path: Path, moved: dict[int, int], extension: str = "mkv") -> Path:
    """A film of 20 images, 40 ms apart; those numbered in `moved` are stored later by so many seconds."""
    part = make_video(tmp_path / "part.mkv", gray_ramp(20, 64, 48), "-c:v", "ffv1")
    path = tmp_path / f"moved.{extension}"
    with av.open(str(part)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(p for p in source.demux() if p.size):
            packet.stream = stream
            # 1 ms is what Matroska counts in
            packet.pts = packet.dts = 40 * number + 1000 * moved.get(number, 0)
            target.mux(packet)
    return path


def test_one_wrong_time_moves_no_other_frame(tmp_path: Path) -> None:
    part = with_times(tmp_path, {})
    data = bytearray(part.read_bytes())
    # Times are relative to the cluster's; of a block they follow the track's number, 0x81.
    (at,) = (at for at in range(len(data)) if data[at : at + 3] == b"\x81" + (400).to_bytes(2, "big"))
    data[at + 1 : at + 3] = (30_000).to_bytes(2, "big")
    part.write_bytes(data)
    pts, numbers, reader = read(part)
    assert pts == [40 * number for number in range(20)]
    assert numbers == list(range(20))
    assert reader.repaired_pts == 1


def test_a_leap_of_hours_is_a_new_clock_and_a_pause_is_a_pause(tmp_path: Path) -> None:
    for pause_s, kept in ((600, True), (360_000, False)):
        pts, _, reader = read(with_times(tmp_path, dict.fromkeys(range(10, 20), pause_s)))
        assert pts == [40 * n + (1000 * pause_s if kept and n >= 10 else 0) for n in range(20)]
        assert (reader.repaired_pts == 0) == kept
        assert reader.clock_shifts == ([] if kept else [-1000 * pause_s])


def without_tables(path: Path) -> bytes:
    """An MPEG-TS file without the packets that tell which streams there are."""
    data = path.read_bytes()
    packets = [data[at : at + 188] for at in range(0, len(data), 188)]
    return b"".join(p for p in packets if int.from_bytes(p[1:3], "big") & 0x1FFF in (0x100, 0x101))


@pytest.mark.slow
def test_a_stream_that_appears_in_mid_file(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.ts", gray_ramp(25, 64, 48), "-c:v", "mpeg2video", "-qscale:v", "2")
    run_ffmpeg(
        "-i", str(path), "-f", "lavfi", "-i", "sine=d=1", "-map", "0", "-map", "1", "-c:v", "copy", "-c:a", "mp2",
        "-output_ts_offset", "1", str(tmp_path / "b.ts"),
    )  # fmt: skip
    # libav looks some megabytes ahead for streams; without the tables it goes on looking.
    path.write_bytes(without_tables(path) * 200 + without_tables(tmp_path / "b.ts"))
    with VideoReader(probe_video(path)) as reader:
        assert sum(1 for _ in reader.frames()) == 201 * 25


def test_frames_are_free_as_soon_as_nobody_holds_them(tmp_path: Path) -> None:
    """Waiting for the garbage collector, 100 pile up: 300 MB at 1080p. One keeps all buffers of its decoder."""
    path = make_video(tmp_path / "plain.mp4", SIX * 10)

    def alive() -> int:
        return sum(type(thing) is av.VideoFrame for thing in gc.get_objects())

    gc.collect()
    before = alive()
    gc.disable()
    try:
        with VideoReader(probe_video(path), threads=1) as reader:
            for frame in reader.frames():
                assert frame.planes()
        del frame
        assert alive() == before
    finally:
        gc.enable()


def zeroed(name: bytes, data: bytes) -> bytes:
    """MP4 `data` with a time table whose values (the second number of each row) are all 0."""
    at = data.index(name) + 8
    content = bytearray(data)
    for row in range(int.from_bytes(data[at : at + 4], "big")):
        content[at + 8 + 8 * row : at + 12 + 8 * row] = bytes(4)
    return bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data.replace(b"ctts", b"free"), id="no ctts"),
        pytest.param(lambda data: zeroed(b"ctts", data), id="ctts 0"),
        pytest.param(lambda data: zeroed(b"stts", data), id="stts 0"),
    ],
)
def test_times_out_of_order_give_way_to_the_decoding_order(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    coded = ("-c:v", "libx264", "-bf", "3", "-x264opts", "b-adapt=0:b-pyramid=none", "-preset", "veryfast")
    path = make_video(tmp_path / "a.mp4", gray_ramp(20, 64, 48), *coded, "-use_editlist", "0")
    whole, _, reader = read(path)
    assert "reordered_times" not in reader.statistics
    path.write_bytes(damage(path.read_bytes()))
    pts, numbers, reader = read(path)
    assert numbers == list(range(20))
    assert 8 <= reader.statistics["reordered_times"] <= reader.statistics["repaired_times"]
    steps = np.diff(pts)
    # Half intervals until the clock has caught up.
    assert steps[7:].min() >= 256 and np.all(steps[14:] == 512)
    assert abs((pts[-1] - pts[0]) - (whole[-1] - whole[0])) <= 512


@pytest.mark.parametrize("b_frames", [2, 6])
def test_frames_timed_by_decoding_order_are_not_late_for_good(tmp_path: Path, b_frames: int) -> None:
    """The first frame out of order seems to come after a leap, which is none."""
    coded = ("-c:v", "libx264", "-bf", str(b_frames), "-x264opts", "b-adapt=0:b-pyramid=none", "-preset", "veryfast")
    path = make_video(tmp_path / "a.mp4", gray_ramp(28, 64, 48), *coded, "-use_editlist", "0")
    whole, _, _ = read(path)
    path.write_bytes(path.read_bytes().replace(b"ctts", b"free"))
    pts, _, reader = read(path)
    assert "reordered_times" in reader.statistics
    assert abs((pts[-1] - pts[0]) - (whole[-1] - whole[0])) <= 2


def test_repaired_times_are_read_from_the_beginning(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", gray_ramp(20, 64, 48), *KEYED)
    info = probe_video(path)
    assert is_indexed(info) and not is_indexed(dataclasses.replace(info, has_repaired_times=True))
