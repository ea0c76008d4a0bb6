"""What an analysis is stored under: everything that it depends on, and nothing else."""

from __future__ import annotations

import ast
import functools
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec

from config import Settings
from core.analysis_file import STORE_SCHEMA
from core.analysis_store import AnalysisStore
from core.model_manager import possible_embedders
from core.models.model_spec import MODELS
from core.models.weights import chosen_cache_dir
from utils.fingerprints import Fingerprint

PROJECT = Path(__file__).resolve().parents[2]

_ROOTS = ("processors.face_analyzer", "core.models.torch_nets", "core.media.video_probe")
"""where the code begins that decides what an analysis holds; what it imports belongs to it"""
_NO_PART_OF_IT = frozenset({
    "config", "core.errors", "core.thread_budget", "core.types", "core.models.weights",
    "utils.files", "utils.prefetch", "utils.stage_monitor", "utils.stage_times",
})  # fmt: skip
"""imported there, but without a say; settings and weights are part of the key by their values"""

# The device is not among them: a GPU and a CPU find the same faces up to rounding, and asking for a
# GPU costs an import of torch. The embedder counts as the one in use, not as the word "auto".
_IRRELEVANT = ("device", "embedder")
_MODELS = ("pnet", "rnet", "onet", "mmod")


def analysis_key(fingerprint: Fingerprint, settings: Settings, embedder: str) -> str:
    """64 hexadecimal digits for the analysis of the video `fingerprint` with these settings and this embedder.

    The video counts by size and samples of its content: reading all of a long film takes as long as
    decoding some of it, and every container keeps an index at its beginning or end that differs
    whenever a single frame does.
    """
    relevant = {k: v for k, v in msgspec.to_builtins(settings.analysis).items() if k not in _IRRELEVANT}
    facts = {
        "schema": STORE_SCHEMA,
        "code": code_digest(),
        "video": [fingerprint.size_bytes, fingerprint.sha256],
        "settings": relevant,
        "embedder": embedder,
        "models": [MODELS[name].weights.sha256 for name in (*_MODELS, embedder)],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def possible_keys(fingerprint: Fingerprint, settings: Settings) -> tuple[str, ...]:
    """The keys that an analysis with `settings` may have been stored under, the one to prefer first.

    With the embedder `auto`, what the substitute found is used for as long as FaceNet's weights are not here.
    """
    return tuple(analysis_key(fingerprint, settings, embedder) for embedder in possible_embedders(settings))


def make_store(settings: Settings) -> AnalysisStore:
    """The store that `settings` mean, whether or not they allow its use."""
    return AnalysisStore(chosen_cache_dir(settings.run.cache_dir), settings.run.cache_mb * 1_000_000)


@functools.cache
def code_digest(project: Path = PROJECT) -> str:
    """SHA-256 over the code that makes analyses. A version number would be forgotten sooner or later."""
    digest = hashlib.sha256()
    for name, source in sorted(analysis_sources(project).items()):
        digest.update(f"{name} {len(source)}\n{source}".encode())
    return digest.hexdigest()


def analysis_sources(project: Path) -> dict[str, str]:
    """The modules that make analyses, with their source text."""
    sources: dict[str, str] = {}
    waiting = list(_ROOTS)
    while waiting:
        name = waiting.pop()
        path = project / f"{name.replace('.', '/')}.py"
        if name in sources or name in _NO_PART_OF_IT or not path.is_file():
            continue
        sources[name] = path.read_text(encoding="utf-8")
        waiting += imported_names(sources[name], name)
    return sources


def imported_names(source: str, module: str) -> Iterator[str]:
    """Dotted names that `source`, the text of `module`, imports anywhere in it, each possibly a module.

    `from a import b` gives "a" and "a.b"; relative imports are resolved against `module`. The names of packages
    are among them, also where only a module inside is imported.
    """
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".")[: -node.level] if node.level else []
            base = ".".join([*package, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif not isinstance(node, ast.expr):  # an import is a statement, and most nodes are parts of expressions
            waiting += ast.iter_child_nodes(node)
