"""Every setting once: type, unit, range, default and help text.

Command-line flags, TOML keys, help and range checks all derive from these structures (msgspec does
the checking, `core/options.py` the flags). A setting `min_face` in section `analysis` is
`--min-face` on the command line and

    [analysis]
    min_face = 0.05

in a TOML file. Order of precedence: defaults < `--config FILE.toml` < flags. An unknown key is an error.
"""

from __future__ import annotations

import re
import string
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
import msgspec.toml
from msgspec import Meta

from core.errors import SettingsError

VERSION = "0.1.0"
"""of the program; a manifest written by another version is not taken as done"""

# fmt: off
VIDEO_EXTENSIONS = frozenset({
    "mp4", "m4v", "mov", "qt", "f4v", "mj2", "3gp", "3gpp", "3g2", "mkv", "mk3d", "webm", "avi", "divx", "xvid",
    "ts", "m2ts", "m2t", "mts", "trp", "tp", "tod", "mpg", "mpeg", "mpe", "m2p", "vob", "vro", "mod", "flv", "wmv",
    "asf", "dvr-ms", "wtv", "ogv", "ogm", "mxf", "rm", "rmvb", "nut", "y4m", "gif",
    "insv", "lrv", "lrf", "360", "dav", "dv", "dif",
    "m1v", "m2v", "mpv", "mjpg", "mjpeg", "h264", "264", "avc", "h265", "265", "hevc", "ivf", "obu",
})
# fmt: on
"""what is picked up from a folder; a file named on the command line is tried whatever its extension"""

MAX_SIDE_PX = 4096
"""of clips; what every H.264 decoder of today still takes"""

TEMPLATE_FIELDS = (
    "VIDEO_NAME",
    "PERSON",
    "CLIP_NUMBER",
    "SHOT_NUMBER",
    "START_TIME",
    "END_TIME",
    "START_FRAME",
    "END_FRAME",
    "START_PTS",
    "END_PTS",
)
"""what `ClipSettings.template` may name, as PySceneDetect does: $FIELD or ${FIELD}"""

ExportFormat = Literal["mot", "coco", "vtt", "otio", "edl"]

EXTRA_FILES = {
    "preview": "preview.mp4",
    "reel": "PERSON/reel.mp4",
    "mot": "mot.txt",
    "coco": "coco.json",
    "vtt": "people.vtt",
    "otio": "timeline.otio",
    "edl": "PERSON/segments.edl",
}
"""What each extra writes, relative to the video's folder; PERSON stands for each person's folder. Here rather than in
`processors/extras/registry.py`, which holds the writers, because packages below it reserve these names."""


def expand_home(path: str) -> str:
    """`path` with a home folder in the place of a `~` or `~user` that it begins with.

    Raises:
        ValueError: no such home folder is known.
    """
    if not path.startswith("~"):
        return path
    try:
        return str(Path(path).expanduser())
    except RuntimeError as error:
        user = path.partition("/")[0]
        raise ValueError(f"{path!r}: no home folder is known for {user}; give the path without it") from error


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the settings' sections: immutable, keyword-only, strict about names."""


