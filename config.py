"""Every setting once: type, unit, range, default and help text.

Command-line flags, TOML keys, help and range checks all derive from these structures (msgspec does
the checking). A setting `min_face` in section `analysis` is `--min-face` on the command line and

    [analysis]
    min_face = 0.05

in a TOML file. Order of precedence: defaults < `--config FILE.toml` < flags. An unknown key is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import msgspec.toml
from msgspec import Meta

from core.errors import SettingsError

VERSION = "0.1.0"
"""of the program; a manifest written by another version is not taken as done"""

# fmt: off
VIDEO_EXTENSIONS = frozenset({
    "mp4", "m4v", "mov", "mkv", "webm", "avi", "ts", "m2ts", "mts", "mpg", "mpeg", "vob", "flv", "wmv", "asf",
    "3gp", "3g2", "ogv", "mxf", "y4m", "gif",
})
# fmt: on
"""what is picked up from a folder; a file named on the command line is tried whatever its extension"""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the settings' sections: immutable, keyword-only, strict about names."""


class AnalysisSettings(Section, frozen=True):
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
    look_out: Annotated[float, Meta(gt=0, le=2, description="seconds between two looks for newcomers")] = 0.2
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
    faces_per_track: Annotated[int, Meta(ge=1, le=32, description="how many faces of a track are embedded at most")] = 6


class IdentitySettings(Section, frozen=True):
    """Who is who. Similarities are the embedder's calibrated ones: 0.5 means as likely the same as not."""

    same_person: Annotated[float, Meta(gt=0, lt=1, description="similarity at which a track joins a known person")] = (
        0.5
    )
    merge: Annotated[float, Meta(gt=0, lt=1, description="similarity at which two persons are merged at the end")] = 0.5
    active_people: Annotated[int, Meta(ge=1, le=1000, description="how many people are kept in the active set")] = 15
    active_seconds: Annotated[
        float, Meta(gt=0, le=86400, description="seconds after which a person not seen goes to the archive")
    ] = 30.0
    skip_still: Annotated[bool, Meta(description="leave out people who never move (portraits, posters)")] = False


class ClipSettings(Section, frozen=True):
    """What becomes a clip and how it looks."""

    min_clip: Annotated[float, Meta(ge=0, le=600, description="shortest clip, seconds")] = 1.0
    merge_gap: Annotated[
        float, Meta(ge=0, le=60, description="a person gone for no longer than this stays in the same clip, seconds")
    ] = 1.0
    size: Annotated[int, Meta(ge=64, le=2160, multiple_of=2, description="height of the clips, px")] = 512
    face_share: Annotated[float, Meta(ge=0.1, le=0.9, description="how much of the clip's height the face takes")] = (
        0.45
    )


class EncodeSettings(Section, frozen=True):
    """How clips are encoded."""

    quality: Annotated[
        int, Meta(ge=0, le=51, description="x264's constant rate factor: lower is better and larger")
    ] = 18
    preset: Annotated[
        Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"],
        Meta(description="x264's preset: slower is smaller"),
    ] = "veryfast"
    audio_kbps: Annotated[int, Meta(ge=32, le=512, description="bit rate of the sound, kbit/s")] = 160


class RunSettings(Section, frozen=True):
    """The run as a whole."""

    overwrite: Annotated[bool, Meta(description="process inputs again that are already done")] = False
    threads: Annotated[int, Meta(ge=0, le=256, description="CPU threads to use; 0 takes all there are")] = 0
    cache_dir: Annotated[
        str, Meta(description="where converted and downloaded models are kept; empty: the user's cache folder")
    ] = ""
    facenet_weights: Annotated[
        str, Meta(description="path of 20180402-114759-vggface2.pt, where it is not in torch's cache")
    ] = ""
    offline: Annotated[bool, Meta(description="never try to download a model")] = False


class Settings(Section, frozen=True):
    """All sections. `Settings()` are the defaults."""

    analysis: AnalysisSettings = AnalysisSettings()
    identity: IdentitySettings = IdentitySettings()
    clip: ClipSettings = ClipSettings()
    encode: EncodeSettings = EncodeSettings()
    run: RunSettings = RunSettings()


RESULT_SECTIONS = ("analysis", "identity", "clip", "encode")
"""the sections that change what is written; the manifest records them and a change of them means work"""


def result_settings(settings: Settings) -> dict[str, dict[str, Any]]:
    """The settings that change the result, as plain values: {section: {key: value}}, in a fixed order."""
    return {name: msgspec.to_builtins(getattr(settings, name)) for name in RESULT_SECTIONS}


@dataclass(frozen=True, slots=True)
class Option:
    """One setting as the command line shows it."""

    section: str
    name: str
    annotation: Any
    """the field's type with its range, what msgspec converts to"""
    choices: tuple[str, ...]
    """the words allowed, or () where it is no choice between words"""
    is_switch: bool
    """True for yes or no"""
    default: Any
    help: str
    """description, range and default"""

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    def parse(self, text: str) -> Any:
        """The value that `text` stands for.

        Raises:
            ValueError: wrong type or out of range; the message says what is expected.
        """
        return msgspec.convert(text, self.annotation, strict=False)


def options() -> tuple[Option, ...]:
    """Every setting, in the order of the sections above."""
    return tuple(
        _option(section, name, annotation)
        for section, cls in get_type_hints(Settings).items()
        for name, annotation in get_type_hints(cls, include_extras=True).items()
    )


def section_title(section: str) -> str:
    """First sentence of the section's docstring."""
    doc = get_type_hints(Settings)[section].__doc__ or ""
    return doc.partition(".")[0]


def _option(section: str, name: str, annotation: Any) -> Option:
    kind, meta = get_args(annotation)
    default = getattr(getattr(Settings(), section), name)
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    facts = [_range_text(meta)]
    if isinstance(default, bool):
        facts.append(f"default: {'yes' if default else 'no'}")
    elif default != "":
        facts.append(f"default: {default}")
    facts = [fact for fact in facts if fact]
    text = f"{meta.description} ({'; '.join(facts)})" if facts else meta.description
    return Option(section, name, annotation, choices, kind is bool, default, text)


def _range_text(meta: Meta) -> str:
    low = f"{meta.ge}" if meta.ge is not None else f"above {meta.gt}" if meta.gt is not None else ""
    high = f"{meta.le}" if meta.le is not None else f"below {meta.lt}" if meta.lt is not None else ""
    step = f", a multiple of {meta.multiple_of}" if meta.multiple_of is not None else ""
    return " to ".join(bound for bound in (low, high) if bound) + step


def load_settings(toml_file: Path | None, overrides: dict[str, dict[str, Any]]) -> Settings:
    """Defaults, then the TOML file, then `overrides` ({section: {key: value}}).

    Raises:
        SettingsError: unreadable or malformed file, unknown key, wrong type, value out of range. The
            message names the key, "analysis.min_face".
    """
    values: dict[str, dict[str, Any]] = {}
    if toml_file is not None:
        try:
            values = msgspec.toml.decode(toml_file.read_bytes())
        except OSError as error:
            raise SettingsError(f"cannot read the settings: {error.strerror}", path=toml_file) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
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
