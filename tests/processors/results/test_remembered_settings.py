"""A folder remembers the settings that it was made with."""

from __future__ import annotations

from typing import Any

import pytest

from config import Settings, result_settings
from core.errors import SettingsError
from core.settings_file import load_settings
from processors.results.manifest import Manifest
from processors.results.remembered_settings import (
    changed_settings,
    changed_variants,
    followed_settings,
    remembered_settings,
    same_results,
)
from tests.material.page_material import a_manifest, as_manifest


def made_with(values: dict[str, dict[str, Any]], **changes: Any) -> Manifest:
    return as_manifest({**a_manifest(), "settings": result_settings(load_settings(None, values)), **changes})


def test_a_plain_run_follows_the_folder():
    manifest = made_with({"clip": {"aspect": "9:16"}, "identity": {"skip_still": True}}, names={"only": "Anna"})
    followed = followed_settings(manifest, Settings(), set())
    assert (followed.clip.aspect, followed.identity.skip_still, followed.people.only) == ("9:16", True, "Anna")
    assert changed_settings(manifest, followed) == () and same_results(manifest, followed)


def test_what_the_user_asks_for_has_precedence_even_if_it_is_the_default():
    manifest = made_with({"clip": {"aspect": "9:16", "size": 256}})
    followed = followed_settings(manifest, Settings(), {"clip.aspect"})
    assert (followed.clip.aspect, followed.clip.size) == ("1:1", 256)
    assert [str(change) for change in changed_settings(manifest, followed)] == ["aspect 9:16"]
    assert followed_settings(manifest, Settings(), None) == Settings()


def test_a_folder_from_before_clip_names_told_the_person_keeps_its_names():
    before = "clip_${CLIP_NUMBER}_${START_TIME}"
    assert Settings().clip.template != before
    manifest = made_with({"clip": {"template": before}})
    followed = followed_settings(manifest, Settings(), set())
    assert followed.clip.template == before
    assert changed_settings(manifest, followed) == () and same_results(manifest, followed)


def test_how_a_run_is_done_is_not_remembered():
    settings = load_settings(None, {"analysis": {"device": "cpu"}, "run": {"threads": 3}})
    manifest = made_with({"analysis": {"device": "cuda"}})
    followed = followed_settings(manifest, settings, set())
    assert (followed.analysis.device, followed.run.threads) == ("cpu", 3)
    assert changed_settings(manifest, followed) == () and same_results(manifest, followed)


def test_the_end_of_a_part_is_remembered_in_one_form():
    manifest = made_with({"analysis": {"start": 10, "end": 30}})
    assert followed_settings(manifest, Settings(), set()).analysis.part == (10.0, 30.0)
    shorter = load_settings(None, {"analysis": {"duration": 5}})
    assert followed_settings(manifest, shorter, {"analysis.duration"}).analysis.part == (10.0, 15.0)


def test_given_cuts_are_remembered_and_counted_where_they_are_reported():
    manifest = made_with({"analysis": {"cuts": "frames 0 100 201"}})
    followed = followed_settings(manifest, Settings(), set())
    assert followed.analysis.cuts == "frames 0 100 201" and same_results(manifest, followed)
    none = followed_settings(manifest, Settings(), {"analysis.cuts"})
    assert [str(change) for change in changed_settings(manifest, none)] == ["3 given cuts"]
    assert [str(change) for change in changed_settings(made_with({}), followed)] == ["no given cuts"]


@pytest.mark.parametrize("cuts", ["/etc/passwd", "frames 0 x", "minutes 3"])
def test_cuts_that_somebody_wrote_into_a_manifest_are_not_followed(cuts: str):
    settings = result_settings(Settings())
    settings["analysis"]["cuts"] = cuts
    assert remembered_settings(as_manifest({**a_manifest(), "settings": settings})) is None


def test_extras_are_remembered_and_added_to():
    manifest = made_with({}, extras={"preview": ["preview.mp4"], "mot": ["mot.txt"]})
    vtt = load_settings(None, {"output": {"export": ["vtt"]}})
    followed = followed_settings(manifest, vtt, {"output.export"})
    assert followed.output.preview and not followed.output.reel
    assert followed.output.export == ("vtt", "mot")
    assert not followed_settings(manifest, Settings(), {"output.preview"}).output.preview


