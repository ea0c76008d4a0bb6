"""The registry of extras agrees with the settings, the file names and the names reserved in a folder."""

from __future__ import annotations

from typing import get_args

import pytest

from config import EXTRA_FILES, ExportFormat, OutputSettings
from core.errors import SettingsError
from processors.clips.clip_names import REEL_FILE
from processors.extras.registry import EXTRAS
from processors.results.person_folders import check_name


def test_every_extra_that_can_be_requested_has_a_writer_and_a_file_name() -> None:
    everything = OutputSettings(preview=True, reel=True, export=get_args(ExportFormat)).extras
    assert everything == set(EXTRAS) == set(EXTRA_FILES)
    assert {name: extra.files for name, extra in EXTRAS.items()} == EXTRA_FILES


@pytest.mark.parametrize("file", [extra.files for extra in EXTRAS.values() if "/" not in extra.files])
def test_no_person_may_be_named_like_a_file_of_an_extra(file: str) -> None:
    with pytest.raises(SettingsError, match="is reserved here"):
        check_name(file.upper(), None, "name")


def test_no_clip_may_be_named_like_the_reel() -> None:
    assert EXTRAS["reel"].files == f"PERSON/{REEL_FILE}"
