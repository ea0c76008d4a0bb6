from __future__ import annotations

import json
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from core.errors import OutputError
from core.model_manager import ModelManager
from processors.known_people.face_evidence import FaceSet
from processors.known_people.person_matching import KnownPerson
from processors.known_people.photo_faces import find_faces
from processors.known_people.photo_reader import read_photo
from processors.known_people.photo_sorter import (
    SortedFace,
    SortedPhoto,
    carry_out,
    examine_photos,
    find_photos,
    photo_lines,
    plan_sorting,
)
from tests.processors.known_people.photos import collins, hopper, random_image, save

NOBODY = FaceSet(np.zeros((0, 0), np.float32), np.zeros(0, np.float32))


def face(person: str | None) -> SortedFace:
    return SortedFace(box=(0, 0, 9, 9), person=person, similarity=0.9)


def entry(file: str, *people: str | None, sharp: bool = True, error: str = "") -> SortedPhoto:
    faces = tuple(face(person) for person in people)
    return SortedPhoto(file=file, sharp=sharp, sharpness=0.9, faces=faces, error=error)


def test_who_is_on_which_photo(tmp_path: Path, models: ModelManager) -> None:
    reference = find_faces(read_photo(save(tmp_path / "reference.png", collins())), models)[0]
    known = [KnownPerson(3, "Eileen", reference.face_set, NOBODY)]
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    save(folder / "a.jpg", np.ascontiguousarray(collins()[:, ::-1]))
    save(folder / "b.jpg", hopper())
    save(folder / "more" / "c.png", np.asarray(cv2.GaussianBlur(collins(), (0, 0), 2.5), np.uint8))
    save(folder / "d.jpg", random_image())
    (folder / "e.jpg").write_text("no photo")
    (folder / "notes.txt").write_text("")
    paths = find_photos(folder)
    photos = [photo for photo, _ in examine_photos(paths, folder, models, known)]
    found = json.loads(msgspec.json.encode(photos))
    assert [entry["file"] for entry in found] == ["a.jpg", "b.jpg", "d.jpg", "e.jpg", "more/c.png"]
    assert [[f["person"] for f in entry["faces"]] for entry in found[:4]] == [["Eileen"], [None], [], []]
    # Blurred: SFace names it, dlib's network does not.
    assert found[4]["faces"][0]["similarity"] > found[1]["faces"][0]["similarity"]
    assert [entry["sharp"] for entry in found] == [True, True, False, None, False]
    assert set(found[0]) == {"file", "sharp", "sharpness", "faces"}
    assert set(found[0]["faces"][0]) == {"box", "person", "similarity"}
    assert "is text" in found[3]["error"]
    lines = list(photo_lines(photos))
    assert "Eileen" in lines[1] and lines[4].endswith(found[3]["error"])


def test_where_photos_go(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "Anna").mkdir(parents=True)
    (out / "Anna" / "x.jpg").write_text("there already")
    photos = [
        (entry("x.jpg", "Anna", "Berta"), Path("/in/x.jpg")),
        (entry("y/X.jpg", "Anna"), Path("/in/y/X.jpg")),
        (entry("b.jpg", "Anna", sharp=False), Path("/in/b.jpg")),
        (entry("c.jpg"), Path("/in/c.jpg")),
        (entry("d.jpg", None), Path("/in/d.jpg")),
        (entry("e.jpg", error="is text"), Path("/in/e.jpg")),
        (entry("f.jpg", "../../etc"), Path("/in/f.jpg")),
    ]
    plan = [p.target.relative_to(out).as_posix() for p in plan_sorting(photos, out, every_person=False)]
    assert plan == [
        "Anna/x (2).jpg", "Anna/X.jpg", "blurred/b.jpg", "nobody/c.jpg", "unknown people/d.jpg", "_.._etc/f.jpg",
    ]  # fmt: skip
    both = [p.target.relative_to(out).as_posix() for p in plan_sorting(photos[:1], out, every_person=True)]
    assert both == ["Anna/x (2).jpg", "Berta/x.jpg"]


@pytest.mark.parametrize("how", ["link", "move"])
def test_photos_are_moved_or_linked_and_never_changed(tmp_path: Path, how: str) -> None:
    (tmp_path / "in").mkdir()
    photos = []
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / "in" / name).write_text(name)
        photos.append((entry(name, "Anna"), tmp_path / "in" / name))
    done = list(carry_out(plan_sorting(photos, tmp_path / "out", every_person=False), how))  # type: ignore[arg-type]
    assert [p.target.read_text() for p in done] == ["a.jpg", "b.jpg"]
    assert len(list((tmp_path / "in").iterdir())) == (2 if how == "link" else 0)


def test_nothing_is_overwritten_however_it_got_there(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("photo")
    plan = plan_sorting([(entry("a.jpg", "Anna"), tmp_path / "a.jpg")], tmp_path / "out", every_person=False)
    plan[0].target.parent.mkdir(parents=True)
    plan[0].target.write_text("just now")
    with pytest.raises(OutputError, match="cannot move the photo"):
        list(carry_out(plan, "move"))
    assert (tmp_path / "a.jpg").read_text() == "photo" and plan[0].target.read_text() == "just now"


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is not a folder of photos"):
        find_photos(tmp_path / "none")
