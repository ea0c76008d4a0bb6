"""face.jpg, contact.jpg and the small images of the report."""

from __future__ import annotations

import weakref

import av
import cv2
import numpy as np
import pytest

from core.media.thumbnails import FIRST_AFTER_S, Thumbnail, evenly_spaced, read_thumbnails
from core.types import ByteArray, Clip, FaceAnalysis, Identity, Timeline, Tracklet, TrackletDivision
from processors.clips.clip_thumbnails import MAX_TILES, TILE_HEIGHT_PX, ClipThumbnails
from processors.video.contact_sheet import contact_sheet
from processors.video.result_images import ranked_faces, write_images
from tests.material import factories
from tests.material.flash_beep import write_video
from utils.images.rgb_images import decode_jpeg, encode_jpeg, fit_within, rgb_to_planes
from utils.images.text_drawing import draw_text, text_mask


def picture(level: int, height: int = 400, width: int = 300) -> bytes:
    return encode_jpeg(np.full((height, width, 3), level, np.uint8), 90)


def tracklet(number: int, quality: float, jpeg: bytes) -> Tracklet:
    return factories.tracklet(number, embeddings=[[1]], sample_quality=quality, face_jpeg=jpeg)


def decoded(jpeg: bytes) -> ByteArray:
    image = decode_jpeg(jpeg)
    assert image is not None
    return image


@pytest.fixture
def analysis() -> FaceAnalysis:
    tracks = (
        tracklet(0, 0.4, picture(40)), tracklet(1, 0.9, picture(200)), tracklet(2, 0.95, b""),
        tracklet(3, 0.5, picture(90)), tracklet(4, 0.5, b"broken"),
    )  # fmt: skip
    return factories.face_analysis(tracks)


TRACKS = {"a": (0, 1, 2), "b": (3,), "c": (), "d": (4,)}
TIMELINE = Timeline(tuple(Identity(name, tracks, ()) for name, tracks in TRACKS.items()))


def clip(person: str, number: int, start_s: float = 0.0) -> Clip:
    return Clip(person, f"{person}/{number}.mp4", 0, 0, 50, start_s, start_s + 2, 50, 160, 120, False, 1.0)


def of(folder, clips) -> ClipThumbnails:
    return ClipThumbnails(folder, [one.person for one in clips])


def test_the_best_tracks_face_comes_first(analysis):
    faces = ranked_faces(analysis, TIMELINE)
    assert faces == {"a": [picture(200), picture(40)], "b": [picture(90)], "c": [], "d": [b"broken"]}


def test_pictures_of_those_who_have_a_clip(tmp_path, analysis):
    clips = [clip("a", 1, 10.0), clip("c", 1)]
    for one in clips:
        (tmp_path / one.file).parent.mkdir()
        write_video(tmp_path / one.file, [i / 25 for i in range(50)], audio=None)
    files, shown = write_images(tmp_path, analysis, TIMELINE, clips, of(tmp_path, clips))
    assert files == ["a/face.jpg", "a/contact.jpg", "c/contact.jpg"]
    assert (tmp_path / "a/face.jpg").read_bytes() == picture(200)
    assert decoded((tmp_path / "a/contact.jpg").read_bytes()).shape[0] > TILE_HEIGHT_PX
    tracklets = {name: [face.tracklet for face in faces] for name, faces in shown.faces.items()}
    assert tracklets == {"a": [1, 0], "b": [3], "c": [], "d": []}
    assert set(shown.posters) == {one.file for one in clips}
    sides = [max(decoded(face.jpeg).shape) for face in shown.faces["a"]]
    assert sides[0] <= 232 and sides[1] <= 96
    assert not (tmp_path / "b").exists()


def test_a_person_of_a_divided_tracklet_has_a_face_from_the_clip(tmp_path):
    tracks = (tracklet(0, 0.4, b""), tracklet(1, 0.4, b""), tracklet(2, 0.4, picture(40)), tracklet(3, 0.4, b""))
    people = tuple(Identity(name, own, ()) for name, own in {"a": (0,), "b": (1,), "c": (3,)}.items())
    timeline = Timeline(people, unknown=(2,), divisions=(TrackletDivision(0, 5, 1),))
    clips = [clip("a", 1), clip("b", 1), clip("c", 1)]
    for one in clips:
        (tmp_path / one.file).parent.mkdir()
        write_video(tmp_path / one.file, [i / 25 for i in range(50)], audio=None)
    files, shown = write_images(tmp_path, factories.face_analysis(tracks), timeline, clips, of(tmp_path, clips))
    assert [file for file in files if "face" in file] == ["a/face.jpg", "b/face.jpg"]
    assert decoded((tmp_path / "b/face.jpg").read_bytes()).shape[:2] == (TILE_HEIGHT_PX, 320)
    assert [face.tracklet for face in shown.faces["b"]] == [1]
    # Unknown tracklets have small pictures in the report.
    assert max(decoded(shown.unknown[2]).shape) == 96


def test_a_clip_that_cannot_be_read_has_no_picture(tmp_path, analysis):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/1.mp4").write_bytes(b"no film")
    files, shown = write_images(tmp_path, analysis, TIMELINE, [clip("a", 1)], of(tmp_path, [clip("a", 1)]))
    assert files == ["a/face.jpg"] and shown.posters == {}


