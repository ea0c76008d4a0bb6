"""A stored analysis is used exactly as long as a new one would give the same."""

from __future__ import annotations

import ast
import dataclasses
import shutil
from pathlib import Path

import msgspec
import pytest

from config import Settings
from core.models.networks import embedder_choice
from core.models.networks.model_spec import MODELS, WeightsFile
from core.models.proposal_weights import is_yunet_usable
from core.options import options
from core.project_folders import PROJECT
from core.settings_file import load_settings
from processors.video import analysis_key as analysis_key_module
from processors.video.analysis_key import (
    SPEECH_ROOTS,
    analysis_key,
    analysis_sources,
    code_digest,
    imported_names,
    make_store,
    possible_keys,
    speech_key,
)
from tests.test_layering import module_graph
from utils.fingerprints import Fingerprint

MARK = Fingerprint(10, "aa")
KEY = analysis_key(MARK, Settings(), "dlib")

TEXTS = {
    "cuts": "cuts.csv", "turn": "90", "aspect": "9:16", "template": "${CLIP_NUMBER}", "audio_stream": "2",
    "people": "photos", "gallery": "gallery", "only": "Ann", "export": ["otio"], "variant": "wide", "workers": "2",
    "cache_dir": "cache", "keep_analyses": "30d", "scratch": "scratch", "cluster": "local", "facenet_weights": "a.pt",
    "speech_weights": ["a.onnx"],
}  # fmt: skip
"""another value for each setting that is a text or a list of texts"""


def changed(option) -> Settings:
    value = option.default
    if option.choices and not option.is_list:
        value = next(c for c in option.choices if c != value)
    elif isinstance(value, bool):
        value = not value
    elif isinstance(value, (int, float)):
        for other in (value + 2, value * 0.9 + 0.03, value + 0.1):
            try:
                value = option.parse(str(type(value)(other)))
            except (ValueError, msgspec.ValidationError):
                continue
            break
    else:
        value = TEXTS[option.name]
    return load_settings(None, {option.section: {option.name: value}})


@pytest.mark.parametrize("option", options(), ids=lambda option: option.flag)
def test_only_settings_of_the_analysis_make_a_new_one_necessary(option):
    settings = changed(option)
    assert settings != Settings()
    relevant = option.section == "analysis" and option.name not in ("device", "embedder")
    assert (analysis_key(MARK, settings, "dlib") != KEY) == relevant


def test_the_video_and_the_embedder_count():
    keys = {
        KEY,
        analysis_key(Fingerprint(11, "aa"), Settings(), "dlib"),
        analysis_key(Fingerprint(10, "bb"), Settings(), "dlib"),
        analysis_key(MARK, Settings(), "facenet"),
    }
    assert len(keys) == 4
    assert all(len(key) == 64 for key in keys)


def test_a_part_counts_by_its_bounds_however_they_were_given():
    def key(**part: float) -> str:
        return analysis_key(MARK, load_settings(None, {"analysis": part}), "dlib")

    assert key(start=3, end=5) == key(start=3, duration=2)
    assert len({key(), key(start=3), key(start=3, end=5), key(end=5)}) == 4


def test_other_weights_make_a_new_one_necessary(monkeypatch):
    other = dataclasses.replace(MODELS["onet"], weights=WeightsFile("onet.pt", 1, "0" * 64))
    monkeypatch.setitem(MODELS, "onet", other)
    assert analysis_key(MARK, Settings(), "dlib") != KEY


def test_a_second_opinion_that_is_not_installed_makes_a_new_one_necessary(monkeypatch):
    with_it = analysis_key(MARK, Settings(), "dlib")
    usable = is_yunet_usable()
    monkeypatch.setattr(analysis_key_module, "is_yunet_usable", lambda: not usable)
    assert analysis_key(MARK, Settings(), "dlib") != with_it


def test_the_substitute_counts_only_while_the_weights_are_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(embedder_choice, "is_installed", lambda entry: False)

    def keys(**run) -> tuple[str, ...]:
        return possible_keys(MARK, load_settings(None, {"run": {"cache_dir": str(tmp_path), **run}}))

    facenet = analysis_key(MARK, Settings(), "facenet")
    assert keys() == (facenet, KEY)
    assert keys(facenet_weights="somewhere.pt") == (facenet,)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / MODELS["facenet"].weights.name).write_bytes(b"x")
    assert keys() == (facenet,)
    assert possible_keys(MARK, load_settings(None, {"analysis": {"embedder": "dlib"}})) == (KEY,)


