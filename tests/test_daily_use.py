"""What somebody does who uses the program every day: profiles, and erasing what is stored, with the real program."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import pytest

from core.models.networks.weights import default_cache_dir
from tests.material.export_material import HAS_OTIO
from videos.make_sample import SAMPLE

PROJECT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with the sample, a cache, and the output folders `first` and `second`."""

    folder: Path
    video: Path

    def call(self, *arguments: str) -> tuple[int, str]:
        """Exit code, and everything said, of `main.py`."""
        command = [sys.executable, str(PROJECT / "main.py"), *arguments, "--cache-dir", str(self.folder / "cache")]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=240, check=False)
        return done.returncode, done.stdout + done.stderr

    def process(self, output: str, *flags: str) -> tuple[int, str]:
        return self.call(str(self.video), "-o", str(self.folder / output), "--offline", *flags)

    def manifest(self, output: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.folder / output / "sample" / "manifest.json").read_text())
        return value

    def stored(self) -> set[str]:
        return {path.stem for path in (self.folder / "cache" / "analyses").glob("*.npz")}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Place:
    """Two output folders with different parts of the sample; the first one is made with a profile."""
    folder = tmp_path_factory.mktemp("daily")
    (folder / "cache").mkdir()
    if (networks := default_cache_dir() / "openvino").is_dir():
        (folder / "cache" / "openvino").symlink_to(networks)
    made = Place(folder, sample)
    without_otio = () if HAS_OTIO else ("--export", "edl,fcpxml")
    code, said = made.process("first", "--for", "edit", "--duration", "3", *without_otio)
    assert code == 0, said
    (folder / "mine.toml").write_text('for = "training"\n[clip]\nsize = 128\n')
    code, said = made.process("second", "--config", str(folder / "mine.toml"), "--start", "4", "--duration", "2")
    assert code == 0, said
    return made


def clip_sizes(place: Place, output: str) -> set[tuple[int, int]]:
    sizes = set()
    for clip in place.manifest(output)["clips"]:
        with av.open(str(place.folder / output / "sample" / clip["file"])) as container:
            sizes.add((container.streams.video[0].width, container.streams.video[0].height))
    return sizes


def test_a_profile_gives_the_clips_and_exports_that_it_promises(place: Place) -> None:
    assert clip_sizes(place, "first") == {(SAMPLE.height, SAMPLE.height)}
    recorded = place.manifest("first")["settings"]["clip"]
    assert (recorded["size"], recorded["padding"], recorded["framing"]) == ("source", 1.0, "head")
    assert (place.folder / "first" / "sample" / "timeline.otio").is_file() is HAS_OTIO
    assert (place.folder / "first" / "sample" / "person_01" / "segments.edl").is_file()


def test_a_settings_file_may_refine_its_profile(place: Place) -> None:
    assert clip_sizes(place, "second") == {(128, 128)}
    recorded = place.manifest("second")["settings"]["clip"]
    assert (recorded["camera"], recorded["max_clip"]) == ("locked", 10.0)


def test_the_same_profile_again_does_nothing_and_another_one_replaces_nothing_unasked(place: Place) -> None:
    code, said = place.process("first", "--for", "edit", "--duration", "3")
    assert code == 0 and "made with" not in said
    assert json.loads((place.folder / "first" / "summary.json").read_text())["inputs"][0]["status"] == "cached"
    code, said = place.process("first", "--for", "reels")
    assert code == 1 and "size source" in said and "--overwrite" in said
    assert clip_sizes(place, "first") == {(SAMPLE.height, SAMPLE.height)}


def test_cleaning_one_output_folder_leaves_the_other_its_analysis(place: Place) -> None:
    first, second = (place.manifest(output)["analysis"] for output in ("first", "second"))
    assert place.stored() == {first, second}
    code, said = place.call("cache", "info", "-o", str(place.folder / "first"))
    assert code == 0 and re.search(r"^analyses  2$", said, re.MULTILINE)
    assert str(place.folder / "first" / "people.db") in said and "biometric" in said
    code, said = place.call("clean", "-o", str(place.folder / "first"), "--older-than", "0h")
    assert code == 0 and first in said and second not in said
    assert place.stored() == {second}
    assert not (place.folder / "first" / "sample").exists()
    assert place.manifest("second")["clips"]
    code, said = place.process("second", "--duration", "2", "--start", "4", "--keep-analyses", "0d")
    assert code == 0 and place.stored() == set(), said
