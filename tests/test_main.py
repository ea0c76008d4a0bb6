"""The command line: flags, exit codes, and what it must not import to say no."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import main
from config import VERSION, Settings, result_settings
from core.errors import InvalidVideoError, OutputError, PipelineError, ToolMissingError
from core.media import video_probe
from core.options import options
from core.settings_file import load_settings
from processors import batch_runner
from processors.batch.batch_summary import BatchSummary
from processors.batch.input_result import InputResult
from processors.commands import run_command
from processors.commands.settings_flags import settings_from
from tests.material.factories import video_info
from tests.material.page_material import a_manifest
from utils.console_log import configure_logging
from utils.fingerprints import fingerprint

pytestmark = pytest.mark.errors_expected

PROJECT = Path(main.__file__).resolve().parent
HEAVY = (
    "numpy",
    "torch",
    "torchvision",
    "cv2",
    "av",
    "openvino",
    "dlib",
    "scipy",
    "highspy",
    "facenet_pytorch",
    "tqdm",
)
MOST_MODULES = 250
"""modules, those of the standard library included, that an answer without work may import: 171 today, 0.1 to 0.2 s"""


def other_value(option):
    """A valid value that is not the default, as text for the command line and as itself."""
    if option.is_switch:
        return None, not option.default
    if option.choices:
        return (option.choices[-1],) * 2
    if option.is_list:
        # Words are separated by commas; several paths are several arguments.
        return ("mot,vtt", ("mot", "vtt")) if option.words else ("some/path", ("some/path",))
    if option.name == "workers":
        return "3", 3
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


@pytest.mark.parametrize("command", [[], ["run"]])
@pytest.mark.parametrize(
    ("arguments", "inputs"),
    [
        (["--", "-x.mp4"], ["-x.mp4"]),
        (["a.mp4", "--", "-x.mp4", "--size", "b.mp4"], ["a.mp4", "-x.mp4", "--size", "b.mp4"]),
        (["a.mp4", "-q", "b.mp4", "--", "--", "-q"], ["a.mp4", "b.mp4", "--", "-q"]),
        (["--", "people", ""], ["people", ""]),
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
    settings = parse("--config", str(home / "c.toml"))
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
    assert "c.toml: cache_dir: '~nobody-at-all/x': no home folder" in err and err.count("\n") == 1


def launch(*arguments: str, cwd: Path = PROJECT, **options_) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(PROJECT / "main.py"), *arguments]
    return subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=120, check=False, **options_)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["--no-such-flag"], 2),
        (["--min-face", "3"], 2),
        (["--tracker", "magic"], 2),
        (["--config", "no-such-file.toml"], 2),
    ],
)
def test_answers_at_once_import_nothing_heavy(arguments, code):
    script = "import sys, main\ntry: code = main.main(sys.argv[1:])\nexcept SystemExit as end: code = end.code\n"
    script += f"print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules], len(sys.modules)); sys.exit(code)"
    argv = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code
    found = re.search(r"^HEAVY \[\] (\d+)$", done.stdout, re.MULTILINE)
    assert found is not None, done.stdout
    assert int(found[1]) <= MOST_MODULES
    assert "Traceback" not in done.stderr
    if code == 2:
        assert len(done.stderr.splitlines()) == 1
        assert done.stdout.startswith("HEAVY")


def test_help_tells_every_flag_its_range_and_its_default():
    text = " ".join(launch("--help").stdout.split())
    for option in options():
        assert option.flag in text
        assert option.help.split(" (")[0] in text
    assert "(0.02 to 0.5; default: 0.05)" in text
    assert "exit codes: 0 all done" in text


def test_a_wrong_value_is_named_with_what_is_expected():
    error = launch("--min-face", "3").stderr
    assert "--min-face" in error and "<= 0.5" in error and "'3'" in error


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--aspect", "9x16"], "argument --aspect: '9x16' is not WIDTH:HEIGHT (see main.py"),
        (
            ["--export", "edl,avi"],
            "argument --export: 'avi' is not one of mot, coco, vtt, speech, otio, edl, fcpxml, not 'edl,avi'",
        ),
        (["--template", "$X"], "argument --template: X is not a field; fields are VIDEO_NAME, PERSON,"),
        (["--exprot", "edl"], "unrecognized arguments: --exprot; did you mean --export? (see main.py --help"),
        (["--nothing-like-it"], "unrecognized arguments: --nothing-like-it (see main.py --help"),
    ],
)
def test_a_usage_error_says_once_what_is_wrong_and_what_is_right(capsys, arguments, expected):
    with pytest.raises(SystemExit):
        main.main(arguments)
    assert expected in capsys.readouterr().err


def test_a_missing_package_is_one_line(tmp_path):
    (tmp_path / "msgspec.py").write_text("raise ModuleNotFoundError(\"No module named 'msgspec'\", name='msgspec')")
    done = launch("--help", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 3
    assert done.stderr == f"main.py: the package 'msgspec' is not installed ({main.INSTALL_HINT})\n"
    assert "requirements.txt -c constraints.txt" in main.INSTALL_HINT


@pytest.fixture
def videos(tmp_path, monkeypatch):
    """Two files that pass as videos and one that does not; nothing real is run."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        (folder / name).write_bytes(name.encode())

    def probe(path: Path, video_stream: int = 0):
        if path.name == "c.mp4":
            raise InvalidVideoError("not a video", path=path)
        return video_info(path, duration_s=2.0)

    monkeypatch.setattr(video_probe, "probe_video", probe)
    yield folder
    configure_logging(0, lambda line: None)