class AnalysisSettings(Section, frozen=True):
    """Finding and following faces. Changing one of these makes a new analysis necessary."""

    device: Annotated[
        Literal["auto", "cpu", "cuda"],
        Meta(description="where the networks run; auto is a GPU where a trial of it succeeds"),
    ] = "auto"
    min_face: Annotated[
        float, Meta(ge=0.02, le=0.5, description="smallest face looked for, as a share of the picture's height")
    ] = 0.05
    tracker: Annotated[
        Literal["cascade", "csrt", "kcf", "mosse"],
        Meta(description="what follows a face between two detections"),
    ] = "cascade"
    look_out: Annotated[float, Meta(gt=0, le=2, description="seconds between two looks for newcomers")] = 0.5
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
    max_clip: Annotated[
        float,
        Meta(
            ge=0, le=3600, description="longer stretches become several clips, cut at quiet moments, seconds; 0: never"
        ),
    ] = 0.0
    padding: Annotated[
        float, Meta(ge=0, le=60, description="time kept before and after, never across a cut, seconds")
    ] = 0.0
    aspect: Annotated[
        str, Meta(description="shape of the clips, WIDTH:HEIGHT; 1:1, 9:16, 4:5, 16:9, any from 1:4 to 4:1")
    ] = "1:1"
    size: Annotated[
        int | str,
        Meta(description="height of the clips, or WIDTHxHEIGHT, which overrules aspect; px, even, 64 to 2160"),
    ] = 512
    framing: Annotated[Literal["face", "head", "bust"], Meta(description="how much is shown around the face")] = "head"
    face_share: Annotated[
        float, Meta(ge=0, le=0.9, description="how much of the clip's height the face takes; 0: as framing has it")
    ] = 0.0
    max_upscale: Annotated[
        float,
        Meta(
            ge=1, le=16, description="small faces are enlarged no more than this, more of the picture is shown instead"
        ),
    ] = 3.0
    camera: Annotated[
        Literal["steady", "follow", "locked"],
        Meta(description="steady rests and eases on, follow always drifts along, locked never moves"),
    ] = "steady"
    template: Annotated[
        str, Meta(description=f"file names of the clips, without .mp4; fields: {', '.join(TEMPLATE_FIELDS)}")
    ] = "clip_${CLIP_NUMBER}_${START_TIME}"

    def __post_init__(self) -> None:
        """Checks what a range cannot say; ValueErrors become SettingsErrors."""
        if isinstance(self.size, str) and self.size.isdecimal():
            msgspec.structs.force_setattr(self, "size", int(self.size))
        width, height = self.frame_size
        for side in {width, height}:
            if not 64 <= side <= MAX_SIDE_PX or side % 2:
                raise ValueError(
                    f"size: clips of {width}x{height} px; sides must be 64 to {MAX_SIDE_PX}, a multiple of 2"
                )
        if height > 2160:
            raise ValueError(f"size: a height of {height} px; at most 2160")
        if not Fraction(1, 4) <= Fraction(width, height) <= 4:
            raise ValueError(f"aspect: {width}:{height} is narrower than 1:4 or wider than 4:1")
        if 0 < self.max_clip < 0.5:
            raise ValueError(f"max_clip: {self.max_clip}; 0, or 0.5 to 3600")
        template = string.Template(self.template)
        # get_identifiers() is new in Python 3.11
        named = [match["named"] or match["braced"] for match in template.pattern.finditer(self.template)]
        unknown = [name or "$" for name in named if name not in TEMPLATE_FIELDS]
        if unknown or not self.template.strip():
            known = ", ".join(TEMPLATE_FIELDS)
            raise ValueError(f"template: {unknown[0] if unknown else 'nothing'} is no field; there are {known}")

    @property
    def frame_size(self) -> tuple[int, int]:
        """Width and height of the clips, px.

        Raises:
            ValueError: `size` or `aspect` is malformed.
        """
        if isinstance(self.size, str):
            numbers = re.fullmatch(r"(\d{1,5})x(\d{1,5})", self.size)
            if numbers is None:
                raise ValueError(f"size: {self.size!r} is neither a height nor WIDTHxHEIGHT")
            return int(numbers[1]), int(numbers[2])
        shape = re.fullmatch(r"([1-9]\d{0,4}):([1-9]\d{0,4})", self.aspect)
        if shape is None:
            raise ValueError(f"aspect: {self.aspect!r} is not WIDTH:HEIGHT")
        return 2 * round(self.size * Fraction(int(shape[1]), int(shape[2])) / 2), self.size


class EncodeSettings(Section, frozen=True):
    """How clips are encoded."""

    codec: Annotated[
        Literal["auto", "x264", "nvenc"],
        Meta(description="encoder; auto is NVENC where a trial of it succeeds, else x264"),
    ] = "auto"
    quality: Annotated[
        int, Meta(ge=0, le=51, description="constant quality (x264's crf, NVENC's cq): lower is better and larger")
    ] = 18
    preset: Annotated[
        Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"],
        Meta(description="x264's preset: slower is smaller"),
    ] = "veryfast"
    audio_kbps: Annotated[int, Meta(ge=32, le=512, description="bit rate of the sound, kbit/s")] = 160


