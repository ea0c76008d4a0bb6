"""Every setting, in one place: type, unit, range, default and help text.

Command-line flags, TOML keys, help and range checks are derived from these structures (msgspec does the checking,
`core/options.py` the flags). A setting `min_face` in section `analysis` is `--min-face` on the command line and

    [analysis]
    min_face = 0.05

in a TOML file, which `core/settings_file.py` reads. The old name of a renamed setting works for one release
(`RENAMED`).
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from utils.field_checks import (
    check_folder_word,
    check_template,
    check_word_or_count,
    check_word_or_one_of,
    errors_named,
    is_address,
    parse_field,
    parse_seconds,
)
from utils.home_folder import expand_home
from utils.images.frame_shapes import check_shape, check_sides, nearest_height, parse_aspect, parse_size, size_of_height
from utils.time_formats import parse_age

PROGRAM = "face-clips"
"""name of the program in pages and versions, and of its files and folders on the user's machine"""

VERSION = "0.1.0"
"""results of another version still count as finished if their format is the same (`processors/results/manifest.py`)"""

# fmt: off
VIDEO_EXTENSIONS = frozenset({
    "mp4", "m4v", "mp4v", "mpeg4", "ismv", "mov", "qt", "mqv", "hdmov", "f4v", "mj2", "3gp", "3gpp", "3gpp2", "3gp2",
    "3g2", "k3g", "mkv", "mk3d", "webm", "avi", "divx", "xvid", "ts", "m2ts", "m2t", "mts", "mpegts", "ssif", "trp",
    "tp", "tod", "mpg", "mpeg", "mpe", "mpg2", "m2p", "vob", "evo", "vro", "mod", "dat", "flv",
    "wmv", "wm", "asf", "dvr-ms", "wtv", "ogv", "ogm", "ogx", "mxf", "rm", "rmvb", "nut", "y4m", "gif", "apng",
    "insv", "lrv", "lrf", "osv", "360", "dav", "dv", "dif",
    "m1v", "m2v", "mp2v", "mpv2", "mpv", "mjpg", "mjpeg", "h264", "264", "avc", "h265", "265", "hevc", "ivf", "obu",
})
# fmt: on
"""extensions of the files that are processed in a folder; a file named on the command line may have any"""

_LONGEST_VIDEO_S = 1_000_000
"""11 days; upper limit of all given times"""

MAX_WORKERS = 64
"""processes that work on videos; each needs at least one CPU"""
MIN_FACE_LIMIT = 0.02
"""lower limit of `AnalysisSettings.min_face`"""
AUTO_TURN = "auto"
"""value of `AnalysisSettings.turn`: the analysis decides"""
SOURCE_SIZE = "source"
"""value of `ClipSettings.size`: clips are as high as their video"""

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
"""fields of `ClipSettings.template`, written $FIELD or ${FIELD} as in PySceneDetect"""

ExportFormat = Literal["mot", "coco", "vtt", "speech", "otio", "edl", "fcpxml"]

EXTRA_FILES = {
    "preview": "preview.mp4",
    "reel": "PERSON/reel.mp4",
    "mot": "mot.txt",
    "coco": "coco.json",
    "vtt": "people.vtt",
    "speech": "speech.vtt",
    "otio": "timeline.otio",
    "edl": "PERSON/segments.edl",
    "fcpxml": "timeline.fcpxml",
}
"""What each extra writes, relative to the video's folder; PERSON stands for each person's folder. Here rather than in
`processors/extras/registry.py`, which holds the writers, because packages below it reserve these names."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base class of the sections: immutable, keyword-only, strict about names."""