def test_who_speaks_is_an_addition_as_long_as_clips_do_not_depend_on_it():
    speech = load_settings(None, {"speech": {"speech": "on"}})
    assert changed_settings(made_with({}), speech) == ()
    assert not same_results(made_with({}), speech)
    speaking = load_settings(None, {"speech": {"when": "speaking"}})
    assert [str(change) for change in changed_settings(made_with({}), speaking)] == ["when visible"]


def test_contradictions_with_what_is_remembered_are_errors():
    manifest = made_with({"speech": {"when": "speaking"}})
    silent = load_settings(None, {"speech": {"speech": "off"}})
    with pytest.raises(SettingsError, match=r"^--when: speaking needs speech.*give both"):
        followed_settings(manifest, silent, {"speech.speech"})


def test_settings_of_other_versions_are_understood_as_far_as_possible():
    recorded = result_settings(load_settings(None, {"clip": {"size": 256}}))
    del recorded["clip"]["aspect"]
    recorded["clip"]["later"] = 1
    manifest = as_manifest({**a_manifest(), "settings": recorded})
    remembered = remembered_settings(manifest)
    assert remembered is not None and (remembered.clip.size, remembered.clip.aspect) == (256, "1:1")
    recorded["clip"]["size"] = -1
    broken = as_manifest({**a_manifest(), "settings": recorded})
    assert remembered_settings(broken) is None
    assert followed_settings(broken, Settings(), set()) == Settings()
    assert not same_results(broken, Settings())


def test_flags_of_a_variant_are_not_those_of_the_first_set():
    manifest = made_with({"clip": {"size": 256}})
    flags: dict[str, dict[str, Any]] = {
        "clip": {"aspect": "9:16", "size": 512},
        "output": {"variant": "v"},
        "run": {"overwrite": True},
    }
    followed = followed_settings(manifest, load_settings(None, flags), {"clip.aspect", "clip.size", "output.variant"})
    assert (followed.clip.aspect, followed.clip.size) == ("1:1", 256)
    assert (followed.variants["v"].clip.aspect, followed.variants["v"].clip.size) == ("9:16", 512)
    assert not followed.run.overwrite
    fresh = followed_settings(None, load_settings(None, flags), {"clip.aspect", "clip.size", "output.variant"})
    assert (fresh.clip.aspect, fresh.clip.size) == ("1:1", 512)
    assert fresh.variants["v"].clip.frame_size == (288, 512)


def test_a_variant_keeps_what_it_was_made_with_and_begins_with_the_first_set():
    v = {"settings": {"clip": {"aspect": "9:16"}, "encode": {}}, "clips": []}
    manifest = made_with({"clip": {"size": 256}}, variants={"v": v})
    quality = load_settings(None, {"encode": {"quality": 30}, "output": {"variant": "v"}})
    followed = followed_settings(manifest, quality, {"encode.quality", "output.variant"})
    assert (followed.variants["v"].clip.aspect, followed.variants["v"].encode.quality) == ("9:16", 30)
    assert followed.encode.quality == 18
    assert [str(change) for change in changed_variants(manifest, followed)["v"]] == ["quality 18"]
    plain = followed_settings(manifest, Settings(), set())
    assert plain.variants["v"].clip.aspect == "9:16" and same_results(manifest, plain)
    assert followed_settings(manifest, Settings(), None).variants.keys() == {"v"}


def test_all_sets_of_clips_show_the_same_times():
    flags = load_settings(None, {"clip": {"min_clip": 3}, "output": {"variant": "v"}})
    with pytest.raises(SettingsError, match=r"--min-clip cannot differ.*in a run without --variant"):
        followed_settings(made_with({}), flags, {"clip.min_clip", "output.variant"})


@pytest.mark.parametrize("name", ["Up", "a/b", "..", "", "x" * 33])
def test_the_name_of_a_variant_is_that_of_a_folder(name):
    with pytest.raises(SettingsError):
        load_settings(None, {"variants": {name: {}}})