@pytest.mark.slow
def test_every_module_of_the_analysis_counts():
    """Compares with how test_layering finds imports, which is an independent implementation."""
    graph = module_graph(PROJECT)
    reached: set[str] = set()
    waiting = list(analysis_key_module.ANALYSIS_ROOTS)
    while waiting:
        module = waiting.pop()
        if module not in reached | analysis_key_module.EXCLUDED_MODULES:
            reached.add(module)
            waiting += graph[module]
    found = set(analysis_sources(PROJECT))
    # Packages themselves are imported too; they hold no code.
    packages = {module for module in reached if (PROJECT / module.replace(".", "/") / "__init__.py").is_file()}
    assert found == reached - packages
    for package in packages:
        body = ast.parse((PROJECT / package.replace(".", "/") / "__init__.py").read_text(encoding="utf-8")).body
        assert all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)
    assert {"processors.tracking.face_tracker", "core.models.inference.nets", "utils.images.nms"} < found
    assert not {"processors.clip_renderer", "processors.id_timeline_generator"} & found


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("import core.a", {"core.a"}),
        ("import core.a as x, utils.b", {"core.a", "utils.b"}),
        ("from core.a import b", {"core.a", "core.a.b"}),
        ("from core.a import (\n    b as x,\n    c,\n)", {"core.a", "core.a.b", "core.a.c"}),
        ("from utils import b, \\\n    c", {"utils", "utils.b", "utils.c"}),
        ("from . import c", {"processors.a", "processors.a.c"}),
        ("from ..c.d import E", {"processors.c.d", "processors.c.d.E"}),
        ("x = 1; import core.a", {"core.a"}),
        ("def f():\n    if True:\n        from core.a import B", {"core.a", "core.a.B"}),
        ("try:\n    pass\nexcept ImportError:\n    import core.a", {"core.a"}),
        ("match 1:\n    case 1:\n        import core.a", {"core.a"}),
        ("from core.a import (  # noqa: X (it is)\n    b,  # why: c, d\n    e,\n)", {"core.a", "core.a.b", "core.a.e"}),
        ("import core.a  # not utils.b, utils.c", {"core.a"}),
        ("important = 1\nfrom_a = 2\nyield_from = 'import core.a'", set()),
    ],
)
def test_imports_are_found_however_they_are_written(line, names):
    assert set(imported_names(line, "processors.a.b")) == names


def test_a_module_that_is_named_on_a_line_of_its_own_counts(tmp_path):
    (tmp_path / "core").mkdir()
    (tmp_path / "core/a.py").write_text("from core import (\n    b,\n    c,\n)\n")
    (tmp_path / "core/c.py").write_text("")
    assert set(analysis_sources(tmp_path, ("core.a",))) == {"core.a", "core.c"}


def test_the_signal_of_speech_has_a_key_of_its_own():
    models = {"name": "movement", "sha256": {"a": "b"}}
    key = speech_key(KEY, models)
    assert len(key) == 64 and key != KEY and key == speech_key(KEY, dict(models))
    assert key not in (speech_key(KEY, {**models, "name": "lr-asd"}), speech_key("ab" * 32, models))
    assert key != speech_key(KEY, models, audio=2)
    # Changed speech code must not make faces be detected again.
    assert not any(name.startswith("processors.speech") for name in analysis_sources(PROJECT))
    assert "processors.speech.speaker_decision" in analysis_sources(PROJECT, SPEECH_ROOTS)


@pytest.mark.slow
def test_a_changed_line_of_code_makes_a_new_one_necessary(tmp_path):
    for name in analysis_sources(PROJECT):
        path = Path(f"{name.replace('.', '/')}.py")
        (tmp_path / path.parent).mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / path, tmp_path / path)
    digests = [code_digest(tmp_path)]
    source = tmp_path / "processors" / "tracking" / "face_tracker.py"
    original = source.read_bytes()
    for changed_source in (original.replace(b"\n", b"\r\n"), original + b"x = 1\n"):
        source.write_bytes(changed_source)
        code_digest.cache_clear()
        digests.append(code_digest(tmp_path))
    code_digest.cache_clear()
    assert digests[0] == digests[1] == code_digest() != digests[2]


def test_the_store_lies_where_the_settings_say(tmp_path):
    store = make_store(load_settings(None, {"run": {"cache_dir": str(tmp_path), "cache_mb": 20}}))
    assert (store.folder, store.limit_bytes) == (tmp_path / "analyses", 20_000_000)