class AnalysisSettings(Section, frozen=True):
    """Finding and tracking faces. Any change requires a new analysis."""

    device: Annotated[
        Literal["auto", "cpu", "cuda"],
        Meta(description="where the neural networks run; auto uses a GPU if a short test of it succeeds"),
    ] = "auto"
    min_face: Annotated[
        float,
        Meta(
            ge=MIN_FACE_LIMIT,
            le=0.5,
            description="smallest face to find, as a fraction of the height of the image without black bars",
        ),
    ] = 0.05
    proposals: Annotated[
        Literal["auto", "mtcnn", "centerface", "yunet"],
        Meta(
            description="network that proposes where faces are, for MTCNN to judge; mtcnn proposes for itself and "
            "finds most; centerface and yunet are quicker and may miss blurred faces; auto: mtcnn in searches of the "
            "whole frame, yunet in those for new faces between them, as long as it finds as much"
        ),
    ] = "auto"
    tracker: Annotated[
        Literal["cascade", "csrt", "kcf", "mosse"], Meta(description="method that tracks a face between two detections")
    ] = "cascade"
    search_interval: Annotated[
        float, Meta(gt=0, le=2, description="time between two searches for new faces, seconds")
    ] = 0.5
    face_score: Annotated[
        float,
        Meta(
            ge=0.5,
            le=0.999,
            description="minimum detection score that starts a new track; "
            "lower ones do if a second network confirms them",
        ),
    ] = 0.9
    max_occlusion: Annotated[
        float, Meta(ge=0, le=5, description="how long a face may be hidden before its track ends, seconds")
    ] = 1.0
    cut_sensitivity: Annotated[
        float, Meta(ge=0, le=1, description="how readily a change of the image counts as a cut between two shots")
    ] = 0.5
    cuts: Annotated[
        str,
        Meta(
            description="file with the cuts of the video, used instead of looking for them: a scene list of "
            "PySceneDetect (.csv) or an EDL (.edl); for several videos a folder with VIDEO.csv or VIDEO.edl",
            extra={"metavar": "FILE"},
        ),
    ] = ""
    embedder: Annotated[
        Literal["auto", "sface", "facenet", "facenet-casia", "dlib", "both"],
        Meta(
            description="face recognition model; both combines facenet-casia and dlib; auto uses "
            "sface if its package is installed, else facenet if its weights are available, else dlib"
        ),
    ] = "auto"
    faces_per_track: Annotated[
        int, Meta(ge=1, le=32, description="maximum number of faces per tracklet kept for recognition")
    ] = 6
    video_stream: Annotated[
        int,
        Meta(
            ge=0,
            le=64,
            description="which of several video streams to use, from 1; 0: the one that a player would choose",
        ),
    ] = 0
    turn: Annotated[
        int | str,
        Meta(
            description="degrees by which the image is turned clockwise, in the clips as well: 0, 90, 180, 270, or "
            "auto: only if no faces are found otherwise",
            extra={"metavar": "DEGREES"},
        ),
    ] = AUTO_TURN
    start: Annotated[
        float | str,
        Meta(
            description="ignore everything before this time: seconds, MM:SS or HH:MM:SS.mmm", extra={"metavar": "TIME"}
        ),
    ] = 0.0
    end: Annotated[
        float | str,
        Meta(description="ignore everything from this time on; 0: the end of the video", extra={"metavar": "TIME"}),
    ] = 0.0
    duration: Annotated[
        float | str,
        Meta(
            description="length of the part that begins at start, instead of end; 0: to the end of the video",
            extra={"metavar": "TIME"},
        ),
    ] = 0.0

    def __post_init__(self) -> None:
        """Convert times to seconds, and reject impossible times and turns.

        `~` in a path is expanded, because no shell does it in a TOML file or in `--cuts=~/x`.
        """
        parse_field(self, "cuts", expand_home)
        parse_field(self, "turn", lambda turn: check_word_or_one_of(turn, AUTO_TURN, (0, 90, 180, 270)))
        for name in ("start", "end", "duration"):
            parse_field(self, name, lambda time: parse_seconds(time, _LONGEST_VIDEO_S))
        if self.end and self.duration:
            raise ValueError("duration: either end or duration, not both")
        start_s, end_s = self.part
        if end_s is not None and end_s <= start_s:
            raise ValueError(f"end: {end_s:g} s is not after the start, {start_s:g} s")

    @property
    def part(self) -> tuple[float, float | None]:
        """Start and end of the part of the video to be analysed, seconds; an end of None is that of the video."""
        start_s, end_s, duration_s = float(self.start), float(self.end), float(self.duration)
        return start_s, end_s or (start_s + duration_s if duration_s else None)


