"""A stored analysis is used exactly as long as a new one would be the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from config import Settings, load_settings
from core import weights
from processors import analysis_key as analysis_key_module
from processors.analysis_key import (
    PROJECT,
    analysis_key,
    analysis_sources,
    code_digest,
    make_store,
    possible_keys,
)
from processors.options import options
from tests.test_layering import module_graph
from utils.fingerprints import Fingerprint

MARK = Fingerprint(10, "aa")
KEY = analysis_key(MARK, Settings(), "dlib")


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
        pytest.skip("a text")
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


def test_other_weights_make_a_new_one_necessary(monkeypatch):
    other = weights.WeightsFile("onet.pt", 1, "0" * 64)
    monkeypatch.setitem(weights.REGISTRY, "onet", other)
    assert analysis_key(MARK, Settings(), "dlib") != KEY


def test_the_substitute_counts_only_while_the_weights_are_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))

    def keys(**run) -> tuple[str, ...]:
        return possible_keys(MARK, load_settings(None, {"run": {"cache_dir": str(tmp_path), **run}}))

    facenet = analysis_key(MARK, Settings(), "facenet")
    assert keys() == (facenet, KEY)
    assert keys(facenet_weights="somewhere.pt") == (facenet,)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / weights.REGISTRY["facenet"].name).write_bytes(b"x")
    assert keys() == (facenet,)
    assert possible_keys(MARK, load_settings(None, {"analysis": {"embedder": "dlib"}})) == (KEY,)


def test_every_module_of_the_analysis_counts():
    """The quick search for imports finds what a parser finds."""
    graph = module_graph(PROJECT)
    reached, waiting = set(), list(analysis_key_module._ROOTS)
    while waiting:
        module = waiting.pop()
        if module not in reached | analysis_key_module._NO_PART_OF_IT:
            reached.add(module)
            waiting += graph[module]
    found = set(analysis_sources(PROJECT))
    # Packages themselves are imported too; they are empty.
    assert found == reached - {"core", "processors", "utils"}
    assert {"processors.face_tracker", "core.nets", "utils.nms"} < found
    assert not {"processors.clip_renderer", "processors.id_timeline_generator"} & found


def test_a_changed_line_of_code_makes_a_new_one_necessary(tmp_path):
    for name in analysis_sources(PROJECT):
        path = Path(f"{name.replace('.', '/')}.py")
        (tmp_path / path.parent).mkdir(exist_ok=True)
        shutil.copy(PROJECT / path, tmp_path / path)
    digests = [code_digest(tmp_path)]
    source = tmp_path / "processors" / "face_tracker.py"
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
