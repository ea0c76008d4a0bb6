"""Documents name only what exists: paths, modules, flags, commands, links; and files that are written are described."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from config import EXTRA_FILES, OutputSettings
from core.analysis_file import COLUMNS
from main import COMMANDS

PROJECT = Path(__file__).resolve().parent.parent
TOP = ("README.md", "CHANGELOG.md", "THIRD_PARTY.md", "refactor.md", ".github/CONTRIBUTING.md")
DOCUMENTS = [*TOP, *(path.relative_to(PROJECT).as_posix() for path in sorted((PROJECT / "docs").rglob("*.md")))]
FOLDERS = ("processors", "core", "utils", "benchmarks", "tests", "videos", "docs")

PATH = re.compile(rf"(?<![\w./-])(?:{'|'.join(FOLDERS)})/[\w./*-]*[\w*]")
TOP_LEVEL_FILE = re.compile(r"(?:main|config)\.py|\w+\.(?:ini|toml|txt)|Makefile")
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([\w-]+))?\)")
FLAG = re.compile(r"--[a-z][a-z-]+")
FOREIGN_FLAGS = {
    "--dry-run --ignore-installed", "--enable-gpl --enable-version3", "--strict", "--head --port=6379",
    "--address=HEAD:6379",
}  # fmt: skip
"""options of pip, ffmpeg's configure, mypy and Ray"""
TOKEN = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"main\.py ([a-z]+)\b")
TARGET = re.compile(r"(?<![\w`])make ([a-z]+)(?![\w-])")
BENCHMARK = re.compile(r"python -m benchmarks ([a-z_]+)")
WRITTEN = {"mot.txt", "traceback.txt", "threads.txt", "log_before.txt", "README.txt"}
"""text files that the program writes"""
MADE_LATER = "videos/output"
"""folder of results, empty in a fresh clone"""


@functools.cache
def text_of(document: str) -> str:
    return (PROJECT / document).read_text(encoding="utf-8")


def spans(document: str) -> Iterator[str]:
    """What stands in backticks, and indented blocks of code."""
    text = text_of(document)
    yield from TOKEN.findall(text)
    yield from (line.strip() for line in text.splitlines() if line.startswith("    "))


@functools.cache
def sources() -> str:
    """All of our program text and the tools' settings."""
    files = [*PROJECT.glob("*.py"), *PROJECT.glob(".*.ini"), PROJECT / "Makefile"]
    files += [path for folder in FOLDERS[:-1] for path in (PROJECT / folder).rglob("*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@functools.cache
def known_flags() -> frozenset[str]:
    from core.options import options

    switches = {option.flag for option in options()}
    negations = {f"--no-{option.flag[2:]}" for option in options() if option.is_switch}
    return frozenset({*switches, *negations, *re.findall(r"--[a-z][a-z-]+", sources()), "--help"})


def exists(path: str) -> bool:
    place = PROJECT / path.rstrip("/")
    if "*" in path:
        return any(PROJECT.glob(path))
    return path.startswith(MADE_LATER) or place.exists() or place.with_suffix(".py").exists()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_exist(document: str) -> None:
    named = {path for span in spans(document) for path in PATH.findall(span)}
    named |= {span for span in spans(document) if TOP_LEVEL_FILE.fullmatch(span)}
    assert sorted(path for path in named if not exists(path) and path not in WRITTEN) == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    broken = []
    for target, anchor in LINK.findall(text_of(document)):
        if target.startswith(("http:", "https:")):
            continue
        path = (PROJECT / document).parent / target if target else PROJECT / document
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(f"{target}#{anchor}")
    assert broken == []


def anchors(path: Path) -> set[str]:
    """Those that GitHub gives to the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name != "THIRD_PARTY.md"])
def test_flags_exist(document: str) -> None:
    named = {flag for span in spans(document) for flag in FLAG.findall(without_foreign(span))}
    assert sorted(named - known_flags()) == []


def without_foreign(span: str) -> str:
    for foreign in FOREIGN_FLAGS:
        span = span.replace(foreign, "")
    return span


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_exist(document: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for span in spans(document):
        assert set(COMMAND.findall(span)) <= {*COMMANDS}, span
        assert set(TARGET.findall(span)) <= targets, span
        for name in BENCHMARK.findall(span):
            assert any((PROJECT / "benchmarks").rglob(f"{name}.py")), span


def test_nothing_outside_the_repository() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    missing = [name for name in DOCUMENTS if name not in listed.stdout.split("\0")]
    assert missing == []
    assert [name for name in DOCUMENTS if "../shared" in text_of(name)] == []


def file_constants() -> set[str]:
    """Values of the program's constants called ..._FILE: names of files that it writes."""
    found = set()
    for folder in ("processors", "core"):
        for path in sorted((PROJECT / folder).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if (
                    isinstance(node, ast.Assign)
                    and isinstance(node.targets[0], ast.Name)
                    and node.targets[0].id.endswith("_FILE")
                    and isinstance(node.value, ast.Constant)
                    and isinstance(node.value.value, str)
                ):
                    found.add(node.value.value)
    return found


def test_files_that_are_written_are_described() -> None:
    constants = file_constants() | set(EXTRA_FILES.values())
    assert {"manifest.json", "tracks.csv", ".face-clips.lock"} <= constants  # the search finds them
    text = text_of("docs/outputs.md")
    assert sorted(name for name in constants if f"`{name}`" not in text and f"/{name}`" not in text) == []


@pytest.mark.parametrize("format_name", get_args(get_args(get_type_hints(OutputSettings)["export"])[0]))
def test_every_export_is_described(format_name: str) -> None:
    named = {
        name for match in re.findall(r"--export ([a-z,]+)`", text_of("docs/outputs.md")) for name in match.split(",")
    }
    assert format_name in named


def test_columns_are_described() -> None:
    from processors.results.tracks_table import TRACKS_HEADER

    text = text_of("docs/outputs.md")
    assert [column for column in (*TRACKS_HEADER.split(","), *COLUMNS) if f"`{column}`" not in text] == []