class IdentitySettings(Section, frozen=True):
    """Grouping faces into people. Similarities are calibrated: at 0.5, same and different person are equally likely."""

    same_person: Annotated[
        float, Meta(gt=0, lt=1, description="minimum similarity for a track to join a known person")
    ] = 0.5
    merge: Annotated[
        float, Meta(gt=0, lt=1, description="minimum similarity for two people to be merged at the end")
    ] = 0.5
    active_people: Annotated[
        int, Meta(ge=1, le=1000, description="maximum number of people in the active set, which is compared first")
    ] = 15
    active_seconds: Annotated[
        float,
        Meta(gt=0, le=86400, description="time without a face after which a person leaves the active set, seconds"),
    ] = 30.0
    skip_still: Annotated[bool, Meta(description="skip faces that never move (portraits, posters)")] = False


class ClipSettings(Section, frozen=True):
    """Which parts of the video become clips, and their shape, framing and names."""

    min_clip: Annotated[float, Meta(ge=0, le=600, description="minimum length of a clip, seconds")] = 1.0
    merge_gap: Annotated[
        float, Meta(ge=0, le=60, description="longest absence of a person within one clip, seconds")
    ] = 1.0
    max_clip: Annotated[
        float,
        Meta(
            ge=0,
            le=3600,
            description="maximum length, seconds; longer ones are split where faces move least; 0: no limit",
        ),
    ] = 0.0
    min_time: Annotated[
        float, Meta(ge=0, le=3600, description="people who are shown for less time in total get no clips, seconds")
    ] = 0.0
    padding: Annotated[
        float, Meta(ge=0, le=60, description="time added before and after each clip, seconds; never across a cut")
    ] = 0.0
    aspect: Annotated[
        str,
        Meta(
            description="aspect ratio of the clips, e.g. 1:1, 9:16, 4:5, 16:9; from 1:4 to 4:1",
            extra={"metavar": "WIDTH:HEIGHT"},
        ),
    ] = "1:1"
    size: Annotated[
        int | str,
        Meta(
            description="height of the clips, source (the height of each video) or WIDTHxHEIGHT, which overrides "
            "aspect; px, even, 64 to 2160"
        ),
    ] = 512
    framing: Annotated[
        Literal["face", "head", "bust"], Meta(description="how much to show: the face, head and shoulders, or the bust")
    ] = "head"
    face_share: Annotated[
        float, Meta(ge=0, le=0.9, description="face height as a fraction of the clip height; 0: given by framing")
    ] = 0.0
    max_upscale: Annotated[
        float,
        Meta(ge=1, le=16, description="maximum enlargement; around smaller faces, more of the frame is shown instead"),
    ] = 3.0
    camera: Annotated[
        Literal["steady", "follow", "locked"],
        Meta(description="steady holds still, then moves smoothly; follow always moves along; locked never moves"),
    ] = "steady"
    template: Annotated[
        str, Meta(description=f"file name of each clip, without .mp4; fields: {', '.join(TEMPLATE_FIELDS)}")
    ] = "${PERSON}_clip_${CLIP_NUMBER}_${START_TIME}"

    def __post_init__(self) -> None:
        """Check what a range cannot express. msgspec turns a ValueError into a ValidationError."""
        parse_field(self, "size", lambda size: int(size) if isinstance(size, str) and size.isdecimal() else size)
        # For clips that are as high as their video, only the shape is known.
        shape = self._aspect.as_integer_ratio()
        if self.size != SOURCE_SIZE:
            shape = self.frame_size
            with errors_named("size"):
                check_sides(*shape)
        with errors_named("aspect"):
            check_shape(*shape)
        if 0 < self.max_clip < 0.5:
            raise ValueError(f"max_clip: {self.max_clip} is neither 0 nor from 0.5 to 3600")
        parse_field(self, "template", lambda text: check_template(text, TEMPLATE_FIELDS))

    @property
    def frame_size(self) -> tuple[int, int]:
        """Width and height of the clips, px.

        Raises:
            ValueError: `size` or `aspect` is malformed, or the size is that of a video: see `sized_for`.
        """
        if isinstance(self.size, int):
            return size_of_height(self.size, self._aspect)
        given = parse_size(self.size)
        if given is None:
            raise ValueError(f"size: {self.size!r} is neither a height nor WIDTHxHEIGHT nor {SOURCE_SIZE}")
        return given

    def sized_for(self, video_height: int) -> ClipSettings:
        """These settings for a video `video_height` px high: "source" as `size` is replaced by a number of px.

        That is the video's height made even, within the limits of both sides.
        """
        if self.size != SOURCE_SIZE:
            return self
        return msgspec.structs.replace(self, size=nearest_height(video_height, self._aspect))

    @property
    def _aspect(self) -> Fraction:
        with errors_named("aspect"):
            return parse_aspect(self.aspect)


