"""The manifest as a type: what is written is read again, and whatever else lies there is told apart."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from core.types import Clip
from processors.batch.index_writer import IndexView
from processors.results.manifest import (
    Manifest,
    ManifestClip,
    ManifestTimeline,
    read_manifest,
    read_view,
    write_manifest,
)
from processors.results.manifest_outline import (
    ManifestState,
    OutlineFields,
    folder_owner,
    read_outline,
    write_journal,
)
from processors.results.manifest_people import ManifestPart
from tests.material.page_material import a_manifest, as_manifest
from utils.fingerprints import Fingerprint


def put(folder: Path, value: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(value if isinstance(value, str) else json.dumps(value))
    return folder


def test_what_is_written_is_read_again(tmp_path):
    manifest = as_manifest(a_manifest())
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    text = (tmp_path / "manifest.json").read_text()
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    assert list(json.loads(text)) == [
        "schema", "format", "version", "input", "video", "settings", "models", "analysis", "timeline", "shots",
        "people", "names", "unknown", "unknown_tracklets", "clips", "variants", "extras", "files", "warnings",
        "decode_failures", "statistics",
    ]  # fmt: skip


def test_fields_of_later_versions_are_ignored(tmp_path):
    later = {**a_manifest(), "mood": "new", "timeline": {"sha256": "01" * 32, "edited": False, "by": "me"}}
    assert read_manifest(put(tmp_path, later)) == as_manifest(a_manifest())


@pytest.mark.parametrize(
    "key", sorted({*Manifest.__struct_fields__} - {"format", "names", "unknown_tracklets", "variants"})
)
def test_a_manifest_without_one_of_its_parts_is_damaged(tmp_path, key):
    value = a_manifest()
    del value[key]
    assert read_manifest(put(tmp_path, value)) is None


@pytest.mark.parametrize("text", ["", "{", "[1]", "{}", "[" * 100_000, '{"files": 3}', '"\\ud800"', "\x00"])
def test_what_is_not_a_manifest_is_damaged_and_no_error(tmp_path, text):
    outline = read_outline(put(tmp_path, text))
    assert outline.state is ManifestState.DAMAGED and not outline.is_ours
    assert outline.owner is None and outline.listed_files == {}
    assert read_manifest(tmp_path) is None


def test_no_manifest_is_distinguished_from_a_damaged_one(tmp_path):
    assert read_outline(tmp_path).state is ManifestState.MISSING
    (tmp_path / "file").touch()
    assert read_outline(tmp_path / "file").state is ManifestState.MISSING
    (tmp_path / "manifest.json").mkdir()
    assert read_outline(tmp_path).state is ManifestState.DAMAGED


def test_the_outline_of_other_versions_is_read(tmp_path):
    old = {"schema": 1, "input": {"size_bytes": 3, "sha256": "aa"}, "files": [{"file": "a"}], "people": "Ann"}
    outline = read_outline(put(tmp_path, old))
    assert (outline.state, outline.owner) == (ManifestState.COMPLETE, Fingerprint(3, "aa"))
    assert outline.listed_files == {"a": None}
    assert folder_owner(tmp_path) == Fingerprint(3, "aa")
    assert read_manifest(tmp_path) is None


def test_the_journal_says_whose_the_folder_is_and_what_belongs_to_it(tmp_path):
    new = as_manifest({**a_manifest(), "timeline": {"sha256": "01" * 32, "edited": True}})
    write_journal(tmp_path, new, ["b", "a", "b"])
    assert json.loads((tmp_path / "manifest.json").read_text()) == {
        "replacing": True,
        "input": {"name": "a.mp4", "size_bytes": 10, "sha256": "ab" * 32},
        "timeline": {"edited": True},
        "files": [{"file": "b"}, {"file": "a"}],
    }
    outline = read_outline(tmp_path)
    assert (outline.state, outline.owner) == (ManifestState.REPLACING, Fingerprint(10, "ab" * 32))
    assert list(outline.listed_files) == ["b", "a"]
    assert outline.timeline == ManifestTimeline(edited=True)
    assert read_manifest(tmp_path) is None


def test_only_files_inside_the_folder_are_listed(tmp_path):
    files = ["../a", "/a", "", "b/../../a", "good/a", 3, None]
    put(tmp_path, {**a_manifest(), "files": [*({"file": file, "bytes": 1} for file in files), 7, {}]})
    assert read_outline(tmp_path).listed_files == {"good/a": 1}


def test_a_clip_is_what_the_renderer_made_and_its_size():
    assert ManifestClip.__struct_fields__ == (*(field.name for field in dataclasses.fields(Clip)), "bytes")
    entry = as_manifest(a_manifest()).clips[0]
    assert dataclasses.asdict(entry.clip) == {
        key: value for key, value in a_manifest()["clips"][0].items() if key != "bytes"
    }


def names_not_in(view: type[ManifestPart], whole: type[ManifestPart]) -> list[str]:
    """Fields of `view`, and of its parts, that `whole` does not have."""
    there = {field.name: field.type for field in msgspec.structs.fields(whole)}
    missing = []
    for field in msgspec.structs.fields(view):
        if field.name not in there:
            missing.append(field.name)
            continue
        for part, full in zip(kinds(field.type), kinds(there[field.name]), strict=False):
            missing += names_not_in(part, full)
    return missing


def kinds(kind: Any) -> list[type[ManifestPart]]:
    if isinstance(kind, type) and issubclass(kind, ManifestPart):
        return [kind]
    return [found for inner in get_args(kind) for found in kinds(inner)]


def test_partial_views_name_what_a_manifest_has():
    assert names_not_in(IndexView, Manifest) == []
    assert names_not_in(OutlineFields, Manifest) == ["replacing"]


def test_a_view_skips_what_it_does_not_name(tmp_path):
    view = read_view(put(tmp_path, {**a_manifest(), "shots": "nonsense"}), IndexView)
    assert view is not None and [person.name for person in view.people] == ["person_01", "Zoë & co"]
    assert read_view(tmp_path / "nowhere", IndexView) is None
