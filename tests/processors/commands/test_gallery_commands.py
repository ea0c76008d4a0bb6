"""`main.py name|link|unlink|forget|people` on the results of scripted videos, and what the next run makes of it."""

from __future__ import annotations

import html
import json
import re
import shlex
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

import main
from config import PeopleSettings
from core.errors import SettingsError
from core.lease import LeaseTaker
from processors import face_analyzer
from processors.batch.named_people import check_only
from processors.results.output_leases import OutputLeases
from processors.video import analysis_key
from tests.material.killed_run import ScriptedAnalyzer
from tests.material.other_machine import of_another_machine
from tests.processors.commands.test_folder_renderer import Studio
from tests.processors.test_resume import write_video

pytestmark = pytest.mark.errors_expected


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("season")
    for number, name in enumerate(("one", "two"), 1):
        write_video(folder / f"{name}.mp4", number)
    return folder


@pytest.fixture
def season(videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """Two videos with the same two people."""
    monkeypatch.setattr(face_analyzer, "FaceAnalyzer", ScriptedAnalyzer)
    monkeypatch.setattr(analysis_key, "code_digest", lambda: "scripted")
    monkeypatch.setattr(ScriptedAnalyzer, "log", tmp_path / "cache" / "analysed.log")
    return Studio(videos, tmp_path)


def call(season: Studio, *arguments: str) -> int:
    cache = ["--cache-dir", str(season.cache)] if arguments[0] == "forget" else []
    return main.main([*arguments, "-o", str(season.output), *cache])


def people(season: Studio, video: str) -> list[tuple[str, str]]:
    manifest = json.loads((season.output / video / "manifest.json").read_text())
    return [(person["name"], person["id"]) for person in manifest["people"]]


def listed(season: Studio) -> dict[str, list[str]]:
    file = json.loads((season.output / "people.json").read_text())
    return {
        f"{p['id']} {p['name']}".strip(): [f"{v['folder']}/{v['person']}" for v in p["videos"]] for p in file["people"]
    }


def test_people_of_two_videos_are_the_same(season):
    assert people(season, "one") == people(season, "two") == [("person_01", "P0001"), ("person_02", "P0002")]
    assert listed(season) == {
        "P0001": ["one/person_01", "two/person_01"],
        "P0002": ["one/person_02", "two/person_02"],
    }
    before = (season.output / "people.html").stat().st_ino
    assert season.run() == ["cached", "cached"]
    page = (season.output / "people.html").read_text()
    assert (season.output / "people.html").stat().st_ino == before, "there is nothing new to say"
    assert "P0001" in page and "one/person_01/person_01_clip_001" in page
    assert 'href="people.html"' in (season.output / "index.html").read_text()


def test_a_name_reaches_all_videos_and_no_clip_is_made_again(season, capsys):
    clip = next((season.output / "two" / "person_02").glob("*.mp4"))
    before = clip.stat().st_ino
    capsys.readouterr()
    assert call(season, "name", "P0002", "Anna") == 0
    said = capsys.readouterr()
    assert said.out == "P0002 is called Anna\n" and "the next run changes the names of folders" in said.err
    assert season.run() == ["done", "done"]
    assert people(season, "one") == people(season, "two") == [("person_01", "P0001"), ("Anna", "P0002")]
    moved = season.output / "two" / "Anna" / clip.name.replace("person_02", "Anna")
    assert moved.stat().st_ino == before and not clip.exists()
    assert season.run() == ["cached", "cached"]
    assert season.analysed() == 2
    capsys.readouterr()
    assert call(season, "people") == 0
    assert "P0002  Anna" in capsys.readouterr().out


def test_commands_copied_from_the_page_work(season):
    page = (season.output / "people.html").read_text()
    shown = re.findall(r'<code class="command">\.venv/bin/python main.py (.*?)</code>', page)
    commands = [html.unescape(re.sub(r"<.*?>", "", text)) for text in shown]
    (naming,) = [command for command in commands if command.startswith("name P0002 ")]
    assert main.main([word.replace("NAME", "Anna") for word in shlex.split(naming)]) == 0
    assert "P0002 Anna" in listed(season)


def test_a_rename_in_one_video_names_the_person_in_all(season):
    assert call(season, "rename", "one", "person_01", "Berta") == 0
    assert "P0001 Berta" in listed(season), "at once, not only when the clips are made again"
    assert season.run() == ["done", "done"]
    assert people(season, "two")[0] == ("Berta", "P0001")
    assert season.run() == ["cached", "cached"]


@pytest.mark.parametrize("names", [("anna", "Anna"), ("Anna", "ANNA")])
def test_the_spelling_of_a_name_can_be_corrected(season, names):
    for name in names:
        assert call(season, "rename", "one", people(season, "one")[0][0], name, "--cache-dir", str(season.cache)) == 0
        assert people(season, "one")[0] == (name, "P0001")
        assert [path.name for path in (season.output / "one").iterdir() if path.name.lower() == "anna"] == [name]
    assert season.run() == ["cached", "done"]
    assert people(season, "two")[0] == (names[1], "P0001")


def test_the_summary_counts_corrected_results(season):
    assert call(season, "drop", "one", "person_01") == 0
    assert call(season, "render", "one", "--cache-dir", str(season.cache)) == 0
    inputs = json.loads((season.output / "summary.json").read_text())["inputs"]
    assert [(entry["folder"], entry["people"], entry["clips"]) for entry in inputs] == [("one", 1, 1), ("two", 2, 2)]


def test_what_is_linked_and_unlinked_by_hand_holds(season):
    assert call(season, "unlink", "two/person_01") == 0
    assert season.run() == ["cached", "done"]
    assert people(season, "two")[0] == ("person_01", "P0003")
    assert season.run(run={**season.values["run"], "overwrite": True}) == ["done", "done"]
    assert people(season, "two")[0] == ("person_01", "P0003"), "remembered for good"
    assert call(season, "link", "two/person_01", "P0001") == 0
    season.run()
    assert people(season, "two")[0] == ("person_01", "P0001")
    assert set(listed(season)) == {"P0001", "P0002"}


def test_a_person_is_looked_up_in_the_folder_that_is_named_not_in_another_of_the_same_name(
    videos, season, monkeypatch, caplog
):
    caplog.set_level("INFO")
    nested = season.video.parent / f"{season.output.parent.name}_nested"
    (nested / "may").mkdir(parents=True)
    shutil.copy(videos / "one.mp4", nested / "two.mp4")
    shutil.copy(videos / "two.mp4", nested / "may" / "two.mp4")
    shutil.rmtree(season.output)
    season.video, recursive = nested, {**season.values["run"], "recursive": True}
    assert season.run(run=recursive) == ["done", "done"]
    assert {"two: using the stored analysis", "may/two: using the stored analysis"} <= set(caplog.messages)
    for text, number in (
        ("may/two/person_01", "P0003"),
        (str(season.output / "may" / "two" / "person_02"), "P0004"),
        ("two/person_02", "P0005"),
    ):
        assert call(season, "unlink", text) == 0
        assert f"{text.removeprefix(f'{season.output}/')}" in listed(season)[number]
    monkeypatch.chdir(season.output / "may")
    assert call(season, "link", "two/person_01", "P0003") == 0, "beside the folder itself"
    assert listed(season)["P0003"] == ["may/two/person_01"]


def test_both_may_be_people_of_videos(season, capsys):
    assert call(season, "unlink", "two/person_01", "P0001") == 0, "which it is"
    assert listed(season)["P0003"] == ["two/person_01"]
    assert call(season, "unlink", "two/person_01", "one/person_02") == 0, "which it is not"
    assert set(listed(season)) == {"P0001", "P0002", "P0003"}
    assert call(season, "link", "two/person_01", "one/person_01") == 0
    assert call(season, "link", "P0002", "one/nobody") == 2
    assert "one/nobody is not in the gallery" in capsys.readouterr().err
    assert listed(season) == {"P0001": ["one/person_01", "two/person_01"], "P0002": ["one/person_02", "two/person_02"]}


def test_two_people_of_the_gallery_become_one(season):
    call(season, "unlink", "two/person_01")
    assert call(season, "name", "P0003", "Zoe") == 0
    assert call(season, "link", "Zoe", "P0001") == 0
    assert listed(season) == {
        "P0001 Zoe": ["one/person_01", "two/person_01"],
        "P0002": ["one/person_02", "two/person_02"],
    }


def test_forgetting_leaves_no_vector_and_says_what_stays(season, capsys):
    call(season, "name", "P0002", "Anna")
    season.run()
    rows = sqlite3.connect(season.output / "people.db")
    vectors = [row[0] for row in rows.execute("SELECT vector FROM faces WHERE person = 2")]
    rows.close()
    assert vectors and len(list(season.cache.glob("analyses/*.npz"))) == 2
    capsys.readouterr()
    assert call(season, "forget", "anna") == 0
    said = capsys.readouterr().out
    assert "one/Anna" in said and "two/Anna" in said
    files = [path for root in (season.output, season.cache) for path in root.rglob("*") if path.is_file()]
    assert not [path for path in files if any(vector in path.read_bytes() for vector in vectors)]
    assert not list(season.cache.glob("analyses/*.npz"))
    assert "Anna" not in (season.output / "people.json").read_text() + (season.output / "people.html").read_text()
    assert season.run() == ["done", "done"]
    assert people(season, "one") == [("person_01", "P0001"), ("person_02", "")]
    assert not [path for path in season.output.rglob("*") if path.is_file() and b"Anna" in path.read_bytes()]


def test_forgetting_names_only_what_is_there(season, capsys):
    shutil.rmtree(season.output / "one" / "person_02")
    shutil.rmtree(season.output / "two")
    capsys.readouterr()
    assert call(season, "forget", "P0002") == 0
    remains = [line.removeprefix("still there: ") for line in capsys.readouterr().out.splitlines()[1:]]
    report = season.output / "one" / "report.html"
    assert remains == [
        f"images in {report}",
        f"results of two.mp4, if they were moved; they are not in {season.output}",
    ]


def test_who_has_two_folders_in_a_video_is_told_how_to_make_them_one(season, caplog):
    caplog.set_level("INFO")
    assert call(season, "name", "P0002", "Anna") == 0
    assert call(season, "link", "one/person_01", "Anna") == 0
    (said,) = [entry.message for entry in caplog.records if "2 folders" in entry.message]
    assert said.startswith("one has 2 folders of this person")
    command = shlex.split(said.partition("main.py ")[2])
    assert command[:4] == ["merge", "one", "person_01", "person_02"]
    assert main.main([*command, "--force"]) == 0, "the two of this material are in one frame"
    assert len(json.loads((season.output / "one" / "timeline.json").read_text())["people"]) == 1


def test_only_one_person_gets_clips(season):
    call(season, "name", "P0002", "Anna")
    overwrite = {**season.values["run"], "overwrite": True}
    assert season.run(people={"only": "Anna"}, run=overwrite) == ["done", "done"]
    assert sorted(path.parent.name for path in season.output.glob("one/*/*.mp4")) == ["Anna"]
    assert season.run(people={"only": "Anna"}) == ["cached", "cached"]
    assert season.run(run=overwrite) == ["done", "done"], "the others are missing"
    assert sorted(path.parent.name for path in season.output.glob("one/*/*.mp4")) == ["Anna", "person_01"]


def listed_clips(season: Studio, capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    """The clips of each person of `one`, as `main.py people` lists them."""
    capsys.readouterr()
    assert call(season, "people", "one") == 0
    header, *lines = capsys.readouterr().out.splitlines()
    column = header.index("clips")
    return {line.split()[0]: int(line[column : column + 5]) for line in lines}


def test_clips_are_counted_as_they_are(season, capsys):
    overwrite = {**season.values["run"], "overwrite": True}
    assert season.run(clip={"size": 64, "max_clip": 0.5, "min_clip": 0.2}, run=overwrite) == ["done", "done"]
    made = len(list((season.output / "one" / "person_02").glob("*.mp4")))
    assert made > 1 and listed_clips(season, capsys)["person_02"] == made
    assert call(season, "rename", "one", "person_02", "Anna", "--cache-dir", str(season.cache)) == 0
    assert listed_clips(season, capsys)["Anna"] == made


def test_whoever_has_no_clip_has_no_folder_for_a_cut_list(season, capsys):
    call(season, "name", "P0002", "Anna")
    overwrite = {**season.values["run"], "overwrite": True}
    assert season.run(people={"only": "Anna"}, output={"export": ["edl"]}, run=overwrite) == ["done", "done"]
    assert [path.name for path in season.output.glob("one/*/") if path.is_dir()] == ["Anna"]
    assert listed_clips(season, capsys) == {"person_01": 0, "Anna": 1}
    assert (season.output / "one" / "Anna" / "segments.edl").exists()


@pytest.mark.parametrize(
    ("only", "meant"), [("Ana", "did you mean 'Anna'?"), ("Anna, Xaver", "nobody is called 'Xaver'"), ("P0009", "P000")]
)
@pytest.mark.parametrize("command", ["run", "render"])
def test_a_misspelt_name_costs_no_clip(season, capsys, command, only, meant):
    call(season, "name", "P0002", "Anna")
    clips = sorted(season.output.glob("*/*/*.mp4"))
    words = {"run": [str(season.video), "--overwrite"], "render": ["render", "one"]}[command]
    capsys.readouterr()
    assert main.main([*words, "--only", only, "-o", str(season.output), "--cache-dir", str(season.cache)]) == 2
    assert "--only: nobody is called" in (said := capsys.readouterr().err) and meant in said
    assert clips and sorted(season.output.glob("*/*/*.mp4")) == clips


def test_where_somebody_is(season, capsys):
    call(season, "name", "P0002", "Anna")
    capsys.readouterr()
    for who in ("anna", "p0002"):
        assert call(season, "people", who) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines] == ["person", "one/person_02", "two/person_02"]
    assert call(season, "people", "Berta") == 2
    assert "Berta: is neither a video nor a folder with results" in capsys.readouterr().err
    assert call(season, "people", "P0009") == 2
    assert "nobody called 'P0009'" in capsys.readouterr().err


def test_only_somebody_who_has_another_id_now(season, capsys):
    call(season, "link", "P0002", "P0001")
    with pytest.raises(SettingsError, match="P0002 is P0001 now"):
        check_only(PeopleSettings(only="P0002"), season.output)
    capsys.readouterr()
    assert call(season, "name", "P0002", "Anna") == 2
    assert "P0002 is P0001 now: the two are one person (say P0001)" in capsys.readouterr().err


@pytest.mark.parametrize("only", ["anna", "P0001,Anna", "person_01", "person_77", "Smith, John", "Zoe", "Tom"])
def test_whoever_has_a_name_may_be_named(season, tmp_path, only):
    call(season, "name", "P0002", "Anna")
    call(season, "name", "P0001", "Smith, John")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "Zoe.jpg").touch()
    timeline = season.output / "one" / "timeline.json"
    timeline.write_text(timeline.read_text().replace('"person_01"', '"Tom"'))
    check_only(PeopleSettings(only=only, people=str(tmp_path / "photos")), season.output)