class SpeechSettings(Section, frozen=True):
    """Detecting who speaks, and making clips of speaking turns."""

    speech: Annotated[
        Literal["auto", "off", "on"],
        Meta(
            description="detect who speaks, which costs a fifth to a third more CPU time in a first run; auto: only "
            "if --when speaking or --export speech needs it"
        ),
    ] = "auto"
    speech_model: Annotated[
        Literal["auto", "movement", "lr-asd"],
        Meta(
            description="movement: voice activity and mouth movement, needs no download; lr-asd: a neural network; "
            "auto: lr-asd if its weights are available, else movement"
        ),
    ] = "auto"
    when: Annotated[
        Literal["visible", "speaking"],
        Meta(description="make clips while a person is visible, or only while they speak"),
    ] = "visible"
    speech_lead: Annotated[
        float, Meta(ge=0, le=10, description="--when speaking: time before the first word, seconds")
    ] = 0.2
    speech_tail: Annotated[
        float, Meta(ge=0, le=10, description="--when speaking: time after the last word, seconds")
    ] = 0.3
    speech_gap: Annotated[
        float, Meta(ge=0, le=60, description="--when speaking: longest pause within a clip, seconds")
    ] = 0.6

    def __post_init__(self) -> None:
        """Reject contradictory settings."""
        if self.speech == "off" and self.when == "speaking":
            raise ValueError("when: speaking needs speech, which is off")

    @property
    def is_shown(self) -> bool:
        """Whether the results contain who speaks."""
        return self.speech == "on" or self.when == "speaking"


class EncodeSettings(Section, frozen=True):
    """How clips are encoded."""

    codec: Annotated[
        Literal["auto", "x264", "nvenc"],
        Meta(description="video encoder; auto uses NVENC (GPU) if a short test of it succeeds, else x264 (CPU)"),
    ] = "auto"
    quality: Annotated[
        int, Meta(ge=0, le=51, description="constant quality (crf of x264, cq of NVENC): lower is better and larger")
    ] = 18
    preset: Annotated[
        Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"],
        Meta(description="preset of x264: slower presets give smaller files"),
    ] = "veryfast"
    audio_kbps: Annotated[int, Meta(ge=32, le=512, description="audio bit rate, kbit/s")] = 160
    audio_stream: Annotated[
        str,
        Meta(
            description="which of several audio streams to use: its number from 1, or its language as the file states "
            "it (deu); empty: the one that a player would choose"
        ),
    ] = ""


