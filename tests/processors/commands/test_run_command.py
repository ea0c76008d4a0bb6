"""The command `run`: a flag for each setting, files of settings and of cuts, and the dry run."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace

import pytest

import main
from config import VERSION, Settings
from core.options import options
from core.settings_file import load_settings
from processors.batch.batch_summary import BatchSummary
from processors.commands import run_command
from processors.commands.settings_flags import settings_from
from tests.material.command_calls import DONE, PROJECT, run_main, scripted
from utils.fingerprints import fingerprint

pytestmark = pytest.mark.errors_expected


def other_value(option):
    """A valid value that is not the default, as text for the command line and as itself."""
    if option.is_switch:
        return None, not option.default
    if option.choices:
        return (option.choices[-1],) * 2
    if option.is_list:
        # Words are separated by commas; several paths are several arguments.
        return ("mot,vtt", ("mot", "vtt")) if option.words else ("some/path", ("some/path",))
    if option.name in {"workers", "turn"}:  # a word or a number
        number = {"workers": 3, "turn": 90}[option.name]
        return str(number), number
    if isinstance(option.default, str):
        texts = {"aspect": "9:16", "variant": "vertical", "keep_analyses": "30d", "cluster": "node7:6379"}
        text = texts.get(option.name, "some/path")
        return text, text
    for value in (option.default * 0.9 + 0.03, option.default + 2):
        value = type(option.default)(value)
        try:
            if value != option.default and option.parse(str(value)) == value:
                return str(value), value
        except ValueError:
            continue
    raise AssertionError(f"no other value for {option.flag}")


def parse(*arguments: str) -> Settings:
    return settings_from(run_command.parser().parse_intermixed_args(arguments))


def test_no_flags_are_the_defaults():
    assert parse() == Settings()


@pytest.mark.parametrize("option", options(), ids=lambda option: option.flag)
def test_each_setting_has_a_flag_that_does_what_the_file_does(tmp_path, option):
    text, value = other_value(option)
    path = tmp_path / "settings.toml"
    path.write_text(f"[{option.section}]\n{option.name} = {json.dumps(value)}\n")
    by_flag = (
        parse(option.flag if value else option.flag.replace("--", "--no-", 1))
        if text is None
        else parse(option.flag, text)
    )
    assert by_flag == load_settings(path, {}) == parse("--config", str(path))
    assert getattr(getattr(by_flag, option.section), option.name) == value


def test_several_files_follow_one_flag():
    parsed = run_command.parser().parse_intermixed_args(["a.mp4", "--speech-weights", "x, y.model", "z.model", "-q"])
    assert settings_from(parsed).run.speech_weights == ("x, y.model", "z.model") and parsed.inputs == ["a.mp4"]


def test_flags_are_unique_and_switches_can_be_turned_off():
    parser = run_command.parser()
    flags = [flag for action in parser._actions for flag in action.option_strings]
    assert len(set(flags)) == len(flags)
    assert {option.flag for option in options()} < set(flags)
    switches = [option.flag for option in options() if option.is_switch]
    assert {f"--no-{flag[2:]}" for flag in switches if not flag.startswith("--no-")} < set(flags)
    assert "--no-no-gallery" not in flags


def test_the_old_flag_of_a_setting_works_and_is_reported(caplog):
    assert parse("--look-out", "0.3").analysis.search_interval == 0.3
    assert [r.getMessage() for r in caplog.records] == [
        "--look-out is now called --search-interval; the old name will be removed in the next release"
    ]
    assert "--look-out" not in run_command.parser().format_help()


def test_a_flag_beats_the_file(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("[run]\noffline = true\n[clip]\nsize = 256\n")
    settings = parse("--config", str(path), "--no-offline", "--size", "128")
    assert (settings.run.offline, settings.clip.size) == (False, 128)


def test_flags_may_stand_between_inputs():
    parsed = run_command.parser().parse_intermixed_args(["a.mp4", "--size", "256", "b.mp4", "-v"])
    assert (parsed.inputs, parsed.verbosity) == (["a.mp4", "b.mp4"], 1)


def test_the_batch_learns_which_settings_the_user_asks_for(videos, tmp_path, monkeypatch):
    (tmp_path / "mine.toml").write_text("[analysis]\nlook_out = 0.3\n[clip]\nsize = 256\n")
    arguments = scripted(monkeypatch, BatchSummary((), 1.0))
    command = [str(videos), "-q", "-o", str(tmp_path / "out"), "--aspect", "1:1", "--no-reel"]
    assert main.main([*command, "--config", str(tmp_path / "mine.toml")]) == 0
    assert arguments["given"] == {"clip.aspect", "output.reel", "analysis.search_interval", "clip.size"}
    assert main.main([str(videos), "-q", "-o", str(tmp_path / "out")]) == 0
    assert arguments["given"] == set()


def test_the_overview_is_named_also_without_clips(videos, tmp_path, monkeypatch, capsys):
    """Its reports say why there are none."""
    nothing = replace(DONE.results[0], clips=0)
    for result, expected in ((nothing, True), (replace(nothing, status="failed"), False)):
        scripted(monkeypatch, BatchSummary((result,), 1.0))
        main.main([str(videos), "-o", str(tmp_path / "out")])
        assert (str(tmp_path / "out" / "index.html") in capsys.readouterr().err) == expected


def test_a_settings_file_beside_the_inputs_is_used_and_said(videos, tmp_path, monkeypatch, capsys):
    (videos / "face-clips.toml").write_text("[clip]\nsize = 256\n")
    arguments = scripted(monkeypatch, BatchSummary((), 1.0))
    assert main.main([str(videos), "-o", str(tmp_path / "out"), "--aspect", "9:16"]) == 0
    assert arguments["settings"].clip.frame_size == (144, 256)
    assert arguments["given"] == {"clip.aspect"}, "finished folders keep the size that they were made with"
    assert f"settings from {videos / 'face-clips.toml'}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("cuts.csv", "Start Frame\n1\nx\n", "line 3: start frame is 'x', expected a whole number from 1"),
        ("cuts.edl", "001 AX V C 00:00:00:00\n", "line 1: expected an event like '001 AX V C"),
        ("none.csv", None, "--cuts: there is no such file or folder"),
    ],
)
def test_wrong_cuts_are_one_line_and_exit_2(videos, tmp_path, monkeypatch, capsys, name, text, complaint):
    scripted(monkeypatch, AssertionError("it ran"))
    if text is not None:
        (tmp_path / name).write_text(text)
    arguments = [str(videos / "a.mp4"), "--cuts", str(tmp_path / name), "-o", str(tmp_path / "out")]
    assert main.main(arguments) == 2
    err = capsys.readouterr().err
    assert complaint in err and name in err and len(err.splitlines()) == 1


def test_cuts_of_several_videos_are_in_a_folder(videos, tmp_path, monkeypatch, capsys):
    given = scripted(monkeypatch, DONE)
    (tmp_path / "cuts").mkdir()
    (tmp_path / "cuts" / "b.csv").write_text("Start Frame\n1\n26\n")
    assert main.main([str(videos), "--cuts", str(tmp_path / "cuts"), "-o", str(tmp_path / "out")]) == 0
    assert [source.cuts for source in given["inputs"]] == ["", "frames 0 25", ""]
    assert "a.mp4: no list of cuts" in capsys.readouterr().err


def test_without_inputs_it_is_the_projects_folder(tmp_path, monkeypatch):
    given = scripted(monkeypatch, DONE)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.mp4").write_bytes(b"x")
    monkeypatch.setattr(run_command, "INPUT_DIR", tmp_path / "in")
    assert main.main(["-q"]) == 0
    assert [i.name for i in given["inputs"]] == ["x"]
    assert given["output_dir"] == PROJECT / "videos" / "output"


def test_nothing_is_written_where_no_input_exists(tmp_path, monkeypatch, capsys):
    scripted(monkeypatch, AssertionError("it ran"))
    out = tmp_path / "out"
    code, printed, _ = run_main(capsys, tmp_path / "a.mp4", tmp_path / "b.mp4", "-o", out)
    assert code == 1 and printed.count("failed: no such file") == 2 and "2 videos: 2 failed" in printed
    assert not out.exists()


def test_nothing_to_do_says_where_to_put_videos(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert main.main([str(tmp_path / "empty"), "-o", str(tmp_path / "out")]) == 2
    assert "no videos in" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_dry_run_lists_and_touches_nothing(videos, tmp_path, monkeypatch, capsys):
    scripted(monkeypatch, AssertionError("it ran"))
    assert main.main([str(videos), "--dry-run", "-o", str(tmp_path / "out")]) == 1
    out = capsys.readouterr().out
    assert [re.sub(r".*/", "", line.split(": ")[0]) for line in out.splitlines()] == ["a.mp4", "b.mp4", "c.mp4"]
    assert "to do (h264 64x48, 2.0 s, no audio)" in out and "cannot be processed: not a video" in out
    assert not (tmp_path / "out").exists()


def test_a_dry_run_says_what_would_be_replaced(videos, results, capsys):
    manifest = json.loads((results / "manifest.json").read_text())
    mark = asdict(fingerprint(videos / "a.mp4"))
    changed = {**manifest, "version": VERSION, "input": {"name": "a.mp4", **mark}, "timeline": {"sha256": None}}
    (results / "manifest.json").write_text(json.dumps(changed))
    dry = [str(videos / "a.mp4"), "--dry-run", "-o", str(results.parent), "--aspect", "9:16"]
    code, out, _ = run_main(capsys, *dry)
    clips = len(manifest["clips"])
    assert code == 1 and f"a.mp4: refused: film: it has {clips} finished clip" in out
    assert "made with aspect 1:1 (--overwrite" in out
    code, out, _ = run_main(capsys, *dry, "--overwrite")
    assert code == 0 and f"film, replacing {clips} clip" in out and "made with aspect 1:1" in out