def scripted(monkeypatch, outcome):
    """Puts `outcome` in the place of the batch; returns what it was given."""
    arguments: dict[str, Any] = {}

    def run_batch(inputs, output_dir, settings, monitor, journal, given):
        arguments.update(inputs=inputs, output_dir=output_dir, settings=settings, monitor=monitor, given=given)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome(monitor) if callable(outcome) else outcome

    monkeypatch.setattr(batch_runner, "run_batch", run_batch)
    return arguments


DONE = BatchSummary((InputResult("a.mp4", "a", "done", people=1, clips=2, duration_s=4, wall_s=2),), 2.0)
FAILED = BatchSummary((InputResult("a.mp4", "a", "failed", "is broken"),), 2.0)


def test_the_table_goes_to_stdout_and_the_rest_to_stderr(videos, tmp_path, monkeypatch, capsys):
    given = scripted(monkeypatch, DONE)
    assert main.main([str(videos), "-o", str(tmp_path / "out"), "--size", "128"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "a    1 person    2 clips     4.0 s in 2.0 s (2.0x)",
        "1 video: 1 done; 2 clips; 2.0 s",
    ]
    assert "3 videos -> " in err and str(tmp_path / "out" / "index.html") in err
    assert [i.name for i in given["inputs"]] == ["a", "b", "c"]
    assert (given["output_dir"], given["settings"].clip.size) == (tmp_path / "out", 128)


@pytest.mark.parametrize(
    ("outcome", "code", "line"),
    [
        (FAILED, 1, ""),
        (OutputError("another run is writing", path="out"), 2, "main.py: out: another run is writing"),
        (ToolMissingError("no ffmpeg", hint="install it"), 3, "main.py: no ffmpeg (install it)"),
        (ImportError("No module named 'av'"), 3, "main.py: a package is missing or broken: No module named 'av'"),
        (PipelineError("odd"), 1, "main.py: odd"),
        (ZeroDivisionError("of\nmine"), 1, "main.py: unexpected ZeroDivisionError: of mine (run again with -v"),
        (KeyboardInterrupt(), 130, "main.py: interrupted"),
    ],
)
def test_every_end_has_its_exit_code_and_no_traceback(videos, tmp_path, monkeypatch, capsys, outcome, code, line):
    scripted(monkeypatch, outcome)
    assert main.main([str(videos), "-q", "-o", str(tmp_path / "out")]) == code
    err = capsys.readouterr().err
    assert line in err and "Traceback" not in err
    assert len(err.splitlines()) == (1 if line else 0)


def test_verbose_shows_the_traceback(videos, tmp_path, monkeypatch, capsys):
    scripted(monkeypatch, ZeroDivisionError("mine"))
    assert main.main([str(videos), "-v", "-o", str(tmp_path / "out")]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_quiet_shows_no_information(videos, tmp_path, monkeypatch, capsys):
    scripted(monkeypatch, DONE)
    assert main.main([str(videos), "-q", "-o", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().err == ""


def test_the_first_word_may_name_a_command(videos, tmp_path, monkeypatch):
    given = scripted(monkeypatch, DONE)
    assert main.main(["run", str(videos / "a.mp4"), "-o", str(tmp_path / "out")]) == 0
    assert [i.name for i in given["inputs"]] == ["a"]


def test_without_inputs_it_is_the_projects_folder(tmp_path, monkeypatch):
    given = scripted(monkeypatch, DONE)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.mp4").write_bytes(b"x")
    monkeypatch.setattr(run_command, "INPUT_DIR", tmp_path / "in")
    assert main.main(["-q"]) == 0
    assert [i.name for i in given["inputs"]] == ["x"]
    assert given["output_dir"] == PROJECT / "videos" / "output"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["version"], f"face-clips {VERSION}"),
        (["help"], "usage: python main.py [INPUT"),
        (["help", "render"], "usage: main.py render"),
        (["help", "nonsense"], "usage: python main.py [INPUT"),
    ],
)
def test_help_and_version_do_what_people_mean(capsys, words, expected):
    with pytest.raises(SystemExit) as caught:
        main.main(words)
    assert caught.value.code == 0 and expected in capsys.readouterr().out


def test_nothing_is_written_where_no_input_exists(tmp_path, monkeypatch, capsys):
    scripted(monkeypatch, AssertionError("it ran"))
    out = tmp_path / "out"
    code, printed, _ = launch_command(capsys, tmp_path / "a.mp4", tmp_path / "b.mp4", "-o", out)
    assert code == 1 and printed.count("failed: no such file") == 2 and "2 videos: 2 failed" in printed
    assert not out.exists()


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


def test_the_batch_is_told_which_settings_the_user_asks_for(videos, tmp_path, monkeypatch):
    (tmp_path / "mine.toml").write_text("[analysis]\nlook_out = 0.3\n[clip]\nsize = 256\n")
    arguments = scripted(monkeypatch, BatchSummary((), 1.0))
    command = [str(videos), "-q", "-o", str(tmp_path / "out"), "--aspect", "1:1", "--no-reel"]
    assert main.main([*command, "--config", str(tmp_path / "mine.toml")]) == 0
    assert arguments["given"] == {"clip.aspect", "output.reel", "analysis.search_interval", "clip.size"}
    assert main.main([str(videos), "-q", "-o", str(tmp_path / "out")]) == 0
    assert arguments["given"] == set()


def test_a_settings_file_beside_the_inputs_is_used_and_said(videos, tmp_path, monkeypatch, capsys):
    (videos / "face-clips.toml").write_text("[clip]\nsize = 256\n")
    arguments = scripted(monkeypatch, BatchSummary((), 1.0))
    assert main.main([str(videos), "-o", str(tmp_path / "out"), "--aspect", "9:16"]) == 0
    assert arguments["settings"].clip.frame_size == (144, 256)
    assert arguments["given"] == {"clip.aspect"}, "finished folders keep the size that they were made with"
    assert f"settings from {videos / 'face-clips.toml'}" in capsys.readouterr().err


def test_a_dry_run_says_what_would_be_replaced(videos, results, capsys):
    manifest = json.loads((results / "manifest.json").read_text())
    mark = asdict(fingerprint(videos / "a.mp4"))
    changed = {**manifest, "version": VERSION, "input": {"name": "a.mp4", **mark}, "timeline": {"sha256": None}}
    (results / "manifest.json").write_text(json.dumps(changed))
    dry = [str(videos / "a.mp4"), "--dry-run", "-o", str(results.parent), "--aspect", "9:16"]
    code, out, _ = launch_command(capsys, *dry)
    clips = len(manifest["clips"])
    assert code == 1 and f"it has {clips} finished clip" in out and "made with aspect 1:1 (--overwrite" in out
    code, out, _ = launch_command(capsys, *dry, "--overwrite")
    assert code == 0 and f"film, replacing {clips} clip" in out and "made with aspect 1:1" in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_ask_the_batch_to_stop(videos, tmp_path, monkeypatch, number):
    def wait(monitor):
        threading.Timer(0.1, os.kill, (os.getpid(), number)).start()
        assert monitor.stop.wait(10)
        return BatchSummary((), 1.0, interrupted=True)

    scripted(monkeypatch, wait)
    before = signal.getsignal(number)
    assert main.main([str(videos), "-q", "-o", str(tmp_path / "out")]) == 130
    assert signal.getsignal(number) is before


def test_a_reader_that_leaves_early_is_no_error(videos, tmp_path):
    script = "from utils.stdout_guard import *; take_stdout(); print_lines(f'{i}' * 1000 for i in range(10000))"
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as p:
        assert p.stdout is not None and p.stderr is not None
        p.stdout.readline()
        p.stdout.close()
        assert p.stderr.read() == b""
        assert p.wait(30) == 0


def launch_command(capsys, *arguments) -> tuple[int, str, str]:
    code = main.main([str(argument) for argument in arguments])
    return (code, *capsys.readouterr())


@pytest.fixture
def results(tmp_path) -> Iterator[Path]:
    """A finished folder with two people."""
    folder = tmp_path / "out" / "film"
    folder.mkdir(parents=True)
    people = [
        {
            "name": f"person_0{n}",
            "tracklets": [n],
            "segments": [{"shot": 0, "start_s": 0, "end_s": 2, "tracklets": [n]}],
        }
        for n in (1, 2)
    ]
    tracklets = [{"id": n, "shot": 0, "start_s": 3 * n, "end_s": 3 * n + 2} for n in (1, 2)]
    timeline = {"schema": 2, "analysis": "ab" * 32, "people": people, "tracklets": tracklets}
    (folder / "timeline.json").write_text(json.dumps(timeline))
    manifest = {**a_manifest(), "analysis": "ab" * 32, "input": {"name": "film.mp4", "size_bytes": 1, "sha256": "aa"}}
    (folder / "manifest.json").write_text(json.dumps({**manifest, "settings": result_settings(Settings())}))
    yield folder
    configure_logging(0, lambda line: None)


def people_of(folder: Path) -> list[str]:
    return [p["name"] for p in json.loads((folder / "timeline.json").read_text())["people"]]


def test_people_are_listed_on_stdout(results, capsys):
    code, out, err = launch_command(capsys, "people", results)
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["person", "person_01", "person_02"]
    assert launch_command(capsys, "people", "film", "-o", results.parent)[1] == out
    (results.parent / "other").mkdir()
    (results.parent / "damaged").mkdir()
    (results.parent / "damaged" / "manifest.json").write_text('{"schema": 2}')
    code, everybody, err = launch_command(capsys, "people", "-o", results.parent)
    assert everybody.splitlines() == ["film:", *(f"  {line}" for line in out.splitlines())]
    assert code == 2 and "damaged" in err and len(err.splitlines()) == 1
    tracklets = launch_command(capsys, "people", results, "--tracklets")[1].splitlines()
    assert [line.split() for line in tracklets[1:]] == [
        ["1", "1", "0:03.0", "0:05.0", "person_01"],
        ["2", "1", "0:06.0", "0:08.0", "person_02"],
    ]


def test_where_nothing_was_done_there_is_nobody_to_list(tmp_path, capsys):
    code, out, err = launch_command(capsys, "people", "-o", tmp_path / "out")
    assert (code, out) == (2, "") and "no results yet" in err


def test_a_command_that_is_misspelt_is_no_video(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, _, err = launch_command(capsys, "peple", "film", "-o", "out")
    assert code == 2 and err == "main.py: no file 'peple'; did you mean the command people?\n"
    assert not (tmp_path / "out").exists()
    scripted(monkeypatch, DONE)
    (tmp_path / "peple").write_bytes(b"a video")
    assert launch_command(capsys, "peple", "-q", "-o", "out")[0] == 0


def test_people_are_edited_one_command_each(results, capsys):
    assert launch_command(capsys, "rename", results, "person_01", "Anna")[0] == 0
    assert people_of(results) == ["Anna", "person_02"]
    code, out, err = launch_command(capsys, "merge", results, "Anna", "person_02")
    assert code == 0 and len(out.splitlines()) == 2
    assert f"main.py render {results}" in err
    assert launch_command(capsys, "split", results, "Anna", "--tracklets", "1-2")[0] == 2
    assert launch_command(capsys, "split", results, "Anna", "--tracklets", "2", "--name", "Bob")[0] == 0
    assert people_of(results) == ["Anna", "Bob"]
    assert launch_command(capsys, "assign", results, "Anna", "--tracklets", "2")[0] == 0
    assert people_of(results) == ["Anna"]
    code, out, err = launch_command(capsys, "split", results, "Anna", "--at", "0:04", "--name", "Zoe")
    assert code == 0 and [line.split()[0] for line in out.splitlines()] == ["person", "Anna", "Zoe"]
    assert launch_command(capsys, "drop", results, "Zoe")[0] == 0
    assert people_of(results) == ["Anna"]


def test_edits_are_taken_back_one_command_each(results, capsys):
    before = (results / "timeline.json").read_bytes()
    assert launch_command(capsys, "drop", results, "person_02")[0] == 0
    assert launch_command(capsys, "rename", results, "person_01", "Anna")[0] == 0
    code, out, err = launch_command(capsys, "undo", results)
    assert code == 0 and [line.split()[0] for line in out.splitlines()] == ["person", "person_01"]
    assert f"main.py render {results}" in err
    assert launch_command(capsys, "undo", "film", "-o", results.parent)[0] == 0
    assert (results / "timeline.json").read_bytes() == before
    assert launch_command(capsys, "undo", results)[2] == "main.py: film: there is no edit to take back\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["rename", "FOLDER", "nobody", "x"], "there is no person 'nobody' (there is person_01, person_02)"),
        (["rename", "FOLDER", "person_01", "a/b"], "cannot be the name of a folder"),
        (["split", "FOLDER", "person_01", "--tracklets", "x"], "expected numbers"),
        (["split", "FOLDER", "person_01"], "one of the arguments --tracklets --at is required"),
        (["split", "FOLDER", "person_01", "--at", "soon"], "expected a time like 11.64, 0:11.64 or 1:02:11.640"),
        (["split", "FOLDER", "person_01", "--at", "9"], "not seen both before and after 9 s"),
        (["assign", "FOLDER", "person_01", "--tracklets", "7"], "there is no tracklet 7 (there are 1,2)"),
        (["undo", "FOLDER"], "there is no edit to take back"),
        (["drop", "FOLDER"], "required: PERSON"),
        (["people", "nowhere"], "neither a video nor a folder with results"),
        (["people", "nowhere", "-o", "PARENT"], "(there is film in "),
        (["render", "FOLDER", "--min-face", "0.1"], "unrecognized arguments: --min-face"),
        (["render", "FOLDER"], "its video film.mp4 cannot be found"),
        (["cache", "burn"], "invalid choice"),
        (["clean"], "--older-than"),
        (["clean", "--older-than", "soon"], "like 30d, not 'soon'"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_2(results, tmp_path, capsys, arguments, complaint):
    places = {"FOLDER": str(results), "PARENT": str(results.parent)}
    arguments = [places.get(argument, argument) for argument in arguments]
    if arguments[0] == "render":
        arguments += ["--cache-dir", str(tmp_path)]
    before = (results / "timeline.json").read_bytes()
    try:
        code: object = main.main(arguments)
    except SystemExit as end:
        code = end.code
    err = capsys.readouterr().err
    assert code == 2
    assert complaint in err and len(err.splitlines()) == 1
    assert (results / "timeline.json").read_bytes() == before


def test_the_cache_is_described_and_cleared(tmp_path, capsys):
    entry = tmp_path / "analyses" / f"{'a' * 64}.npz"
    entry.parent.mkdir()
    entry.write_bytes(bytes(2_000_000))
    code, out, err = launch_command(capsys, "cache", "info", "--cache-dir", tmp_path, "--cache-mb", 10)
    assert (code, err) == (0, "")
    assert "analyses  1" in out and "2.0 of 10 MB" in out
    assert launch_command(capsys, "cache", "--cache-dir", tmp_path, "--cache-mb", 10)[1] == out
    assert launch_command(capsys, "cache", "clear", "--cache-dir", tmp_path)[1] == "1 analysis removed, 2.0 MB\n"
    assert not entry.exists()


def test_old_things_are_cleaned_away(results, tmp_path, capsys):
    entry, others = (tmp_path / "analyses" / f"{digits * 32}.npz" for digits in ("ab", "cd"))
    entry.parent.mkdir()
    for path in (entry, others):
        path.write_bytes(b"x")
        os.utime(path, (0, 0))
    arguments = ["clean", "--older-than", "30d", "-o", results.parent, "--cache-dir", tmp_path]
    assert "1 would be removed" in launch_command(capsys, *arguments, "--dry-run")[1]
    assert entry.exists()
    assert "1 removed" in launch_command(capsys, *arguments)[1]
    assert not entry.exists() and others.exists() and results.exists()
    assert str(entry) in (results.parent / "clean.log").read_text()


def test_every_command_has_its_help(capsys):
    text = launch("--help").stdout
    assert set(run_command.OTHER_COMMANDS) == set(main.COMMANDS) - {"run"}
    for name in run_command.OTHER_COMMANDS:
        assert name in text
        with pytest.raises(SystemExit) as end:
            main.main([name, "--help"])
        assert end.value.code == 0
        assert f"main.py {name}" in capsys.readouterr().out


NOISY = """
import os, sys, main
from processors import batch_runner
from processors.batch.batch_summary import BatchSummary
from processors.batch.input_result import InputResult
def run_batch(*_, **__):
    import highspy
    highspy.Highs()
    print("python")
    os.write(1, b"system call\\n")
    return BatchSummary((InputResult("a.mp4", "a", "done", people=1, clips=2, duration_s=4, wall_s=2),), 2.0)
batch_runner.run_batch = run_batch
sys.exit(main.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("flags", [["-v"], *(pytest.param(flags, marks=pytest.mark.slow) for flags in ([], ["-q"]))])
def test_libraries_cannot_print_between_the_lines_on_stdout(videos, tmp_path, flags):
    argv = [sys.executable, "-c", NOISY, str(videos), "-o", str(tmp_path / "out"), *flags]
    done = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 2 and done.stdout.startswith("a    1 person")
    shown = [text in done.stderr for text in ("Running HiGHS", "python", "system call")]
    assert shown == [flags == ["-v"]] * 3
    if flags == ["-q"]:
        assert done.stderr == ""
