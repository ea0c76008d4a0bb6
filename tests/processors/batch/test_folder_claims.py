"""Which folder a video's results go to: whatever the order, no video takes the folder of another."""

from __future__ import annotations

import itertools
import json
import logging
import shutil
import threading
from pathlib import Path

import pytest

from core.errors import OutputError
from processors.batch.batch_inputs import BatchInput, find_inputs
from processors.batch.folder_claims import FolderClaims
from processors.results.manifest_outline import ManifestState, folder_owner, read_outline
from utils.fingerprints import Fingerprint, fingerprint


def put(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def finish(folder: Path, video: Path, **changes: object) -> None:
    """Write a manifest like that of a finished run on `video`."""
    mark = fingerprint(video)
    manifest = {
        "schema": 2,
        "version": "0.1.0",
        "input": {"name": video.name, "size_bytes": mark.size_bytes, "sha256": mark.sha256},
        "files": [{"file": "p/1.mp4", "bytes": 1}],
        **changes,
    }
    put(folder / "manifest.json", json.dumps(manifest))


def claim(output: Path, *videos: Path) -> dict[str, str]:
    """The folder of each of `videos` in one run that examines them in the order of the arguments."""
    inputs = find_inputs([str(video) for video in videos], output)
    claims = FolderClaims(output, inputs)
    return {str(s.path.relative_to(output.parent)): claims.folder_for(s, fingerprint(s.path)) for s in inputs}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture
def same_named(tmp_path: Path) -> list[Path]:
    return [put(tmp_path / day / "a.mp4", day) for day in ("mon", "tue", "wed")]


def test_a_lone_video_gets_its_own_name(tmp_path: Path, output: Path) -> None:
    assert claim(output, put(tmp_path / "interview.mp4", "x")) == {"interview.mp4": "interview"}


def claim_tree(output: Path, folder: Path) -> dict[str, str]:
    inputs = find_inputs([str(folder)], output, recursive=True)
    claims = FolderClaims(output, inputs)
    return {s.name: claims.folder_for(s, fingerprint(s.path)) for s in inputs}


def test_folders_inside_folders_belong_to_their_videos_too(tmp_path: Path, output: Path) -> None:
    root = tmp_path / "in"
    first, second = put(root / "mon" / "a.mp4", "1"), put(root / "tue" / "a.mp4", "2")
    assert claim_tree(output, root) == {"mon/a": "mon/a", "tue/a": "tue/a"}
    finish(output / "mon" / "a", first)
    finish(output / "tue" / "a", put(tmp_path / "gone.mp4", "another"))
    assert claim_tree(output, root) == {"mon/a": "mon/a", "tue/a": "tue/a_2"}
    # A video that was moved is known again.
    assert claim(output, put(tmp_path / "moved.mp4", "1")) == {"moved.mp4": "mon/a"}
    second.unlink()


def test_results_are_never_written_into_those_of_another_video(tmp_path: Path, output: Path) -> None:
    finish(output / "mon", put(tmp_path / "mon.mp4", "0"))
    put(tmp_path / "in" / "mon" / "a.mp4", "1")
    with pytest.raises(OutputError, match="its folder mon in the output folder holds the results of a video"):
        claim_tree(output, tmp_path / "in")


def test_names_within_a_run_do_not_depend_on_the_order_of_the_arguments(output: Path, same_named: list[Path]) -> None:
    found = [claim(output, *order) for order in itertools.permutations(same_named)]
    assert found == [{"mon/a.mp4": "a.mp4", "tue/a.mp4": "a.mp4_2", "wed/a.mp4": "a.mp4_3"}] * 6


@pytest.mark.slow
def test_nor_on_the_order_or_the_threads_in_which_inputs_are_looked_at(
    tmp_path: Path, output: Path, same_named: list[Path]
) -> None:
    """Covers everything that makes names depend on each other: owners elsewhere, taken names, copies, numbers."""
    videos = [*same_named, put(tmp_path / "a_2.mp4", "2"), put(tmp_path / "b.mp4", "b"), put(tmp_path / "c.mp4", "b")]
    finish(output / "a.mp4", put(tmp_path / "gone.mp4", "another"))
    finish(output / "b", same_named[1])
    finish(output / "A_2", tmp_path / "gone.mp4")
    inputs = find_inputs([str(video) for video in videos], output)
    marks = {source.name: fingerprint(source.path) for source in inputs}
    wanted = {
        "mon/a.mp4": "a.mp4_4", "tue/a.mp4": "b", "wed/a.mp4": "a.mp4_3", "a_2.mp4": "a_2_2", "b.mp4": "b_2",
        "c.mp4": "b_2",
    }  # fmt: skip
    for order in itertools.permutations(inputs):
        claims = FolderClaims(output, inputs)
        found = {str(s.path.relative_to(tmp_path)): claims.folder_for(s, marks[s.name]) for s in order}
        assert found == wanted
    claims, found = FolderClaims(output, inputs), {}

    def look(source: BatchInput) -> None:
        found[str(source.path.relative_to(tmp_path))] = claims.folder_for(source, marks[source.name])

    threads = [threading.Thread(target=look, args=(source,)) for source in inputs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == wanted


def test_over_several_runs_whoever_has_a_folder_keeps_it(output: Path, same_named: list[Path]) -> None:
    for order in itertools.permutations(same_named):
        shutil.rmtree(output)
        names = {}
        for video in order:
            (name,) = claim(output, video).values()
            names[f"{video.parent.name}/a.mp4"] = name
            finish(output / name, video)
        assert list(names.values()) == ["a", "a_2", "a_3"]
        for again in itertools.permutations(same_named):
            assert claim(output, *again) == names
        for video in order:
            assert list(claim(output, video).values()) == [names[f"{video.parent.name}/a.mp4"]]


def test_a_renamed_video_finds_its_folder(tmp_path: Path, output: Path, caplog: pytest.LogCaptureFixture) -> None:
    video = put(tmp_path / "a.mp4", "x")
    finish(output / "a", video)
    with caplog.at_level(logging.INFO):
        assert claim(output, video.rename(tmp_path / "b.mov")) == {"b.mov": "a"}
    assert "the results of this video are in a" in caplog.text


def test_copies_in_one_run_are_one_video(tmp_path: Path, output: Path) -> None:
    videos = [put(tmp_path / name, "x") for name in ("b/long name.mp4", "b/a.mp4", "c/a.mp4", "a (copy).mp4")]
    other = put(tmp_path / "d.mp4", "y")  # of the same size
    for order in itertools.permutations([*videos, other]):
        inputs = find_inputs([str(video) for video in order], output)
        claims = FolderClaims(output, inputs)
        stands_for = {s.path: claims.same_video(s, fingerprint(s.path)) for s in inputs}
        assert {p: None if o is None else o.path for p, o in stands_for.items()} == {
            videos[0]: videos[1], videos[1]: None, videos[2]: videos[1], videos[3]: videos[1], other: None,
        }  # fmt: skip
        assert {claims.folder_for(s, fingerprint(s.path)) for s in inputs if s.path != other} == {"a.mp4"}


def test_only_files_of_one_size_are_read_for_that(
    tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = find_inputs([str(put(tmp_path / f"{n}.mp4", "x" * (1 + n // 2))) for n in range(6)], output)
    marks = {source.name: fingerprint(source.path) for source in inputs}
    read: list[str] = []

    def reading(path: Path) -> Fingerprint:
        read.append(path.name)
        return fingerprint(path)

    monkeypatch.setattr("processors.batch.folder_claims.fingerprint", reading)
    claims = FolderClaims(output, inputs)
    for source in reversed(inputs):
        claims.folder_for(source, marks[source.name])
    assert read == ["4.mp4", "2.mp4", "0.mp4"]


def test_a_copy_that_cannot_be_read_is_nobodys_copy(tmp_path: Path, output: Path) -> None:
    first, second = put(tmp_path / "a.mp4", "x"), put(tmp_path / "b.mp4", "x")
    inputs = find_inputs([str(first), str(second)], output)
    mark = fingerprint(second)
    first.unlink()
    first.mkdir()
    claims = FolderClaims(output, inputs)
    assert claims.same_video(inputs[1], mark) is None
    assert claims.folder_for(inputs[1], mark) == "b"


def test_empty_files_are_no_copies_of_each_other(tmp_path: Path, output: Path) -> None:
    videos = [put(tmp_path / name, "") for name in ("a.mp4", "b.mp4")]
    inputs = find_inputs([str(video) for video in videos], output)
    claims = FolderClaims(output, inputs)
    assert [claims.same_video(source, fingerprint(source.path)) for source in inputs] == [None, None]


@pytest.mark.parametrize("manifest", ["{", "[1]", "", "null", '{"files": []}', '{"files": [], "input": {"sha256": 1}}'])
def test_a_folder_with_a_damaged_manifest_is_left_alone(
    manifest: str, tmp_path: Path, output: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(output / "a" / "manifest.json", manifest)
    assert claim(output, put(tmp_path / "a.mp4", "x")) == {"a.mp4": "a_2"}
    assert "is damaged, so its results may belong to another video" in caplog.text


def test_a_journal_still_says_whose_folder_it_is(tmp_path: Path, output: Path, same_named: list[Path]) -> None:
    finish(output / "a", same_named[0], replacing=True, schema=None)
    assert claim(output, same_named[0]) == {"mon/a.mp4": "a"}
    assert claim(output, same_named[1]) == {"tue/a.mp4": "a_2"}


def test_another_video_is_reported_and_gets_the_next_free_name(
    tmp_path: Path, output: Path, caplog: pytest.LogCaptureFixture
) -> None:
    video = put(tmp_path / "a.mp4", "first")
    finish(output / "a", video)
    put(output / "a_2" / "mine.txt", "somebody's")
    put(output / "a_3", "a file")
    (output / "a_4").mkdir()
    video.write_text("exported again")
    assert claim(output, video) == {"a.mp4": "a_4"}
    assert "a holds the results of another video" in caplog.text


def test_names_that_some_file_systems_do_not_tell_apart_are_taken(tmp_path: Path, output: Path) -> None:
    other = put(tmp_path / "other.mp4", "other")
    finish(output / "INTERVIEW", other)
    finish(output / "cafe\u0301", put(tmp_path / "third.mp4", "third"))
    assert claim(output, put(tmp_path / "interview.mp4", "x")) == {"interview.mp4": "interview_2"}
    assert claim(output, put(tmp_path / "caf\u00e9.mp4", "y")) == {"caf\u00e9.mp4": "caf\u00e9_2"}
    assert claim(output, other) == {"other.mp4": "INTERVIEW"}


def test_a_folder_without_a_manifest_is_not_worked_around(tmp_path: Path, output: Path) -> None:
    """The run refuses it with a hint, like every folder that is not ours."""
    put(output / "a" / "thesis.txt", "mine")
    assert claim(output, put(tmp_path / "a.mp4", "x")) == {"a.mp4": "a"}


def test_hidden_folders_own_nothing(tmp_path: Path, output: Path) -> None:
    video = put(tmp_path / "a.mp4", "x")
    finish(output / ".partial-b", video)
    assert claim(output, video) == {"a.mp4": "a"}


def test_what_a_manifest_says_of_its_folder(tmp_path: Path) -> None:
    video = put(tmp_path / "a.mp4", "x")
    finish(tmp_path / "a", video)
    assert folder_owner(tmp_path / "a") == fingerprint(video) == Fingerprint(1, fingerprint(video).sha256)
    assert read_outline(tmp_path / "nothing").state is ManifestState.MISSING
    assert read_outline(video).state is ManifestState.MISSING
    put(tmp_path / "app" / "manifest.json", '{"name": "a web app", "icons": []}')
    assert not read_outline(tmp_path / "app").is_ours
    put(tmp_path / "deep" / "manifest.json", "[" * 100_000)
    assert folder_owner(tmp_path / "deep") is None
    # The journal of an older version names no video.
    put(tmp_path / "old" / "manifest.json", '{"replacing": true, "files": []}')
    outline = read_outline(tmp_path / "old")
    assert outline.is_ours
    assert outline.owner is None