def film(path, seconds: float, limit: int = 9) -> list[float]:
    """Times of the thumbnails of a clip of this length whose key frames are ten seconds apart."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=25, options={"g": "250", "sc_threshold": "0", "preset": "veryfast"}
        )
        stream.width, stream.height, stream.pix_fmt = 80, 60, "yuv420p"
        for number in range(round(seconds * 25)):
            level = np.full((90, 80), 40 + number % 180, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(level, "yuv420p")))
        container.mux(stream.encode())
    shots = read_thumbnails(path, 60, limit)
    # Each image is the frame at its time.
    for shot in shots:
        wanted = cv2.cvtColor(np.full((90, 80), 40 + round(shot.time_s * 25) % 180, np.uint8), cv2.COLOR_YUV2RGB_I420)
        assert abs(int(shot.pixels[30, 40, 0]) - int(wanted[30, 40, 0])) < 8
        assert shot.pixels.shape == (60, 80, 3)
    return [shot.time_s for shot in shots]


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        (0.08, [0.04]),
        (1.0, [0.4]),
        (3.0, [0.4, 1.5, 2.6]),
        (12.0, [0.4, 6.0, 11.6]),
        (30.0, [0.4, 10.0, 20.0, 29.6]),
    ],
)
def test_pictures_of_start_middle_and_end_at_key_frames_where_those_are_near(tmp_path, seconds, wanted):
    # B-frames are skipped.
    assert film(tmp_path / "clip.mp4", seconds) == pytest.approx(wanted, abs=0.17)


def test_no_more_pictures_than_wanted_and_none_of_what_is_not_a_film(tmp_path):
    assert film(tmp_path / "clip.mp4", 30.0, 2) == pytest.approx([FIRST_AFTER_S, 29.6], abs=0.17)
    assert read_thumbnails(tmp_path / "nothing.mp4", 60, 9) == ()


def test_of_very_many_clips_only_those_on_the_sheet_are_kept_as_pixels(tmp_path, analysis, monkeypatch):
    """In an hour a person may have a thousand clips."""
    read: list[weakref.ref[ByteArray]] = []
    kept = []

    def read_thumbnail(path, height, limit):
        pixels = np.full((height, height, 3), 99, np.uint8)
        read.append(weakref.ref(pixels))
        kept.append(sum(one() is not None for one in list(read)))
        return (Thumbnail(0.4, pixels),)

    monkeypatch.setattr("processors.clips.clip_thumbnails.read_thumbnails", read_thumbnail)
    (tmp_path / "a").mkdir()
    clips = [clip("a", n, 3.0 * n) for n in range(400)]
    _, shown = write_images(tmp_path, analysis, TIMELINE, clips, ClipThumbnails(tmp_path, ["a"] * 400, threads=1))
    assert len(shown.posters) == 400
    assert 50 < max(kept) <= MAX_TILES + 4  # the sheet's, one in use, and those read ahead


def test_a_contact_sheet_has_all_tiles_in_time_order():
    def tile(level: int) -> Thumbnail:
        return Thumbnail(1.0, np.full((TILE_HEIGHT_PX, TILE_HEIGHT_PX, 3), level, np.uint8))

    clips = [clip("a", n, 10.0 * n) for n in (1, 2, 3)]
    found = {clips[0].file: [tile(200)], clips[1].file: [tile(120)]}
    sheet = decoded(contact_sheet(clips, found))
    middles = sheet[TILE_HEIGHT_PX // 2, :, 0].astype(int)
    assert sheet.shape[:2] == (TILE_HEIGHT_PX + 16, 2 * (TILE_HEIGHT_PX + 8) + 8)
    assert abs(middles[100] - 200) < 6 and abs(middles[350] - 120) < 6
    # The time is in the lower left corner.
    assert sheet[-20:-10, 12:60].max() > 180 and sheet[-20:-10, 12:60].min() < 60
    assert contact_sheet(clips, {}) == b"" == contact_sheet([], found)
    many = [clip("a", n) for n in range(500)]
    large = decoded(contact_sheet(many, {one.file: [tile(9)] for one in many}))
    assert large.shape[1] <= 1600 and large.shape[0] <= 11 * (TILE_HEIGHT_PX + 8) + 8


def test_a_few_items_are_chosen_evenly():
    assert evenly_spaced(3, 5) == (0, 1, 2)
    assert evenly_spaced(10, 5) == (0, 2, 4, 6, 8)
    assert evenly_spaced(0, 5) == ()


def test_images_shrink_and_never_grow():
    assert fit_within(np.zeros((100, 50, 3), np.uint8), 20).shape == (20, 10, 3)
    assert fit_within(np.zeros((10, 5, 3), np.uint8), 20).shape == (10, 5, 3)
    assert fit_within(np.zeros((1000, 1, 3), np.uint8), 20).shape == (20, 1, 3)
    assert decode_jpeg(b"") is None and decode_jpeg(b"text") is None


def test_planes_have_the_colours_of_bt601():
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:] = (255, 0, 0)
    y, u, v = rgb_to_planes(pixels)
    assert (y.shape, u.shape, v.shape) == ((4, 6), (2, 3), (2, 3))
    assert all(plane.flags.c_contiguous for plane in (y, u, v))
    assert np.allclose([y[0, 0], u[0, 0], v[0, 0]], [81, 90, 240], atol=1)


def test_letters_cover_what_they_should():
    mask = text_mask("Ha", 40)
    assert mask.shape[0] == 50 and mask.max() == 255 and mask[:5].max() == 0
    assert text_mask("Ha Ha", 40).shape[1] > 2 * mask.shape[1]
    canvas = np.zeros((60, 200, 3), np.uint8)
    draw_text(canvas, "Ha", 5, 5, 40, (10, 200, 30))
    assert tuple(canvas.reshape(-1, 3).max(0)) == (10, 200, 30)
    for x, y in ((-20, -20), (190, 50), (500, 5), (5, -500)):
        draw_text(canvas, "Ha", x, y, 40, (255, 255, 255))
