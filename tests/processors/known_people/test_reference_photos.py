from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import OutputError
from core.model_manager import ModelManager
from processors.known_people.gallery import Gallery
from processors.known_people.gallery_types import EmbedderKey
from processors.known_people.photo_faces import find_faces
from processors.known_people.photo_reader import read_photo
from processors.known_people.reference_photos import list_photos, read_reference_photos
from tests.processors.known_people.photos import collins, hopper, random_image, save
from utils.images.rgb_images import decode_jpeg


def reduced(pixels: np.ndarray, scale: float) -> np.ndarray:
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def side_by_side(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    height = min(len(a), len(b))
    return np.hstack([a[:height], b[:height]])


def test_photos_name_people(tmp_path: Path, models: ModelManager) -> None:
    save(tmp_path / "Eileen.jpg", collins())
    (tmp_path / "Grace").mkdir()
    save(tmp_path / "Grace" / "1.png", hopper())
    save(tmp_path / "Grace" / "2.webp", np.ascontiguousarray(hopper()[:, ::-1]))
    found = read_reference_photos(tmp_path, models)
    assert [photo.name for photo in found.photos] == ["Eileen", "Grace", "Grace"]
    assert found.lines == ()
    eileen, grace, mirrored = (photo.face.vector for photo in found.photos)
    assert grace @ mirrored > 0.96 > 0.93 > eileen @ grace
    side = models.embedder.side
    crops = [decode_jpeg(crop) for crop in found.crops]
    assert all(crop is not None and crop.shape == (side, side, 3) for crop in crops)


def test_a_turned_photo_gives_the_same_face(tmp_path: Path, models: ModelManager) -> None:
    save(tmp_path / "a.png", collins())
    save(tmp_path / "b.png", np.ascontiguousarray(np.rot90(collins())), orientation=6)
    faces = [find_faces(read_photo(tmp_path / name), models)[0] for name in ("a.png", "b.png")]
    assert np.array_equal(faces[0].box, faces[1].box)
    assert faces[0].vector @ faces[1].vector == pytest.approx(1.0, abs=1e-5)


def test_boxes_are_in_pixels_of_the_original(tmp_path: Path, models: ModelManager) -> None:
    save(tmp_path / "a.png", collins())
    large = cv2.resize(collins(), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    save(tmp_path / "b.png", np.asarray(large, np.uint8))
    small, big = (find_faces(read_photo(tmp_path / name), models)[0] for name in ("a.png", "b.png"))
    assert big.box / 4 == pytest.approx(small.box, abs=0.06 * small.height_px)


def test_every_file_that_is_not_used_is_reported(tmp_path: Path, models: ModelManager) -> None:
    save(tmp_path / "Both.jpg", side_by_side(collins(), hopper()))
    save(tmp_path / "Blurred.jpg", np.asarray(cv2.GaussianBlur(collins(), (0, 0), 6), np.uint8))
    save(tmp_path / "Tiny.png", reduced(collins(), 40 / find_height(collins(), models, tmp_path)))
    save(tmp_path / "Landscape.jpg", random_image())
    (tmp_path / "Cut.jpg").write_bytes((tmp_path / "Both.jpg").read_bytes()[:3000])
    (tmp_path / "Film.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(100))
    (tmp_path / "Film.jpg").write_bytes(b"\0\0\0\x20ftypisom" + bytes(100))
    (tmp_path / "list.txt").write_text("Anna")
    (tmp_path / ".hidden.jpg").write_text("")
    (tmp_path / "person_02.jpg").write_bytes(b"")
    found = read_reference_photos(tmp_path, models)
    assert found.photos == ()
    said = {line.path.name: str(line) for line in found.lines}
    expected = {
        "Both.jpg": "it shows 2 faces (cut it to the face of Both)",
        "Landscape.jpg": "no face was found",
        "Cut.jpg": "is damaged or cut off",
        "Tiny.png": "px high, less than 60 (take a larger photo)",
        "Film.mp4": "is not a photo",
        "Film.jpg": "is a video, not a photo",
        "list.txt": "is not a photo",
        "person_02.jpg": "is what the program calls people without a name (rename it",
    }
    assert set(said) == {*expected, "Blurred.jpg"}
    for name, text in expected.items():
        assert text in said[name]
    assert "blurred" in said["Blurred.jpg"] or "no face" in said["Blurred.jpg"]
    assert all("left out" in text and "(" in text and "\n" not in text for text in said.values())


def find_height(pixels: np.ndarray, models: ModelManager, folder: Path) -> float:
    path = save(folder / ".measure.png", pixels)
    return find_faces(read_photo(path), models)[0].height_px


def test_one_large_face_among_small_ones_is_taken(tmp_path: Path, models: ModelManager) -> None:
    large, small = collins(), reduced(hopper(), 0.2)
    canvas = np.full((len(large), large.shape[1] + small.shape[1], 3), 90, np.uint8)
    canvas[:, : large.shape[1]] = large
    canvas[: len(small), large.shape[1] :] = small
    save(tmp_path / "Eileen.png", canvas)
    found = read_reference_photos(tmp_path, models)
    assert [photo.name for photo in found.photos] == ["Eileen"]
    assert [str(line) for line in found.lines] == ["Eileen.png: used: the largest of 2 faces was taken"]


def test_a_photo_of_somebody_else_is_reported(tmp_path: Path, models: ModelManager) -> None:
    (tmp_path / "Grace").mkdir()
    save(tmp_path / "Grace" / "1.png", hopper())
    save(tmp_path / "Grace" / "2.png", np.ascontiguousarray(hopper()[:, ::-1]))
    save(tmp_path / "Grace" / "3.png", collins())
    found = read_reference_photos(tmp_path, models)
    assert len(found.photos) == 2
    assert [line.path.name for line in found.lines] == ["3.png"]
    assert "does not look like 1.png" in str(found.lines[0])


def test_one_person_with_two_names_is_reported(tmp_path: Path, models: ModelManager) -> None:
    save(tmp_path / "Grace.png", hopper())
    save(tmp_path / "Admiral.png", np.ascontiguousarray(hopper()[:, ::-1]))
    save(tmp_path / "Joan.png", collins())
    found = read_reference_photos(tmp_path, models)
    assert [photo.name for photo in found.photos] == ["Admiral", "Grace", "Joan"]
    assert [str(line) for line in found.lines] == [
        "Grace.png: used: shows the same person as Admiral.png"
        " (give both photos one name; with two, nobody is named by them)"
    ]


def test_names_of_every_kind(tmp_path: Path) -> None:
    for name in (
        "anna.jpg",
        "Anna.png",
        "👩\u200d🚀.jpg",
        "x" * 251 + ".jpg",
        "a\nb.jpg",
        "A\u0308nne.webp",
        "unknown.jpg",
    ):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "ANNA").mkdir()
    (tmp_path / "ANNA" / "1.jpg").write_bytes(b"")
    files, lines = list_photos(tmp_path)
    names = [file.name for file in files]
    assert names.count("Anna") + names.count("ANNA") + names.count("anna") == 3 and len(set(names)) == 5
    assert {"👩\u200d🚀", "a b", "Änne", "x" * 251} < set(names)
    assert sum("count as one person" in str(line) for line in lines) == 2
    assert any("unknown" in str(line) for line in lines)


def test_a_photo_is_not_called_used_and_left_out(tmp_path: Path, models: ModelManager) -> None:
    save(tmp_path / "Joe.jpg", collins())
    (tmp_path / "joe.png").write_bytes(b"no photo")
    lines = read_reference_photos(tmp_path, models).lines
    assert [(line.path.name, line.use) for line in lines] == [("joe.png", "left out")]


def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be read"):
        list_photos(tmp_path / "none")


def test_into_the_gallery_and_out(tmp_path: Path, models: ModelManager) -> None:
    folder = tmp_path / "people"
    folder.mkdir()
    save(folder / "Eileen.jpg", collins())
    save(folder / "Grace.jpg", hopper())
    photos = read_reference_photos(folder, models).photos
    with Gallery(tmp_path / "gallery.sqlite") as gallery:
        key = EmbedderKey(models.embedder.name, "0" * 64)
        assert gallery.keep_photos(photos, photos[0].place, key)
        assert [person.name for person in gallery.people()] == ["Eileen", "Grace"]
        assert gallery.forget("Grace").places == (str(folder.resolve()),)
