"""Imports only go down the layers, from commands to utils, including imports inside functions."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent

ENTRY_POINTS = {
    "batch_runner", "clip_renderer", "crop_planner", "face_analyzer", "id_timeline_generator", "video_processor",
}  # fmt: skip
"""the modules directly in processors/; all others are in the package of their stage"""

LEVELS: tuple[tuple[str, ...], ...] = (
    ("main",),
    ("processors.commands",),
    ("processors.batch_runner",),
    ("processors.cluster",),
    ("processors.workers",),
    ("processors.batch",),
    ("processors.video_processor",),
    ("processors.extras",),
    ("processors.video",),
    ("processors.pages",),
    ("processors.results",),
    ("processors.known_people",),
    (
        "processors.clip_renderer", "processors.crop_planner", "processors.face_analyzer",
        "processors.id_timeline_generator",
    ),
    ("processors.camera", "processors.clips", "processors.faces", "processors.people"),
    ("processors.shots", "processors.speech", "processors.tracking"),
    ("core.analysis_store", "core.embedding_manager", "core.model_manager"),
    ("core.media", "core.models"),
    ("core.models.inference",),
    ("core.models.networks",),
    ("core.media.containers",),
    ("core",),
    ("config",),
    ("utils.console",),
    ("utils.images", "utils.numbers", "utils.processes"),
    ("utils",),
)  # fmt: skip
"""A module may import from its own package and from lower levels, but not from other packages of its own level."""

CONFIG_MAY_IMPORT = {"utils"}
OURS = {"main", "config", "processors", "core", "utils"}
NOT_FOR_THE_PROGRAM = {"tests", "benchmarks", "videos"}

TOP_LEVEL = {
    "main.py", "config.py", "requirements.txt", "requirements-dev.txt", "requirements-models.txt",
    "requirements-ray.txt", "constraints.txt", "refactor.md", "README.md", "LICENSE", "THIRD_PARTY.md", "CHANGELOG.md",
    "Makefile", "docs", "processors", "core", "utils", "videos", "tests", "benchmarks",
}  # fmt: skip
"""files and folders there besides dot-files"""

DISTRIBUTIONS = {
    "lap": "lapx",
    "PIL": "pillow",
    "cv2": "opencv-contrib-python-headless",
    "face_recognition_models": "face-recognition-models",
    "facenet_pytorch": "facenet-pytorch",
    "ffmpeg": "ffmpeg-python",
    "imageio_ffmpeg": "imageio-ffmpeg",
    "tomllib": "tomli",  # not in the standard library of Python 3.10
}
"""distributions of modules with another name"""


def program_files(root: Path) -> list[Path]:
    """The program's source files, relative to `root`."""
    folders = [path for name in sorted(OURS) for path in sorted((root / name).rglob("*.py"))]
    return [path.relative_to(root) for path in [*folders, root / "main.py", root / "config.py"] if path.is_file()]


def module_name(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, file: Path) -> set[str]:
    """All modules and names that `source` imports: "core", "core.types", "core.types.Frame"."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = file.parent.parts[: len(file.parent.parts) - node.level + 1] if node.level else ()
            base = ".".join([*package, *([node.module] if node.module else [])])
            found.update({base} - {""})
            found.update(f"{base}.{alias.name}" if base else alias.name for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            found.update(
                arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            )
    return found


def module_graph(root: Path) -> dict[str, set[str]]:
    """The modules of the program that each module imports."""
    files = {module_name(file): file for file in program_files(root)}
    return {
        name: {other for other in imports((root / file).read_text(encoding="utf-8"), file) if other in files} - {name}
        for name, file in files.items()
    }


def unit(name: str) -> tuple[int, str] | None:
    """Level of the module `name` and its package or module in `LEVELS`; None if it is in none."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        prefix = ".".join(parts[:count])
        for number, level in enumerate(LEVELS):
            if prefix in level:
                return number, prefix
    return None


