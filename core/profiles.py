"""Bundles of ordinary settings for one purpose each: `--for reels`, or `for = "reels"` in a settings file.

A bundle sets only what a further set of clips (`--variant`) may have of its own, and additional outputs, so that it can
be used for either set. Its settings count as given by the user: flags take precedence over `--for`, `--for` over the
settings file, and the file's settings over its own `for`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config import SOURCE_SIZE
from core.options import flag_of


@dataclass(frozen=True, slots=True)
class Profile:
    """What the clips are for, and the settings that this asks for: {section: {name: value}}."""

    purpose: str
    settings: Mapping[str, Mapping[str, Any]]

    @property
    def flags(self) -> str:
        """The same settings as flags of the command line."""
        pairs = [(name, value) for keys in self.settings.values() for name, value in keys.items()]
        return " ".join(f"{flag_of(name)} {','.join(v) if isinstance(v, tuple) else v}" for name, v in pairs)


CUT_LISTS = ("otio", "edl", "fcpxml") if sys.version_info < (3, 14) else ("edl", "fcpxml")
"""what editing programs read; opentimelineio has no release for Python 3.14"""

PROFILES: Mapping[str, Profile] = {
    "reels": Profile(
        "upright clips of 1080x1920 px", {"clip": {"aspect": "9:16", "size": 1920, "framing": "bust"}}
    ),
    "edit": Profile(
        "clips as high as the video, with a second to spare at both ends, and cut lists for editing programs",
        {"clip": {"size": SOURCE_SIZE, "padding": 1.0}, "output": {"export": CUT_LISTS}},
    ),
    "training": Profile(
        "square clips for training data: the camera holds still, small faces are not enlarged",
        {"clip": {"aspect": "1:1", "size": 512, "camera": "locked", "max_upscale": 1.0, "max_clip": 10.0}},
    ),
}  # fmt: skip


def profile_settings(name: object) -> dict[str, dict[str, Any]]:
    """The settings of the profile `name`, {section: {name: value}}; none for "".

    Raises:
        ValueError: there is no such profile.
    """
    if name == "":
        return {}
    profile = PROFILES.get(name) if isinstance(name, str) else None
    if profile is None:
        raise ValueError(f"for: {name!r} is not one of {', '.join(PROFILES)}")
    return {section: dict(keys) for section, keys in profile.settings.items()}
