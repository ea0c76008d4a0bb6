"""Each warning about a finished result, and when there is none."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.sync import bare_analysis
from core.types import AudioInfo, FaceAnalysis, RenderResult, Timeline
from processors.faces.faceless_reasons import DARK, OVEREXPOSED, SMALL_FACES_MIN_FACE, SMALL_FACES_PX, TURNED
from processors.video.result_warnings import result_warnings
from tests.material.scripted_stages import ANALYSIS, CLIP, INFO, TIMELINE
from tests.material.small_videos import gray_ramp, make_video, run_ffmpeg


def test_warnings_say_what_is_wrong_and_nothing_else():
    fine = RenderResult((CLIP,), "libx264")
    assert result_warnings(ANALYSIS, TIMELINE, fine, max_upscale=3) == []
    damaged = dataclasses.replace(ANALYSIS, decode_failures=3)
    (warning,) = result_warnings(damaged, TIMELINE, fine, max_upscale=3)
    assert warning == "damaged parts of the video that were skipped: 3"
    repeated = RenderResult((dataclasses.replace(CLIP, repeated_frames=2),), "libx264")
    (warning,) = result_warnings(ANALYSIS, TIMELINE, repeated, max_upscale=3)
    assert "damaged frames" in warning and warning.endswith(": 2")
    silent = RenderResult((dataclasses.replace(CLIP, damaged_audio_packets=4),), "libx264")
    (warning,) = result_warnings(ANALYSIS, TIMELINE, silent, max_upscale=3)
    assert "audio" in warning and warning.endswith(": 4")
    for claimed_s, warns in ((0.9, False), (0.95, True), (0.0, False)):
        video = dataclasses.replace(INFO, duration_s=claimed_s, frame_count=round(25 * claimed_s))
        cut_off = dataclasses.replace(ANALYSIS, video=video)
        expected = ["the video ends 0.5 s before the length that the file claims"] if warns else []
        assert result_warnings(cut_off, TIMELINE, fine, max_upscale=3) == expected
        late = dataclasses.replace(cut_off, frame_pts=np.arange(10) + 25)
        assert result_warnings(late, TIMELINE, fine, max_upscale=3) == []
    for container, count in (("mov", 0), ("avi", 1)):
        video = dataclasses.replace(INFO, container=container, frame_count=50)
        found = result_warnings(dataclasses.replace(ANALYSIS, video=video), TIMELINE, fine, max_upscale=3)
        assert len(found) == count
    blurred = dataclasses.replace(fine, clips=(dataclasses.replace(CLIP, upscaled=4.5),))
    (warning,) = result_warnings(ANALYSIS, TIMELINE, blurred, max_upscale=3)
    assert warning.endswith("smaller than a clip: 1, up to 4.50 times")
    (warning,) = result_warnings(ANALYSIS, Timeline(TIMELINE.people, (7,)), fine, max_upscale=3)
    assert "tracklets" in warning and warning.endswith(": 1")
    mirrored = result_warnings(ANALYSIS, Timeline(TIMELINE.people, (7, 8)), fine, max_upscale=3, repeated=2)
    assert mirrored == ["tracklets of people who are seen twice at once, as in a mirror; clips show the other face: 2"]
    assert result_warnings(ANALYSIS, Timeline(()), RenderResult((), "libx264"), max_upscale=3) == [
        "no faces were found"
    ]
    nobody = result_warnings(ANALYSIS, Timeline(()), RenderResult((), "libx264"), max_upscale=3, edited=True)
    assert nobody == ["timeline.json has no people"]  # after `drop`, faces were found all the same


def test_nobody_long_enough_for_a_clip_names_the_setting_that_decides_it():
    nothing = RenderResult((), "libx264")
    (person,) = TIMELINE.people
    brief = dataclasses.replace(person, segments=())
    said = "nobody is visible long enough for a clip"
    for who, min_time, expected in (
        (person, 0, said),  # not among those whom --only names
        (person, 5, f"{said}: --min-time asks for 5 s in total"),
        (brief, 5, f"{said}: at most 0.40 s at a time; --min-clip sets the shortest"),
        (dataclasses.replace(brief, still=True), 0, said),  # --skip-still
    ):
        assert result_warnings(ANALYSIS, Timeline((who,)), nothing, max_upscale=3, min_time=min_time) == [expected]


@pytest.mark.parametrize(
    ("statistics", "said"),
    [
        ({TURNED: 180}, "is turned: --turn 180"),
        ({OVEREXPOSED: 1}, "overexposed"),
        ({DARK: 1}, "too dark"),
        ({SMALL_FACES_PX: 25, SMALL_FACES_MIN_FACE: 0.021}, "about 25 px high, .* --min-face 0.021 finds "),
        ({SMALL_FACES_PX: 14, SMALL_FACES_MIN_FACE: 0}, "about 14 px high, too small for every --min-face; cut out "),
    ],
)
def test_why_nobody_was_found_is_said_where_it_is_known(statistics, said):
    analysis, nothing = dataclasses.replace(ANALYSIS, statistics=statistics), RenderResult((), "libx264")
    (warning,) = result_warnings(analysis, Timeline(()), nothing, max_upscale=3)
    assert warning.startswith("no faces were found, but there are some ") and re.search(said, warning)
    assert result_warnings(analysis, TIMELINE, RenderResult((CLIP,), "libx264"), max_upscale=3) == []


def test_nobody_in_one_of_several_video_streams() -> None:
    """Of a second angle or a preview, a file may mark the wrong one as the default."""
    video = dataclasses.replace(ANALYSIS.video, video_number=1, video_streams=2)
    nobody = dataclasses.replace(TIMELINE, people=())
    (warning,) = result_warnings(
        dataclasses.replace(ANALYSIS, video=video), nobody, RenderResult((), "libx264"), max_upscale=3
    )
    assert warning == "no faces were found in video stream 1 of 2; --video-stream uses another one"


def test_an_image_that_was_turned_is_said_and_how_to_leave_it():
    turned = dataclasses.replace(ANALYSIS, video=INFO.turned(180), statistics={TURNED: 180})
    (warning,) = result_warnings(turned, TIMELINE, RenderResult((CLIP,), "libx264"), max_upscale=3)
    assert warning.startswith("the image was turned by 180 degrees clockwise because ") and "--turn 0" in warning
    # Whoever asks for a turn knows it, and may take it back.
    asked = dataclasses.replace(turned, statistics={})
    assert result_warnings(asked, TIMELINE, RenderResult((CLIP,), "libx264"), max_upscale=3) == []
    wrong = dataclasses.replace(turned, statistics={TURNED: 0})
    (warning,) = result_warnings(wrong, Timeline(()), RenderResult((), "libx264"), max_upscale=3)
    assert warning.endswith("--turn 0")


def test_audio_that_is_not_heard_is_said():
    def warnings(*tracks):
        analysis = dataclasses.replace(ANALYSIS, video=dataclasses.replace(INFO, audio=tracks))
        return result_warnings(analysis, TIMELINE, RenderResult((CLIP,), "libx264"), max_upscale=3)

    good = AudioInfo(2, "aac", 48000, 2, 0.0)
    undecodable = AudioInfo(1, "apac", 0, 0, 0.0, default=True, fault="cannot be decoded")
    missing = dataclasses.replace(undecodable, codec="mp2", fault="was not found")
    assert warnings() == warnings(good) == warnings(good, dataclasses.replace(undecodable, default=False)) == []
    assert warnings(undecodable) == ["the audio cannot be decoded (apac); the clips are silent"]
    assert warnings(missing, undecodable) == ["the audio cannot be decoded (apac); the clips are silent"]
    assert warnings(missing) == ["the file declares audio (mp2) that was not found; the clips are silent"]
    assert warnings(undecodable, good) == ["audio track 1 (apac) cannot be decoded; the clips use audio track 2 (aac)"]


def missing(analysis: FaceAnalysis) -> list[str]:
    found = result_warnings(analysis, TIMELINE, RenderResult((CLIP,), "libx264"), max_upscale=3)
    return [warning for warning in found if "length that the file claims" in warning]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_a_slow_video_ends_with_its_last_image(tmp_path: Path, name: str) -> None:
    analysis = bare_analysis(make_video(tmp_path / name, gray_ramp(8, 64, 48), rate="1/4"))
    assert analysis.video.duration_s == pytest.approx(32)
    assert missing(analysis) == []
    cut = dataclasses.replace(analysis, frame_pts=analysis.frame_pts[:-2])
    assert len(missing(cut)) == 1


def test_a_last_image_that_stays_is_not_missing(tmp_path: Path) -> None:
    """A screen recording without any motion at the end; MP4 states the number of frames."""
    options = ("-vf", "settb=1/1000,setpts='if(eq(N,9),9*40,N*40)/1000/TB'", "-fps_mode", "passthrough")
    path = make_video(tmp_path / "a.mp4", gray_ramp(10, 64, 48), *options)
    analysis = bare_analysis(path)
    stays = dataclasses.replace(analysis, video=dataclasses.replace(analysis.video, duration_s=9.0))
    assert missing(stays) == []
    assert len(missing(dataclasses.replace(stays, frame_pts=stays.frame_pts[:-1]))) == 1


@pytest.mark.parametrize(
    ("name", "audio"), [("a.mkv", "aac"), ("a.webm", "libopus"), ("a.flv", "aac"), ("a.mp4", "aac"), ("a.ts", "aac")]
)
def test_audio_that_goes_on_is_no_missing_image(tmp_path: Path, name: str, audio: str) -> None:
    images = ("-c:v", "libvpx") if name == "a.webm" else ("-c:v", "libx264")
    plain = make_video(tmp_path / f"plain{Path(name).suffix}", gray_ramp(25, 64, 48), *images)
    path = tmp_path / name
    tone = ("-f", "lavfi", "-i", "sine=duration=4")
    run_ffmpeg("-i", str(plain), *tone, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", audio, str(path))
    assert missing(bare_analysis(path)) == []


def test_a_leap_of_the_clock_is_no_missing_image(tmp_path: Path) -> None:
    """Two hours that the clock leapt over were missing, although every frame was there."""
    times = ("-vf", "settb=1/1000,setpts='N*40+gte(N,25)*7200000'")
    leap = (*times, "-fps_mode", "passthrough", "-enc_time_base", "1/1000")
    analysis = bare_analysis(make_video(tmp_path / "a.mkv", gray_ramp(25, 64, 48) * 2, *leap))
    assert analysis.video.duration_s > 7200 and analysis.frame_count == 50
    (shift,) = analysis.clock_shifts
    assert analysis.video.seconds(shift) == pytest.approx(-7200, abs=0.1)
    assert missing(analysis) == []
    assert len(missing(dataclasses.replace(analysis, clock_shifts=()))) == 1


@pytest.mark.parametrize("name", ["a.mkv", "a.flv", "a.wmv"])
def test_a_file_that_was_cut_off_with_its_audio_lacks_images(tmp_path: Path, name: str) -> None:
    path = make_video(tmp_path / f"plain{Path(name).suffix}", gray_ramp(25, 64, 48) * 4)
    whole = tmp_path / name
    tone = ("-f", "lavfi", "-i", "sine=duration=4")
    run_ffmpeg("-i", str(path), *tone, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", str(whole))
    assert missing(bare_analysis(whole)) == []
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert len(missing(bare_analysis(whole))) == 1


@pytest.mark.parametrize(("name", "codec"), [("a.gif", "gif"), ("a.ogv", "libtheora"), ("a.ts", "mpeg2video")])
def test_a_file_without_its_end_mark_is_said(tmp_path: Path, name: str, codec: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (25, 48, 64, 3), np.uint8)
    path = make_video(tmp_path / name, list(noise), "-c:v", codec, *(["-pix_fmt", "pal8"] * (codec == "gif")))
    fine = RenderResult((CLIP,), "libx264")
    assert result_warnings(bare_analysis(path), TIMELINE, fine, max_upscale=3) == []
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4 | 1])
    found = result_warnings(bare_analysis(path), TIMELINE, fine, max_upscale=3)
    assert any("was cut off" in warning for warning in found)


def test_audio_lost_with_the_end_of_the_index_is_said_beside_the_missing_frames(tmp_path: Path) -> None:
    frames, path = make_video(tmp_path / "frames.mp4", gray_ramp(25, 64, 48)), tmp_path / "a.mp4"
    run_ffmpeg("-i", str(frames), "-f", "lavfi", "-i", "sine=d=1", "-c:v", "copy", "-c:a", "aac", str(path))
    data = path.read_bytes()
    path.write_bytes(data[: (data.rindex(b"moov") + len(data)) // 2])
    analysis = bare_analysis(path)
    assert not analysis.video.audio
    for claimed_s in (analysis.video.duration_s, 9.0):
        video = dataclasses.replace(analysis.video, duration_s=claimed_s, frame_count=round(25 * claimed_s))
        claimed = dataclasses.replace(analysis, video=video)
        found = result_warnings(claimed, TIMELINE, RenderResult((CLIP,), "libx264"), max_upscale=3)
        assert found[-1] == "the file ends in the middle of its index: it was cut off; audio and frames may be missing"


def test_bars_are_said() -> None:
    barred = dataclasses.replace(ANALYSIS, statistics={"barred_pictures": 4})
    (warning,) = result_warnings(barred, TIMELINE, RenderResult((CLIP,), "libx264"), max_upscale=3)
    assert warning == "frames with another aspect ratio than the first, shown with black bars: 4"


def test_damaged_times_are_a_warning() -> None:
    reordered = dataclasses.replace(ANALYSIS, statistics={"repaired_times": 50, "reordered_times": 40})
    (warning,) = result_warnings(reordered, TIMELINE, RenderResult((CLIP,), "libx264"), max_upscale=3)
    assert warning == "frames whose times in the file are damaged, timed by decoding order: 40"
    # Missing times are usual in raw streams.
    missing = dataclasses.replace(ANALYSIS, statistics={"repaired_times": 50})
    assert result_warnings(missing, TIMELINE, RenderResult((CLIP,), "libx264"), max_upscale=3) == []


def test_frames_hidden_in_fragments_are_said(tmp_path: Path) -> None:
    fragments = ("-c:v", "libx264", "-g", "8", "-movflags", "frag_keyframe+empty_moov")
    whole = bare_analysis(make_video(tmp_path / "a.mp4", gray_ramp(25, 64, 48), *fragments))
    for count, said in ((25, False), (20, False), (17, True)):
        analysis = dataclasses.replace(whole, frame_pts=whole.frame_pts[:count], decode_failures=0)
        found = result_warnings(analysis, TIMELINE, RenderResult((CLIP,), "libx264"), max_upscale=3)
        assert any("times overlap" in warning for warning in found) == said, count


def test_another_video_in_the_same_file_is_said(tmp_path: Path) -> None:
    video = make_video(tmp_path / "film.mp4", gray_ramp(5, 64, 48))
    video.write_bytes(video.read_bytes() * 2)
    rendered = RenderResult((CLIP,), "libx264")
    assert result_warnings(bare_analysis(video), TIMELINE, rendered, max_upscale=3) == [
        "the file holds another video behind the first one (50 % of it), which is not used"
    ]


def test_encrypted_parts_are_said(tmp_path: Path) -> None:
    video = make_video(tmp_path / "film.ts", gray_ramp(25, 320, 240), "-c:v", "mpeg2video", "-g", "1")
    analysis = bare_analysis(video)
    data = bytearray(video.read_bytes())
    for begin in range(len(data) // 376 * 188, len(data), 188):
        data[begin + 3] |= 0xC0
    video.write_bytes(data)
    rendered = RenderResult((CLIP,), "libx264")
    (warning,) = result_warnings(analysis, TIMELINE, rendered, max_upscale=3)
    assert warning.startswith("encrypted parts of the video")


def test_clips_that_are_silent_because_the_audio_lies_beside_the_frames(tmp_path: Path) -> None:
    frames, path = make_video(tmp_path / "frames.mp4", gray_ramp(25, 64, 64)), tmp_path / "late.mkv"
    tone = ("-itsoffset", "5", "-f", "lavfi", "-i", "sine=duration=1")
    run_ffmpeg("-i", str(frames), *tone, "-c:v", "copy", "-c:a", "aac", str(path))
    analysis = bare_analysis(path)
    fine = RenderResult((CLIP,), "libx264")
    assert result_warnings(analysis, TIMELINE, fine, max_upscale=3) == [
        "all audio lies behind the last frame; the clips are silent"
    ]
    assert result_warnings(dataclasses.replace(analysis, origin_pts=0), TIMELINE, fine, max_upscale=3) == []
