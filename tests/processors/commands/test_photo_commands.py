"""`main.py compare` and `main.py photos` from the command line, with the real networks on small photos."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import main
from tests.processors.known_people.photos import collins, hopper, random_image, save

pytestmark = pytest.mark.errors_expected
FLAGS = ["--offline", "--embedder", "dlib"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    save(tmp_path / "photos" / "one.jpg", collins())
    save(tmp_path / "photos" / "two.jpg", hopper())
    (tmp_path / "photos" / "broken.jpg").write_bytes((tmp_path / "photos" / "one.jpg").read_bytes()[:3000])
    return tmp_path / "photos"


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main.main([*map(str, arguments), *FLAGS])
    return code, capsys.readouterr().out


def test_compare_tells_the_same_person_from_another(folder, tmp_path, capsys):
    code, out = call(capsys, "compare", folder / "one.jpg", folder, "--json", "--draw", tmp_path / "drawn")
    found = {Path(entry["target"]).name: entry for entry in json.loads(out)}
    assert code == 1, "a target could not be read"
    assert [face["same"] for face in found["one.jpg"]["faces"]] == [True]
    assert [face["same"] for face in found["two.jpg"]["faces"]] == [False]
    assert found["broken.jpg"]["error"] and not found["broken.jpg"]["faces"]
    assert set(found["one.jpg"]) == {"source", "target", "faces"}
    assert set(found["one.jpg"]["faces"][0]) == {"box", "similarity", "same"}
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["one_compared.jpg", "two_compared.jpg"]


def test_drawings_never_replace_the_photos(folder, capsys):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    call(capsys, "compare", folder / "one.jpg", folder / "two.jpg", "--draw", folder)
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_a_source_without_a_face_is_one_line(folder, tmp_path, capsys):
    save(tmp_path / "grey.jpg", random_image())
    assert main.main(["compare", str(tmp_path / "grey.jpg"), str(folder / "one.jpg"), *FLAGS]) == 1
    assert "no face was found" in capsys.readouterr().err


def test_a_folder_without_photos_is_one_line(folder, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    for arguments in (["compare", folder / "one.jpg", tmp_path / "empty"], ["photos", tmp_path / "empty"]):
        assert main.main([*map(str, arguments), *FLAGS]) == 2
        assert "empty: there are no photos (they are JPEG, " in capsys.readouterr().err


def test_a_photo_that_is_named_twice_is_compared_once(folder, capsys):
    (folder / "broken.jpg").unlink()
    code, out = call(capsys, "compare", folder / "one.jpg", folder / "two.jpg", folder, "--json")
    assert code == 0
    assert sorted(Path(entry["target"]).name for entry in json.loads(out)) == ["one.jpg", "two.jpg"]


def test_photos_names_people_by_reference_photos(folder, tmp_path, capsys):
    (tmp_path / "known").mkdir()
    save(tmp_path / "known" / "Collins.jpg", collins())
    page = tmp_path / "page.html"
    arguments = ["photos", folder, "-o", tmp_path / "out", "--people", tmp_path / "known", "--html", page]
    code, out = call(capsys, *arguments, "--json")
    found = {entry["file"]: entry for entry in json.loads(out)}
    assert code == 1
    assert [face["person"] for face in found["one.jpg"]["faces"]] == ["Collins"]
    assert [face["person"] for face in found["two.jpg"]["faces"]] == [None]
    assert {"file", "sharp", "sharpness", "faces"} == set(found["one.jpg"])
    assert "Collins" in page.read_text() and "broken.jpg" in page.read_text()
    assert not (tmp_path / "out").exists(), "nothing is made where results would go"


def test_photos_are_linked_into_folders_and_stay(folder, tmp_path, capsys):
    (tmp_path / "known").mkdir()
    save(tmp_path / "known" / "Collins.jpg", collins())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    sorted_ = tmp_path / "sorted"
    call(capsys, "photos", folder, "-o", tmp_path / "out", "--people", tmp_path / "known", "--link", sorted_)
    assert (sorted_ / "Collins" / "one.jpg").read_bytes() == before["one.jpg"]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("flags", [["--link", "PHOTOS"], ["--move", "PHOTOS/sorted"], ["--html", "PHOTOS/notes.txt"]])
def test_photos_are_not_sorted_into_themselves_and_a_page_replaces_no_other_file(folder, capsys, flags):
    (folder / "notes.txt").write_text("mine")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    arguments = ["photos", str(folder), *(flag.replace("PHOTOS", str(folder)) for flag in flags)]
    assert main.main([*arguments, *FLAGS]) == 2
    assert "name a" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_page_of_photos_replaces_the_one_before(folder, tmp_path, capsys):
    for _ in range(2):
        assert call(capsys, "photos", folder, "-o", tmp_path / "out", "--html", tmp_path / "page.html")[0] == 1


def test_a_damaged_gallery_is_a_warning(folder, tmp_path, capsys):
    (tmp_path / "bad.db").write_bytes(b"no database, whatever it is called" * 50)
    assert main.main(["photos", str(folder), "--gallery", str(tmp_path / "bad.db"), "--json", *FLAGS]) == 1
    captured = capsys.readouterr()
    assert "gallery" in captured.err and len(json.loads(captured.out)) == 3


@pytest.mark.parametrize("arguments", [["photos", "."], ["compare", "a.jpg", "b.jpg"]])
def test_wrong_flags_are_usage_errors(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main.main([*arguments, "--no-such"])
    assert ended.value.code == 2
