"""Which build of PyTorch `make run` installs, and that it does so once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.material.loaded_module import load_module

PROJECT = Path(__file__).resolve().parent.parent
SCRIPT = PROJECT / ".github" / "choose_torch.py"
PINS = {"torch": "2.14.1", "torchvision": "0.29.1"}
CPU = ["torch==2.14.1+cpu", "torchvision==0.29.1+cpu"]
NOT_CPU = ["torch!=2.14.1+cpu", "torchvision!=0.29.1+cpu"]


choose_torch = load_module(SCRIPT)
PYTORCH = choose_torch.CPU_INDEX


def choose(wanted, *, driver=False, offered=None, platform="linux", pins=PINS):
    """offered: requirements by index."""

    def offers(requirement: str, index: str) -> bool:
        return requirement in (offered or {}).get(index, ())

    return choose_torch.choose(wanted, platform, pins, has_driver=driver, offers=offers)


@pytest.mark.parametrize(
    ("wanted", "driver", "offered", "arguments", "said"),
    [
        ("auto", False, {"": CPU}, CPU, "TORCH=cuda"),
        ("auto", False, {PYTORCH: CPU}, ["--extra-index-url", PYTORCH, *CPU], "0.8 GB"),
        ("auto", False, {"": CPU[:1], PYTORCH: CPU}, ["--extra-index-url", PYTORCH, *CPU], "0.8 GB"),
        ("auto", False, {"": CPU[:1]}, [], "No CPU build of PyTorch 2.14.1"),
        ("auto", False, {"": ["torch==2.13.0+cpu", "torchvision==0.28.0+cpu"]}, [], "3.5 GB"),
        ("auto", True, {"": CPU}, NOT_CPU, "3.5 GB"),
        ("cuda", False, {"": CPU}, NOT_CPU, "TORCH=cpu"),
        ("cpu", True, {"": CPU}, CPU, "TORCH=cuda"),
    ],
)
def test_the_choice(wanted, driver, offered, arguments, said):
    found, line = choose(wanted, driver=driver, offered=offered)
    assert found == arguments and said in line


def test_a_build_that_was_asked_for_and_is_not_to_be_had_is_an_error():
    with pytest.raises(choose_torch.NotOfferedError, match=r"No CPU build of PyTorch 2\.14\.1.*PIP_EXTRA_INDEX_URL"):
        choose("cpu", driver=True)


def test_other_systems_have_one_build():
    for wanted in ("auto", "cpu", "cuda"):
        assert choose(wanted, platform="darwin")[0] == []


def test_without_tested_versions_pip_chooses_among_all():
    any_cpu = ["torch==+cpu", "torchvision==+cpu"]
    assert choose("auto", pins={}, offered={PYTORCH: any_cpu})[0] == ["--extra-index-url", PYTORCH]
    assert choose("auto", pins={}, driver=True, offered={PYTORCH: any_cpu})[0] == []


def test_the_tested_versions_are_those_of_the_constraints():
    pins = choose_torch.pinned_versions((PROJECT / "constraints.txt").read_text(encoding="utf-8"))
    assert set(pins) == {"torch", "torchvision"} and all(version[0].isdigit() for version in pins.values())
    assert choose_torch.pinned_versions("numpy==2\nmytorch==3\n") == {}


@pytest.mark.slow
def test_pip_is_asked_for_both_kinds_of_index(tmp_path, monkeypatch):
    for name in ("torch-2.14.1+cpu-py3-none-any.whl", "torch-2.14.1-py3-none-any.whl"):
        (tmp_path / name).touch()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert choose_torch.offered_by_pip("torch==2.14.1+cpu", "")
    assert choose_torch.offered_by_pip("torch==+cpu", "")
    assert not choose_torch.offered_by_pip("torch==2.13.0+cpu", "")
    assert not choose_torch.offered_by_pip("torchvision==+cpu", "")
    monkeypatch.setenv("PIP_NO_INDEX", "0")
    monkeypatch.delenv("PIP_FIND_LINKS")
    # Nobody listens there: as if the machine were offline.
    assert not choose_torch.offered_by_pip("torch==2.14.1+cpu", "http://127.0.0.1:9")


def test_an_index_that_hangs_is_done_without(monkeypatch):
    def hang(command, timeout, **_):
        assert timeout <= 30
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    assert not choose_torch.offered_by_pip("torch==2.14.1+cpu", PYTORCH)


@pytest.mark.parametrize("arguments", [["vulkan"], ["cpu2", "constraints.txt"]])
def test_other_words_are_refused(arguments, capsys):
    assert choose_torch.main(*arguments) == 1
    assert "auto, cpu or cuda" in capsys.readouterr().err


PYTHON = """#!/bin/sh
# Stands for Python, in and outside the virtual environment: notes what it is asked to do.
case "$*" in
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  *choose_torch.py\\ vulkan*) exit 1 ;;
  *choose_torch.py*) echo "torch==1+$2" ;;
  "-m pip "*) echo "$*" >>"$LOG" ;;
  "main.py "*) exit 3 ;;
esac
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
def test_make_installs_what_is_chosen_and_only_when_something_changes(tmp_path):
    python, log = tmp_path / "python", tmp_path / "log"
    python.write_text(PYTHON)
    python.chmod(0o755)

    def make(*variables: str) -> tuple[list[str], subprocess.CompletedProcess[str]]:
        """pip's arguments that name a build, and how `make run` ended."""
        log.write_text("")
        command = ["make", "run", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}", "ARGS=-x", *variables]
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
        environment = {**environment, "LOG": str(log), "LC_ALL": "C"}
        done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
        words = [word for line in log.read_text().splitlines() for word in line.split()]
        return [word for word in words if word.startswith("torch==")], done

    built, done = make()
    assert built == ["torch==1+auto"]
    assert done.returncode == 2 and "Error 3" in done.stderr, "make's own code; the program's is said"
    assert make()[0] == []
    assert make("TORCH=cuda")[0] == ["torch==1+cuda"]
    assert make("TORCH=cuda")[0] == make()[0] == [], "what was chosen stays"
    assert make("TORCH=cpu")[0] == ["torch==1+cpu"]
    assert make("TORCH=cuda")[0] == ["torch==1+cuda"]
    built, done = make("TORCH=vulkan")
    assert log.read_text() == "" and done.returncode == 2 and "Error 3" not in done.stderr


def test_the_script_runs_on_a_bare_python():
    done = subprocess.run([sys.executable, "-S", str(SCRIPT), "vulkan"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "") and "TORCH=vulkan" in done.stderr
