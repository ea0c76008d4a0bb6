"""Every setting once: type, unit, range, default and help text.

Command-line flags, TOML keys, help and range checks all derive from these structures (msgspec does
the checking). A setting `min_face` in section `analysis` is `--min-face` on the command line and

    [analysis]
    min_face = 0.05

in a TOML file. Order of precedence: defaults < `--config FILE.toml` < flags. An unknown key is an error.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from core.errors import SettingsError

VIDEO_EXTENSIONS = frozenset(
    "mp4 m4v mov mkv webm avi ts m2ts mts mpg mpeg vob flv wmv asf 3gp 3g2 ogv mxf y4m gif".split()
)
"""what is picked up from a folder; a file named on the command line is tried whatever its extension"""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the settings' sections: immutable, keyword-only, strict about names."""


class AnalysisSettings(Section):
    """Finding and following faces. Changing one of these makes a new analysis necessary."""

    device: Annotated[
        Literal["auto", "cpu", "cuda"],
        Meta(description="where the networks run; auto takes a GPU when there is one"),
    ] = "auto"
    min_face: Annotated[
        float, Meta(ge=0.02, le=0.5, description="smallest face looked for, as a share of the picture's height")
    ] = 0.05
    tracker: Annotated[
        Literal["cascade", "csrt", "kcf", "mosse"],
        Meta(description="what follows a face between two detections"),
    ] = "cascade"
    look_out: Annotated[
        float, Meta(gt=0, le=2, description="seconds between two looks for newcomers")
    ] = 0.2
    face_score: Annotated[
        float, Meta(ge=0.5, le=0.999, description="score above which a detection starts a new track")
    ] = 0.9
    max_occlusion: Annotated[
        float, Meta(ge=0, le=5, description="seconds a face may be hidden without ending its track")
    ] = 1.0
    embedder: Annotated[
        Literal["auto", "facenet", "dlib"],
        Meta(description="face recognition model; auto is facenet where its weights can be had, else dlib"),
    ] = "auto"
    faces_per_track: Annotated[
        int, Meta(ge=1, le=32, description="how many faces of a track are embedded at most")
    ] = 6


class IdentitySettings(Section):
    """Who is who. Similarities are the embedder's calibrated ones: 0.5 means as likely the same as not."""

    same_person: Annotated[
        float, Meta(gt=0, lt=1, description="similarity at which a track joins a known person")
    ] = 0.5
    merge: Annotated[
        float, Meta(gt=0, lt=1, description="similarity at which two persons are merged at the end")
    ] = 0.5
    active_people: Annotated[
        int, Meta(ge=1, le=1000, description="how many people are kept in the active set")
    ] = 15
    active_seconds: Annotated[
        float, Meta(gt=0, le=86400, description="seconds after which a person not seen goes to the archive")
    ] = 30.0
    skip_still: Annotated[
        bool, Meta(description="leave out people who never move (portraits, posters)")
    ] = False


class ClipSettings(Section):
    """What becomes a clip and how it looks."""

    min_clip: Annotated[float, Meta(ge=0, le=600, description="shortest clip, seconds")] = 1.0
    merge_gap: Annotated[
        float, Meta(ge=0, le=60, description="a person gone for no longer than this stays in the same clip, seconds")
    ] = 1.0
    size: Annotated[int, Meta(ge=64, le=2160, multiple_of=2, description="height of the clips, px")] = 512
    face_share: Annotated[
        float, Meta(ge=0.1, le=0.9, description="how much of the clip's height the face takes")
    ] = 0.45


class EncodeSettings(Section):
    """How clips are encoded."""

    quality: Annotated[
        int, Meta(ge=0, le=51, description="x264's constant rate factor: lower is better and larger")
    ] = 18
    preset: Annotated[
        Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"],
        Meta(description="x264's preset: slower is smaller"),
    ] = "veryfast"
    audio_kbps: Annotated[int, Meta(ge=32, le=512, description="bit rate of the sound, kbit/s")] = 160


class RunSettings(Section):
    """The run as a whole."""

    overwrite: Annotated[bool, Meta(description="process inputs again that are already done")] = False
    threads: Annotated[int, Meta(ge=0, le=256, description="CPU threads to use; 0 takes all there are")] = 0
    cache_dir: Annotated[str, Meta(description="where converted and downloaded models are kept; empty: the user's cache folder")] = ""
    facenet_weights: Annotated[
        str, Meta(description="path of 20180402-114759-vggface2.pt, where it is not in torch's cache")
    ] = ""
    offline: Annotated[bool, Meta(description="never try to download a model")] = False


class Settings(Section):
    """All sections. `Settings()` are the defaults."""

    analysis: AnalysisSettings = AnalysisSettings()
    identity: IdentitySettings = IdentitySettings()
    clip: ClipSettings = ClipSettings()
    encode: EncodeSettings = EncodeSettings()
    run: RunSettings = RunSettings()


def load_settings(toml_file: Path | None, overrides: dict[str, dict[str, Any]]) -> Settings:
    """Defaults, then the TOML file, then `overrides` ({section: {key: value}}).

    Raises:
        SettingsError: unreadable or malformed file, unknown key, wrong type, value out of range. The
            message names the key, "analysis.min_face".
    """
    values: dict[str, dict[str, Any]] = {}
    if toml_file is not None:
        try:
            values = tomllib.loads(toml_file.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingsError(f"cannot read the settings: {error.strerror}", path=toml_file) from error
        except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
            raise SettingsError(f"is not valid TOML: {error}", path=toml_file) from error
        _convert(values, toml_file)
    merged = {name: dict(section) for name, section in values.items()}
    for name, section in overrides.items():
        merged.setdefault(name, {}).update(section)
    return _convert(merged, None)


def _convert(values: dict[str, Any], source: Path | None) -> Settings:
    try:
        return msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        message = str(error).replace(" - at `$.", " at `").replace(" - at `$`", "")
        raise SettingsError(message, path=source, hint="python main.py --help lists settings and ranges") from error
