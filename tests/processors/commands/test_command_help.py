"""Help and usage errors: every command and flag is described, and a mistake is one line that says what is right."""

from __future__ import annotations

import pytest

import main
from config import VERSION
from core.options import options
from processors.commands import run_command
from tests.material.command_calls import DONE, launch, run_main, scripted

pytestmark = pytest.mark.errors_expected


def test_help_tells_every_flag_its_range_and_its_default():
    text = " ".join(launch("--help").stdout.split())
    for option in options():
        assert option.flag in text
        assert option.help.split(" (")[0] in text
    assert "(0.02 to 0.5; default: 0.05)" in text
    assert "exit codes: 0 all done" in text


def test_every_command_has_its_help(capsys):
    text = launch("--help").stdout
    assert set(run_command.OTHER_COMMANDS) == set(main.COMMANDS) - {"run"}
    for name in run_command.OTHER_COMMANDS:
        assert name in text
        with pytest.raises(SystemExit) as end:
            main.main([name, "--help"])
        assert end.value.code == 0
        assert f"main.py {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["version"], f"face-clips {VERSION}"),
        (["help"], "usage: main.py [INPUT"),
        (["help", "render"], "usage: main.py render"),
        (["help", "nonsense"], "usage: main.py [INPUT"),
    ],
)
def test_help_and_version_do_what_people_mean(capsys, words, expected):
    with pytest.raises(SystemExit) as caught:
        main.main(words)
    assert caught.value.code == 0 and expected in capsys.readouterr().out


def test_a_wrong_value_is_named_with_what_is_expected():
    error = launch("--min-face", "3").stderr
    assert "argument --min-face: expected a number, 0.02 to 0.5, not '3' (see" in error


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--aspect", "9x16"], "argument --aspect: '9x16' is not WIDTH:HEIGHT (see main.py"),
        (
            ["--export", "edl,avi"],
            "argument --export: 'edl,avi': 'avi' is not one of mot, coco, vtt, speech, otio, edl, fcpxml (see",
        ),
        (["--template", "$X"], "argument --template: '$X': X is not a field; fields are VIDEO_NAME, PERSON,"),
        (["--template", ""], "argument --template: '': it is empty; fields are VIDEO_NAME, PERSON,"),
        (["--size", "0"], "argument --size: '0': 0x0 px, but each side must be an even number from 64 to 4096 (see"),
        (["--workers", "many"], "argument --workers: 'many' is neither auto nor a number from 1 to 64 (see"),
        (["--exprot", "edl"], "unrecognized arguments: --exprot; did you mean --export? (see main.py --help"),
        (["--fps"], "unrecognized arguments: --fps (see main.py --help"),
        (["-o", "a", "x.mp4", "-o", "b"], "argument -o/--output: given twice, as a and as b; name one folder (see"),
        (["people", "-o", "a", "--output", "b"], "argument -o/--output: given twice, as a and as b"),
        (["--nothing-like-it"], "unrecognized arguments: --nothing-like-it (see main.py --help"),
    ],
)
def test_a_usage_error_says_once_what_is_wrong_and_what_is_right(capsys, arguments, expected):
    with pytest.raises(SystemExit):
        main.main(arguments)
    assert expected in capsys.readouterr().err


def test_a_command_that_is_misspelt_is_not_a_video(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, _, err = run_main(capsys, "peple", "film", "-o", "out")
    assert code == 2 and err == "main.py: no file 'peple'; did you mean the command people?\n"
    assert not (tmp_path / "out").exists()
    scripted(monkeypatch, DONE)
    (tmp_path / "peple").write_bytes(b"a video")
    assert run_main(capsys, "peple", "-q", "-o", "out")[0] == 0