class PeopleSettings(Section, frozen=True):
    """Recognising people across videos. These settings change names, never boxes, tracks or the contents of clips."""

    people: Annotated[
        str,
        Meta(
            description="folder of photos that name people: Anna.jpg or Anna/*.jpg; empty: videos/people if it exists",
            extra={"metavar": "DIR"},
        ),
    ] = ""
    gallery: Annotated[
        str,
        Meta(
            description="file that remembers people across videos and runs; empty: people.db in the output folder",
            extra={"metavar": "FILE"},
        ),
    ] = ""
    no_gallery: Annotated[bool, Meta(description="remember nobody; only photos name people")] = False
    same_name: Annotated[
        float, Meta(gt=0, lt=1, description="similarity at which a person is linked to a known one")
    ] = 0.7
    name_margin: Annotated[
        float, Meta(ge=0, lt=1, description="required lead over the next known person; 0: a tie is enough, 1: no rival")
    ] = 0.45
    only: Annotated[
        str,
        Meta(
            description="make clips of these people only: names or ids, separated by commas", extra={"metavar": "NAMES"}
        ),
    ] = ""

    def __post_init__(self) -> None:
        """Expand `~` in paths, see `AnalysisSettings`."""
        for name in ("people", "gallery"):
            parse_field(self, name, expand_home)


class OutputSettings(Section, frozen=True):
    """Additional outputs. None of these settings changes any other output."""

    preview: Annotated[
        bool, Meta(description="write preview.mp4: the whole video with boxes, names, tracks, cuts and times")
    ] = False
    reel: Annotated[bool, Meta(description="write reel.mp4 for each person: all their clips in one video")] = False
    export: Annotated[
        tuple[ExportFormat, ...],
        Meta(description=f"files for other programs; comma-separated list of {', '.join(get_args(ExportFormat))}"),
    ] = ()

    variant: Annotated[
        str,
        Meta(
            description="make a further set of clips with the given clip and encode settings, in a folder of this name "
            "for each person",
            extra={"metavar": "NAME"},
        ),
    ] = ""

    def __post_init__(self) -> None:
        """Reject a variant whose name is not a valid folder name on every system."""
        if self.variant:
            parse_field(self, "variant", check_folder_word)

    @property
    def extras(self) -> frozenset[str]:
        """Names of the additional outputs that are switched on."""
        switches = {"preview": self.preview, "reel": self.reel}
        return frozenset({*self.export, *(name for name, wanted in switches.items() if wanted)})


