"""Lists the benchmarks, or runs one by its short name: python -m benchmarks [NAME [ARGUMENT ...]]"""

from __future__ import annotations

import ast
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
QUESTIONS = ("quality", "speed", "robustness")


def benchmarks(question: str) -> Iterator[tuple[str, str]]:
    """Name and first line of the docstring of each module of the package `question` that can be run."""
    for path in sorted((FOLDER / question).glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.If) and "__main__" in ast.unparse(node.test) for node in tree.body):
            yield (
                path.stem,
                (ast.get_docstring(tree) or "").partition("\n")[0].partition(": python ")[0].removesuffix("."),
            )


def listing() -> Iterator[str]:
    """What there is, by question; one line each."""
    for question in QUESTIONS:
        yield question
        for name, text in benchmarks(question):
            yield f"  {name:<16}{text}"


def main(arguments: list[str]) -> int:
    """Run what `arguments` name; 2 where there is no such benchmark."""
    places = {name: f"benchmarks.{question}.{name}" for question in QUESTIONS for name, _ in benchmarks(question)}
    if not arguments or arguments[0] in ("-h", "--help"):
        print(*listing(), sep="\n")
        return 0
    if arguments[0] not in places:
        print(f"no benchmark is called {arguments[0]!r}; python -m benchmarks lists them", file=sys.stderr)
        return 2
    sys.argv = [places[arguments[0]], *arguments[1:]]
    runpy.run_module(places[arguments[0]], run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