class PeopleSettings(Section, frozen=True):
    """Who people are, across videos. None of these changes boxes, tracks or the contents of clips, only names."""

    people: Annotated[
        str,
        Meta(
            description="folder of photos that name people: Anna.jpg or Anna/*.jpg; empty: videos/people if it exists"
        ),
    ] = ""
    gallery: Annotated[
        str,
        Meta(description="file that remembers people across videos and runs; empty: people.db in the output folder"),
    ] = ""
    no_gallery: Annotated[bool, Meta(description="remember nobody; only photos name people")] = False
    same_name: Annotated[
        float, Meta(gt=0, lt=1, description="similarity at which a person is linked to a known one")
    ] = 0.7
    name_margin: Annotated[
        float, Meta(ge=0, lt=1, description="how clearly the next known person must be beaten; 0: a tie, 1: no rival")
    ] = 0.45
    only: Annotated[
        str, Meta(description="make clips of this person only: a name or an id, or several with commas")
    ] = ""

    def __post_init__(self) -> None:
        """Expands `~` in paths: no shell does it for a TOML file or in `--people=~/x`."""
        for name in ("people", "gallery"):
            try:
                msgspec.structs.force_setattr(self, name, expand_home(getattr(self, name)))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error


class OutputSettings(Section, frozen=True):
    """What is written beside the clips. None of these changes anything else that is written."""

    preview: Annotated[
        bool, Meta(description="write preview.mp4, the whole video with boxes, names, tracks, cuts and times")
    ] = False
    reel: Annotated[bool, Meta(description="write reel.mp4 for each person, one film of all their clips")] = False
    export: Annotated[
        tuple[ExportFormat, ...],
        Meta(description=f"formats for other programs, a list with commas: {', '.join(get_args(ExportFormat))}"),
    ] = ()

    @property
    def extras(self) -> frozenset[str]:
        """What is wanted beside the clips, by name; a manifest lists those that are there."""
        switches = {"preview": self.preview, "reel": self.reel}
        return frozenset({*self.export, *(name for name, wanted in switches.items() if wanted)})


class RunSettings(Section, frozen=True):
    """The run as a whole."""

    overwrite: Annotated[bool, Meta(description="process inputs again that are already done")] = False
    threads: Annotated[int, Meta(ge=0, le=256, description="CPU threads to use; 0 takes all there are")] = 0
    cache_dir: Annotated[
        str, Meta(description="where models and analyses are kept; empty: the user's cache folder")
    ] = ""
    cache: Annotated[
        bool, Meta(description="keep analyses in the cache, and use those of earlier runs that fit the video")
    ] = True
    cache_mb: Annotated[
        int, Meta(ge=10, le=1_000_000, description="most that the kept analyses may take, MB; last used stay")
    ] = 2000
    facenet_weights: Annotated[
        str, Meta(description="path of 20180402-114759-vggface2.pt, where it is not in torch's cache")
    ] = ""
    offline: Annotated[bool, Meta(description="never try to download a model")] = False

    def __post_init__(self) -> None:
        """Expands `~` in paths: no shell does it for a TOML file or in `--cache-dir=~/x`."""
        for name in ("cache_dir", "facenet_weights"):
            try:
                msgspec.structs.force_setattr(self, name, expand_home(getattr(self, name)))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error


class Settings(Section, frozen=True):
    """All sections. `Settings()` are the defaults."""

    analysis: AnalysisSettings = AnalysisSettings()
    identity: IdentitySettings = IdentitySettings()
    clip: ClipSettings = ClipSettings()
    encode: EncodeSettings = EncodeSettings()
    people: PeopleSettings = PeopleSettings()
    output: OutputSettings = OutputSettings()
    run: RunSettings = RunSettings()


RESULT_SECTIONS = ("analysis", "identity", "clip", "encode")
"""the sections that change what is written; the manifest records them and a change of them means work"""


def result_settings(settings: Settings) -> dict[str, dict[str, Any]]:
    """The settings that change the result, as plain values: {section: {key: value}}, in a fixed order."""
    return {name: msgspec.to_builtins(getattr(settings, name)) for name in RESULT_SECTIONS}


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