class RunSettings(Section, frozen=True):
    """How the program runs."""

    overwrite: Annotated[
        bool, Meta(description="process finished inputs again, and replace clips that were made with other settings")
    ] = False
    recursive: Annotated[
        bool, Meta(description="also take the videos in subfolders; the results keep the layout of the folders")
    ] = False
    threads: Annotated[int, Meta(ge=0, le=256, description="number of CPU threads; 0: all")] = 0
    decoder: Annotated[
        Literal["auto", "software"],
        Meta(
            description="what decodes the video for the analysis; auto: the GPU that runs the networks, if a short "
            "test of it succeeds"
        ),
    ] = "auto"
    workers: Annotated[
        int | str,
        Meta(
            description="number of videos to work on at a time, each in a process of its own; auto: one for every 4 "
            "CPUs and 1.5 GB of free memory, or a single one with a GPU",
            extra={"metavar": "N"},
        ),
    ] = "auto"
    stall_limit: Annotated[
        float,
        Meta(
            gt=0,
            le=1440,
            description="with several workers: time without progress after which a worker is ended and its video "
            "tried once more, minutes",
        ),
    ] = 15.0
    cache_dir: Annotated[
        str,
        Meta(description="folder for models and analyses; empty: the user's cache folder", extra={"metavar": "DIR"}),
    ] = ""
    cache: Annotated[bool, Meta(description="store analyses in the cache and use stored ones of the same video")] = True
    cache_mb: Annotated[
        int,
        Meta(
            ge=10,
            le=1_000_000,
            description="maximum size of the analysis cache, MB; least recently used entries go first",
        ),
    ] = 2000
    keep_analyses: Annotated[
        str,
        Meta(
            description="how long stored analyses are kept after their last use, e.g. 12h, 30d or 4w; "
            "older ones are removed at the end of each run (0d: all of them); forever: until cache_mb is full",
            extra={"metavar": "AGE"},
        ),
    ] = "forever"
    scratch: Annotated[
        str,
        Meta(
            description="folder on a local disk in which results are made before they move to the output folder; "
            "empty: in the output folder",
            extra={"metavar": "DIR"},
        ),
    ] = ""
    cluster: Annotated[
        str,
        Meta(
            description="process the videos on the nodes of a Ray cluster: HOST:PORT, auto (the one that this machine "
            "is in) or local (one on this machine, for this run); empty: without Ray",
            extra={"metavar": "ADDRESS"},
        ),
    ] = ""
    facenet_weights: Annotated[
        str,
        Meta(
            description="path of 20180402-114759-vggface2.pt, if it is not in the cache of torch",
            extra={"metavar": "FILE"},
        ),
    ] = ""
    speech_weights: Annotated[
        tuple[str, ...],
        Meta(
            description="paths of LR-ASD's weights, finetuning_TalkSet.model, pretrain_AVA.model or both; inputs go "
            "before this flag"
        ),
    ] = ()
    offline: Annotated[bool, Meta(description="never download a model")] = False

    def __post_init__(self) -> None:
        """Check what a range cannot express, and expand `~` in paths, see `AnalysisSettings`."""
        parse_field(self, "workers", lambda workers: check_word_or_count(workers, "auto", MAX_WORKERS))
        if self.cluster not in ("", "auto", "local") and not is_address(self.cluster):
            raise ValueError(f"cluster: {self.cluster!r} is not auto, local or HOST:PORT")
        try:
            self.keep_analyses_s  # noqa: B018 - raises
        except ValueError as error:
            raise ValueError(f"keep_analyses: {error}, or forever") from error
        for name in ("cache_dir", "scratch", "facenet_weights"):
            parse_field(self, name, expand_home)
        parse_field(self, "speech_weights", lambda paths: tuple(map(expand_home, paths)))

    @property
    def keep_analyses_s(self) -> float | None:
        """How long stored analyses are kept after their last use, seconds; None: no limit."""
        return None if self.keep_analyses == "forever" else parse_age(self.keep_analyses)

    @property
    def scratch_folder(self) -> Path | None:
        """`scratch` as a path; None: the output folder itself."""
        return Path(self.scratch) if self.scratch else None


class VariantSettings(Section, frozen=True):
    """The settings of a further set of clips, which shows the same people at the same times as the first set."""

    clip: ClipSettings = ClipSettings()
    encode: EncodeSettings = EncodeSettings()


class Settings(Section, frozen=True):
    """All sections, and the further sets of clips by name. `Settings()` are the defaults."""

    analysis: AnalysisSettings = AnalysisSettings()
    identity: IdentitySettings = IdentitySettings()
    clip: ClipSettings = ClipSettings()
    speech: SpeechSettings = SpeechSettings()
    encode: EncodeSettings = EncodeSettings()
    people: PeopleSettings = PeopleSettings()
    output: OutputSettings = OutputSettings()
    run: RunSettings = RunSettings()
    variants: dict[str, VariantSettings] = {}

    def __post_init__(self) -> None:
        """Reject contradictory settings."""
        if self.speech.speech == "off" and "speech" in self.output.export:
            raise ValueError("export: speech needs speech, which is off")
        for name in self.variants:
            with errors_named("variants"):
                check_folder_word(name)

    @property
    def wants_speech(self) -> bool:
        """Whether the run has to analyse speech."""
        return self.speech.is_shown or "speech" in self.output.export


RESULT_SECTIONS = ("analysis", "identity", "clip", "speech", "encode")
"""sections that change the results; the manifest records them, and results with other values are out of date"""

RENAMED: dict[tuple[str, str], str] = {("analysis", "look_out"): "search_interval"}
"""(section, old name) -> new name; the old flag and TOML key still work and log a warning. Remove after one release."""


def result_settings(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the settings that change the results as plain values: {section: {key: value}}, in a fixed order."""
    return {name: msgspec.to_builtins(getattr(settings, name)) for name in RESULT_SECTIONS}
