"""Names of files on the command line: behind `--`, and with `~` for the home folder."""

from __future__ import annotations

from pathlib import Path

import pytest

import main
from processors.commands import run_command
from processors.commands.settings_flags import settings_from
from tests.material.command_calls import DONE, scripted

pytestmark = pytest.mark.errors_expected


@pytest.mark.parametrize("command", [[], ["run"]])
@pytest.mark.parametrize(
    ("arguments", "inputs"),
    [
        (["--", "-x.mp4"], ["-x.mp4"]),
        (["a.mp4", "--", "-x.mp4", "--size", "b.mp4"], ["a.mp4", "-x.mp4", "--size", "b.mp4"]),
        (["a.mp4", "-q", "b.mp4", "--", "--", "-q"], ["a.mp4", "b.mp4", "--", "-q"]),
        (["--", "people", "x"], ["people", "x"]),
        (["--size", "256", "--"], []),
    ],
)
def test_behind_two_dashes_everything_is_an_input(tmp_path, monkeypatch, command, arguments, inputs):
    seen = []

    def find_inputs(given, output, *, recursive):
        seen.append(given)
        return ()

    monkeypatch.setattr("processors.batch.batch_inputs.find_inputs", find_inputs)
    monkeypatch.setattr(run_command, "INPUT_DIR", tmp_path)
    assert main.main([*command, "-o", str(tmp_path / "out"), *arguments]) == 2
    assert seen == [inputs or [str(tmp_path)]]


def test_a_file_whose_name_begins_with_a_dash_is_processed(videos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(videos)
    (videos / "a.mp4").rename("-x.mp4")
    given = scripted(monkeypatch, DONE)
    with pytest.raises(SystemExit):
        main.main(["-x.mp4"])
    assert "put a file name that starts with a dash after --: main.py -- -x.mp4 (" in capsys.readouterr().err
    assert main.main(["-q", "-o", str(tmp_path / "out"), "--", "-x.mp4"]) == 0
    assert [(str(i.path), i.problem) for i in given["inputs"]] == [("-x.mp4", "")]


@pytest.mark.parametrize(
    ("parser", "arguments", "expected"),
    [
        ("people", ["--tracklets", "--", "-x"], {"folder": "-x"}),
        ("rename", ["--", "-x", "-a", "-b"], {"folder": "-x", "person": "-a", "new_name": "-b"}),
        ("rename", ["x", "a", "--", "-b"], {"folder": "x", "person": "a", "new_name": "-b"}),
        ("merge", ["x", "a", "--force", "--", "-b", "-c"], {"person": "a", "others": ["-b", "-c"], "force": True}),
        ("split", ["--tracklets", "3", "x", "--", "-a"], {"folder": "x", "person": "-a", "tracklets": [3]}),
        ("drop", ["x", "--", "-a", "--", "-b"], {"folder": "x", "people": ["-a", "--", "-b"]}),
        ("render", ["--", "-x"], {"folder": "-x"}),
        ("cache", ["--", "clear"], {"action": "clear"}),
    ],
)
def test_every_command_takes_names_behind_two_dashes(parser, arguments, expected):
    parsed = main.COMMANDS[parser].parser().parse_args(arguments)
    assert {name: getattr(parsed, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["x.mp4", "-o", ""], "-o/--output"),
        ([""], "INPUT"),
        (["--", ""], "INPUT"),
        (["render", ""], "FOLDER"),
        (["people", "-o", ""], "-o/--output"),
    ],
)
def test_a_shell_variable_without_a_value_is_not_the_current_folder(capsys, arguments, name):
    with pytest.raises(SystemExit) as caught:
        main.main(arguments)
    assert caught.value.code == 2
    assert f"argument {name}: expected a path, not '' (" in capsys.readouterr().err


def test_what_is_too_much_behind_two_dashes_is_named_as_it_was_given(capsys):
    with pytest.raises(SystemExit):
        main.main(["people", "x", "--", "-y"])
    assert "unrecognized arguments: -y (" in capsys.readouterr().err


@pytest.fixture
def home(tmp_path: Path, monkeypatch) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "home"


def test_a_tilde_is_the_home_folder_where_no_shell_has_seen_it(home, monkeypatch):
    flags = ["--output=~/out", "--log-file=~/log", "--config=~/c.toml", "--debug-bundle=~/b.zip"]
    parsed = run_command.parser().parse_intermixed_args([*flags, "--cache-dir=~/cache", "~/a*.mp4", "~"])
    assert (parsed.output, parsed.log_file, parsed.config, parsed.debug_bundle) == (
        home / "out",
        home / "log",
        home / "c.toml",
        home / "b.zip",
    )
    assert parsed.inputs == [str(home / "a*.mp4"), str(home)]
    assert getattr(parsed, "run.cache_dir") == str(home / "cache")
    (home / "c.toml").write_text('[run]\ncache_dir = "~/c"\nfacenet_weights = "~"\n')
    settings = settings_from(run_command.parser().parse_args(["--config", str(home / "c.toml")]))
    assert (settings.run.cache_dir, settings.run.facenet_weights) == (str(home / "c"), str(home))
    assert main.COMMANDS["render"].parser().parse_args(["~/x", "--video=~/v"]).video == home / "v"
    assert main.COMMANDS["people"].parser().parse_args(["~/x", "-o~/out"]).folder == str(home / "x")


def test_results_go_to_the_home_folder_and_not_to_one_named_tilde(videos, home, monkeypatch):
    given = scripted(monkeypatch, DONE)
    assert main.main([str(videos), "-q", "--output=~/x"]) == 0
    assert given["output_dir"] == home / "x"
    assert list(Path.cwd().iterdir()) == []


def test_an_input_that_exists_is_meant_literally(home, tmp_path):
    Path("~x.mp4").write_bytes(b"x")
    given = ["~x.mp4", "~nobody-at-all/y.mp4"]
    assert run_command.parser().parse_intermixed_args(given).inputs == given


@pytest.mark.parametrize("flag", ["--output", "--cache-dir", "--log-file", "--facenet-weights", "--config"])
def test_a_home_folder_that_is_not_known_is_a_usage_error(home, capsys, flag):
    with pytest.raises(SystemExit) as end:
        main.main([f"{flag}=~nobody-at-all/x"])
    assert end.value.code == 2
    err = capsys.readouterr().err
    assert f"{flag}: '~nobody-at-all/x': no home folder is known for ~nobody-at-all" in err and err.count("\n") == 1


def test_nor_is_it_anything_in_a_file(home, capsys):
    Path("c.toml").write_text('[run]\ncache_dir = "~nobody-at-all/x"\n')
    assert main.main(["--config", "c.toml"]) == 2
    err = capsys.readouterr().err
    assert "c.toml: run.cache_dir: '~nobody-at-all/x': no home folder" in err and err.count("\n") == 1