def test_results_without_names_get_them_later(season):
    assert season.run(people={"no_gallery": True}) == ["done", "done"]
    assert people(season, "one") == [("person_01", ""), ("person_02", "")]
    assert season.run(people={"no_gallery": True}) == ["cached", "cached"]
    assert season.run() == ["done", "done"]
    assert people(season, "one") == [("person_01", "P0001"), ("person_02", "P0002")]


def test_a_damaged_gallery_stops_nothing(season, caplog):
    call(season, "name", "P0002", "Anna")
    season.run()
    (season.output / "people.db").write_bytes(b"no database" * 500)
    for leftover in season.output.glob("people.db-*"):
        leftover.unlink()
    assert season.run() == ["cached", "cached"]
    assert people(season, "one")[1] == ("Anna", "P0002")
    assert season.run(clip={"size": 80}, run={**season.values["run"], "overwrite": True}) == ["done", "done"]
    assert sum("continuing without it" in entry.message for entry in caplog.records) == 2, "once in a run"


def test_one_gallery_for_two_output_folders(season, tmp_path):
    other = Studio.__new__(Studio)
    other.__dict__.update(season.__dict__, output=tmp_path / "other")
    gallery: dict[str, Any] = {"people": {"gallery": str(season.output / "people.db")}}
    call(season, "name", "P0001", "Berta")
    assert other.run(**gallery) == ["done", "done"]
    assert people(other, "one")[0] == ("Berta", "P0001")
    assert not (other.output / "people.db").exists() and (other.output / "people.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["name", "P0099", "Anna"], "nobody called 'P0099'"),
        (["name", "P0001", "P0002"], "without a name"),
        (["link", "one/nobody", "P0001"], "one/nobody is not in the gallery"),
        (["unlink", "P0001"], "say who the person is not"),
        (["forget", "Zoe"], "nobody called 'Zoe'"),
    ],
)
def test_what_cannot_be_done_is_one_line(season, capsys, arguments, said):
    capsys.readouterr()
    assert call(season, *arguments) == 2
    assert said in capsys.readouterr().err