def complaint(module: str, name: str) -> str:
    """Why `module` must not import `name`, or ""."""
    top = name.split(".")[0]
    if top in NOT_FOR_THE_PROGRAM:
        return "which is not part of the program"
    if top not in OURS:
        return ""
    # "from processors import face_analyzer" yields the package as well as the module.
    if name in ("processors", "core") and module != "config" and not module.startswith("utils"):
        return "which stands above it" if (name, module.split(".")[0]) == ("processors", "core") else ""
    if module == "config":
        fits = any(name == ok or name.startswith(f"{ok}.") for ok in CONFIG_MAY_IMPORT)
        return "" if fits else f"but config may only import {', '.join(sorted(CONFIG_MAY_IMPORT))}"
    mine, theirs = unit(module), unit(name)
    if mine is None or theirs is None:
        unknown = module if mine is None else name
        return f"and {unknown} has no place in the order: put it into the package of its stage"
    if mine[1] == theirs[1] or mine[0] < theirs[0]:
        return ""
    return f"but {mine[1]} may not look {'up' if mine[0] > theirs[0] else 'aside'} to {theirs[1]}"


def violations(root: Path) -> list[str]:
    """Forbidden imports, one line each."""
    return [
        f"{file} imports {name}, {why}"
        for file in program_files(root)
        for name in sorted(imports((root / file).read_text(encoding="utf-8"), file))
        if (why := complaint(module_name(file), name))
    ]


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Import cycles, each as a list of modules that begins and ends with the same module."""
    done: set[str] = set()
    found: list[list[str]] = []

    def visit(module: str, way: list[str]) -> None:
        if module in way:
            found.append([*way[way.index(module) :], module])
        elif module not in done:
            for other in sorted(graph[module]):
                visit(other, [*way, module])
            done.add(module)

    for module in sorted(graph):
        visit(module, [])
    return found


def test_imports_point_one_way() -> None:
    assert violations(PROJECT) == []


def test_no_cycles() -> None:
    assert cycles(module_graph(PROJECT)) == []


def test_only_the_doors_stand_on_top_of_the_stages() -> None:
    assert {path.stem for path in (PROJECT / "processors").glob("*.py")} - {"__init__"} == ENTRY_POINTS


def test_every_package_says_what_it_takes_and_gives() -> None:
    for file in program_files(PROJECT):
        package = PROJECT / file.parent / "__init__.py"
        if len(file.parts) > 1:
            assert package.is_file() and ast.get_docstring(ast.parse(package.read_text(encoding="utf-8"))), package


def test_every_package_of_stages_has_a_place_in_the_order() -> None:
    """Listed packages exist, and existing packages are listed."""
    listed = {name for level in LEVELS for name in level if name.count(".") == 1}
    packages = {
        f"{layer}.{path.parent.name}"
        for layer in ("processors", "core", "utils")
        for path in (PROJECT / layer).glob("*/*.py")
    }
    assert packages == {name for name in listed if (PROJECT / name.replace(".", "/")).is_dir()}
    assert {name for name in listed if not (PROJECT / f"{name.replace('.', '/')}.py").is_file()} == packages


def test_tests_mirror_the_folders() -> None:
    """tests/processors/shots/test_x.py tests processors/shots: no test folder is left over from a move."""
    for layer in ("processors", "core", "utils", "benchmarks"):
        for path in (PROJECT / "tests" / layer).rglob("test_*.py"):
            folder = path.parent.relative_to(PROJECT / "tests")
            assert (PROJECT / folder / "__init__.py").is_file(), folder


def test_top_level_is_as_designed() -> None:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout: local files cannot be told from the project's")
    names = {file.split("/")[0] for file in listing.stdout.split("\0") if file}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_every_dependency_is_declared() -> None:
    files = ("requirements.txt", "requirements-ray.txt")
    lines = [line for file in files for line in (PROJECT / file).read_text().splitlines()]
    declared = {re.split(r"[^\w-]", line)[0].lower() for line in lines}
    used = {
        name.split(".")[0]
        for file in program_files(PROJECT)
        for name in imports((PROJECT / file).read_text(encoding="utf-8"), file)
    }
    foreign = {name for name in used - OURS - {"__future__"} if name not in sys.stdlib_module_names}
    assert {DISTRIBUTIONS.get(name, name) for name in foreign} <= declared


def test_ray_is_imported_by_one_module() -> None:
    """It is optional, and slow to import."""
    importing = {
        file.as_posix()
        for file in program_files(PROJECT)
        if {"ray"} & {name.split(".")[0] for name in imports((PROJECT / file).read_text(encoding="utf-8"), file)}
    }
    assert importing == {"processors/cluster/ray_connection.py"}


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("utils/a.py", "import core.types"),
        ("utils/a.py", "from core import types"),
        ("utils/a.py", "import config"),
        ("core/a.py", "def f():\n    from processors.b import c"),
        ("core/a.py", "import importlib\nimportlib.import_module('main')"),
        ("core/a.py", "from ..processors import b"),
        ("core/a.py", "from core.media import b"),
        ("core/media/a.py", "from core.models import b"),
        ("core/media/containers/a.py", "from core.media import b"),
        ("core/media/a.py", "from core import model_manager"),
        ("processors/a.py", "from core import types"),
        ("processors/shots/a.py", "import main"),
        ("processors/shots/a.py", "from tests import conftest"),
        ("processors/shots/a.py", "from processors.tracking.b import c"),
        ("processors/tracking/a.py", "from processors.faces.b import c"),
        ("processors/tracking/a.py", "from ..faces import b"),
        ("processors/clips/a.py", "from processors import clip_renderer"),
        ("processors/clip_renderer.py", "from processors.face_analyzer import a"),
        ("processors/face_analyzer.py", "from processors.results import a"),
        ("processors/results/a.py", "from processors.extras.registry import b"),
        ("processors/known_people/a.py", "from processors.results import b"),
        ("processors/extras/a.py", "from processors.video_processor import b"),
        ("processors/video_processor.py", "from processors.batch.a import b"),
        ("processors/batch/a.py", "from processors.workers.b import c"),
        ("processors/workers/a.py", "from processors.cluster.b import c"),
        ("processors/video_processor.py", "from processors import batch_runner"),
        ("processors/batch_runner.py", "def f():\n    from processors.commands import a"),
        ("processors/new_stage/a.py", "from core import types"),
        ("config.py", "from core.types import Frame"),
        ("config.py", "from core import types"),
        ("config.py", "from core.errors import SettingsError"),
        ("main.py", "from tests.material.synthetic import scenes"),
    ],
)
def test_the_check_sees_wrong_imports(tmp_path: Path, file: str, line: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(line)
    assert len(violations(tmp_path)) >= 1


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("main.py", "from processors.shots import a"),
        ("processors/commands/a.py", "from processors import batch_runner, video_processor"),
        ("processors/batch/a.py", "from processors.video_processor import b"),
        ("processors/faces/a.py", "from processors.tracking.b import c"),
        ("processors/results/a.py", "from processors.results.b import c\nfrom processors.clips import d"),
        ("core/media/a.py", "from core.media.b import c\nfrom core import types\nfrom config import Settings"),
        ("core/model_manager.py", "from core import weights\nfrom core.models.inference.nets import Net"),
        ("config.py", "from utils.time_formats import parse_age"),
        ("utils/a.py", "from utils.b import c\nimport numpy"),
    ],
)
def test_the_check_lets_right_imports_pass(tmp_path: Path, file: str, line: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(line)
    assert violations(tmp_path) == []


def test_the_check_sees_cycles(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core/a.py").write_text("def f():\n    from core import b")
    (tmp_path / "core/b.py").write_text("from core.c import x")
    (tmp_path / "core/c.py").write_text("import core.a")
    assert cycles(module_graph(tmp_path)) == [["core.a", "core.b", "core.c", "core.a"]]
