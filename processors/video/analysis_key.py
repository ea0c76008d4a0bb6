"""The key of a stored analysis: a digest of everything that the analysis depends on, and of nothing else."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from config import Settings
from core.analysis_file import STORE_SCHEMA
from core.analysis_store import AnalysisStore
from core.models.embedder_spec import embedder_digest
from core.models.networks.embedder_choice import possible_embedders
from core.models.networks.model_spec import ANALYSIS_NETS, MODELS
from core.models.networks.weights import chosen_cache_dir
from core.models.proposal_weights import is_yunet_usable, proposal_choice
from core.project_folders import PROJECT
from core.signal_file import SIGNAL_SCHEMA
from utils.fingerprints import Fingerprint

ANALYSIS_ROOTS = ("processors.face_analyzer", "core.models.networks.torch_nets", "core.media.video_probe")
"""entry points of the code that determines an analysis; everything that they import counts as well"""
SPEECH_ROOTS = ("processors.speech.speech_pass", "core.models.networks.torch_speech_net")
"""the same for the speech signal"""
EXCLUDED_MODULES = frozenset({
    "config", "core.errors", "core.thread_budget", "core.types", "core.models.networks.weights",
    "utils.files", "utils.processes.prefetch", "utils.console.stage_monitor", "utils.processes.stage_times",
})  # fmt: skip
"""imported by that code, but without influence on results; settings and weights count by their values"""

_LIST = r"\((?:[^)#]|#.*)*\)|(?:[^\n\\;#]|\\\n)+"
_IMPORT = re.compile(
    rf"(?:^|;)[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]*({_LIST})|import[ \t]+({_LIST}))", re.MULTILINE
)
"""an import statement: the module after "from" and what follows "import", or what follows "import" alone"""
_COMMENT = re.compile("#.*")

# A GPU and a CPU find the same faces up to rounding, and detecting a GPU costs an import of torch. The key has the
# embedder in use, not the word "auto", and the bounds of the part of a video.
_IRRELEVANT_SETTINGS = ("device", "embedder", "start", "end", "duration")


def analysis_key(fingerprint: Fingerprint, settings: Settings, embedder: str) -> str:
    """64 hexadecimal digits for the analysis of the video `fingerprint` with these settings and this embedder.

    The video is represented by its size and samples of its content. Reading all of a long video would take as long as
    decoding part of it, and the index at the beginning or end of every container changes if any frame changes.
    """
    relevant = {k: v for k, v in msgspec.to_builtins(settings.analysis).items() if k not in _IRRELEVANT_SETTINGS}
    facts = {
        "schema": STORE_SCHEMA,
        "code": code_digest(),
        "video": [fingerprint.size_bytes, fingerprint.sha256],
        "settings": relevant,
        "part": settings.analysis.part,
        "quick_verifier": is_yunet_usable(),
        "proposals": proposal_choice(settings.analysis.proposals).digest(),
        "embedder": embedder,
        "models": [*(MODELS[name].weights.sha256 for name in ANALYSIS_NETS), embedder_digest(embedder)],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def speech_key(analysis: str, models: Mapping[str, Any], audio: int | None = None) -> str:
    """64 hexadecimal digits for the speech signal.

    analysis: key of the faces. models: their names. audio: `VideoInfo.chosen_audio`.
    """
    facts = {
        "schema": SIGNAL_SCHEMA,
        "code": code_digest(roots=SPEECH_ROOTS),
        "analysis": analysis,
        "models": models,
        "audio": audio,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def possible_keys(fingerprint: Fingerprint, settings: Settings) -> tuple[str, ...]:
    """The keys under which an analysis with `settings` may be stored, most preferred first.

    With the embedder `auto`, an analysis by a substitute is used as long as the weights of better ones are missing.
    """
    return tuple(analysis_key(fingerprint, settings, embedder) for embedder in possible_embedders(settings))


def make_store(settings: Settings) -> AnalysisStore:
    """The analysis store in the cache folder of `settings`, whether or not they allow using it."""
    return AnalysisStore(chosen_cache_dir(settings.run.cache_dir), settings.run.cache_mb * 1_000_000)


@functools.cache
def code_digest(project: Path = PROJECT, roots: tuple[str, ...] = ANALYSIS_ROOTS) -> str:
    """SHA-256 over `roots` and what they import; somebody would forget to raise a version number."""
    digest = hashlib.sha256()
    for name, source in sorted(analysis_sources(project, roots).items()):
        digest.update(f"{name} {len(source)}\n{source}".encode())
    return digest.hexdigest()


def analysis_sources(project: Path, roots: Sequence[str] = ANALYSIS_ROOTS) -> dict[str, str]:
    """Source text of the modules `roots` and of those that they import, by name."""
    sources: dict[str, str] = {}
    seen = set(EXCLUDED_MODULES)
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        path = project / f"{name.replace('.', '/')}.py"
        if path.is_file():
            sources[name] = path.read_text(encoding="utf-8")
            waiting += imported_names(sources[name], name)
    return sources


def imported_names(source: str, module: str) -> Iterator[str]:
    """Dotted names that `source`, the text of `module`, imports anywhere; each may or may not be a module.

    `from a import b` gives "a" and "a.b". Relative imports are resolved against `module`. An import inside a string,
    on a line of its own, counts too.
    """
    # Parsing the modules would take a tenth of a second, before any stored analysis can be looked for.
    for base, names, modules in _IMPORT.findall(source):
        if not base:
            yield from _listed(modules)
            continue
        path = base.lstrip(".")
        level = len(base) - len(path)
        package = ".".join([*(module.split(".")[:-level] if level else []), *([path] if path else [])])
        yield package
        yield from (f"{package}.{name}" for name in _listed(names))


def _listed(names: str) -> Iterator[str]:
    """The names of "(a as b, c)"; comments and line ends may be among them."""
    for part in _COMMENT.sub("", names).strip("()").replace("\\", "").split(","):
        if words := part.split():
            yield words[0]
