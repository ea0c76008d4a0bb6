"""Imports point one way, main -> processors -> core -> utils, wherever in a file they stand."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent

MAY_IMPORT = {
    "main": {"config", "processors", "core", "utils"},
    "processors": {"config", "processors", "core", "utils"},
    "core": {"config", "core", "utils"},
    "utils": {"utils"},
}
CONFIG_MAY_IMPORT = {"core.errors"}
OURS = {"main", "config", "processors", "core", "utils"}
NOT_FOR_THE_PROGRAM = {"tests", "benchmarks", "videos"}

TOP_LEVEL = {
    "main.py", "config.py", "requirements.txt", "requirements-dev.txt", "constraints.txt", "refactor.md", "README.md",
    "LICENSE", "Makefile", "processors", "core", "utils", "videos", "tests", "benchmarks",
}  # fmt: skip
"""what DESIGN, section 2, allows beside dot-files"""

DISTRIBUTIONS = {
    "PIL": "pillow",
    "cv2": "opencv-contrib-python-headless",
    "dlib": "dlib-bin",
    "face_recognition_models": "face-recognition-models",
    "facenet_pytorch": "facenet-pytorch",
    "ffmpeg": "ffmpeg-python",
    "imageio_ffmpeg": "imageio-ffmpeg",
    "tomllib": "tomli",  # only Python 3.10 counts it among the foreign ones
}
"""names in requirements.txt of modules that are called something else"""


def program_files(root: Path) -> list[Path]:
    """The program's sources below `root`, relative to it."""
    folders = [path for name in sorted(OURS) for path in sorted((root / name).rglob("*.py"))]
    return [path.relative_to(root) for path in [*folders, root / "main.py", root / "config.py"] if path.is_file()]


def module_name(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, file: Path) -> set[str]:
    """Every module that `source` names, with the names imported from it: "core", "core.types", "core.types.Frame"."""
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
    """Which of our modules imports which."""
    files = {module_name(file): file for file in program_files(root)}
    return {
        name: {other for other in imports((root / file).read_text(encoding="utf-8"), file) if other in files} - {name}
        for name, file in files.items()
    }


def violations(root: Path) -> list[str]:
    """Imports that point the wrong way, one line each."""
    bad = []
    for file in program_files(root):
        module = module_name(file)
        layer = module.split(".")[0]
        for name in sorted(imports((root / file).read_text(encoding="utf-8"), file)):
            top = name.split(".")[0]
            if top in NOT_FOR_THE_PROGRAM:
                bad.append(f"{file} imports {name}, which is not part of the program")
            elif top not in OURS:
                continue
            elif layer == "config":
                if not any(name == ok or name.startswith(f"{ok}.") for ok in CONFIG_MAY_IMPORT):
                    bad.append(f"{file} imports {name}")
            elif top not in MAY_IMPORT[layer]:
                bad.append(f"{file} imports {name}: {layer} may not look up to {top}")
    return bad


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Modules that import themselves by a detour, each as the way round."""
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


def test_top_level_is_as_designed() -> None:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout: local files cannot be told from the project's")
    names = {file.split("/")[0] for file in listing.stdout.split("\0") if file}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_every_dependency_is_declared() -> None:
    declared = {
        re.split(r"[^\w-]", line)[0].lower() for line in (PROJECT / "requirements.txt").read_text().splitlines()
    }
    used = {
        name.split(".")[0]
        for file in program_files(PROJECT)
        for name in imports((PROJECT / file).read_text(encoding="utf-8"), file)
    }
    foreign = {name for name in used - OURS - {"__future__"} if name not in sys.stdlib_module_names}
    assert {DISTRIBUTIONS.get(name, name) for name in foreign} <= declared


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("utils/a.py", "import core.types"),
        ("utils/a.py", "from core import types"),
        ("utils/a.py", "import config"),
        ("core/a.py", "def f():\n    from processors.b import c"),
        ("core/a.py", "import importlib\nimportlib.import_module('main')"),
        ("core/a.py", "from ..processors import b"),
        ("processors/a.py", "import main"),
        ("processors/a.py", "from tests import conftest"),
        ("config.py", "from core.types import Frame"),
        ("config.py", "from core import types"),
        ("main.py", "from benchmarks.synthetic import scenes"),
    ],
)
def test_the_check_sees_wrong_imports(tmp_path: Path, file: str, line: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(line)
    assert len(violations(tmp_path)) >= 1


def test_the_check_sees_cycles(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core/a.py").write_text("def f():\n    from core import b")
    (tmp_path / "core/b.py").write_text("from core.c import x")
    (tmp_path / "core/c.py").write_text("import core.a")
    assert cycles(module_graph(tmp_path)) == [["core.a", "core.b", "core.c", "core.a"]]