def test_without_a_gallery_there_is_nothing_to_name(tmp_path, capsys):
    assert main.main(["name", "P0001", "Anna", "-o", str(tmp_path)]) == 2
    assert "no gallery" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_results_that_are_removed_leave_the_pages(season):
    shutil.rmtree(season.output / "two")
    season.run()
    shutil.rmtree(season.output / "two")
    call(season, "name", "P0001", "Anna")
    assert listed(season)["P0001 Anna"] == ["one/person_01"]


def test_no_command_uses_the_gallery_that_another_machine_works_with(season, capsys):
    commands = [
        ["people"],
        ["name", "P0001", "Anna"],
        ["link", "P0001", "P0002"],
        ["unlink", "P0001", "P0002"],
        ["forget", "P0001"],
        ["rename", "one", "person_01", "Anna"],
        ["drop", "one", "person_01"],
        ["undo", "one"],
        ["render", "one"],
    ]
    with OutputLeases(season.output, LeaseTaker(heartbeat_s=0.05)) as leases:
        leases.join({}, uses_gallery=True)
        of_another_machine(next(season.output.glob(".lease-*")))
        before = season.tree()
        capsys.readouterr()
        for command in commands:
            assert call(season, *command) == 2, command
            said = capsys.readouterr().err.splitlines()[-1]
            assert "on node3 uses the gallery of people here" in said and "wait until it has ended" in said, command
        assert season.tree() == before
        assert call(season, "drop", "one", "person_01", "--no-gallery") == 0
        assert call(season, "index") == 0
        assert "people.html are not up to date" in capsys.readouterr().err
    assert call(season, "name", "P0001", "Anna") == 0


@pytest.mark.parametrize(
    "edits",
    [
        [["drop", "one", "person_02"]],
        [["merge", "one", "person_01", "person_02", "--force"]],
        [["merge", "one", "person_01", "person_02", "--force"], ["split", "one", "person_01", "--tracklets", "1"]],
        [["rename", "one", "person_01", "P-1"], ["rename", "one", "P-1", "person_09"]],
    ],
    ids=lambda edits: edits[-1][0],
)
def test_edits_are_followed_once_and_hold(season, edits):
    for edit in edits:
        assert call(season, *edit) == 0
    assert season.run()[0] == "done"
    made = people(season, "one")
    season.run()
    assert season.run() == ["cached", "cached"]
    assert people(season, "one") == made


def test_a_dry_run_makes_no_gallery(videos, tmp_path, capsys):
    assert main.main([str(videos), "-o", str(tmp_path / "out"), "--dry-run"]) == 0
    assert not (tmp_path / "out").exists() and "to do" in capsys.readouterr().out
