"""FCPXML 1.10: a project per person with the clips as key-framed crops of the source, for Final Cut Pro and Resolve.

Times are exact fractions of a second (Apple, "Timing Attributes"). Positions in the source are in its timecode: the
start of the asset and of its clips, and the key frames, which use the local clock of their clip. Besides the projects,
the event has the whole video, with a marker and a keyword range for each segment of each person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

from config import EXTRA_FILES
from core.types import CropPath, FaceAnalysis, Identity, Timeline
from processors.extras.exporters.cuts import counted_timecode, source_cuts, source_length
from processors.extras.exporters.transform_keys import TransformKeys, transform_keys
from utils.console.printable_text import ascii_safe
from utils.files import write_text
from utils.urls import url_from

FCPXML_FILE = EXTRA_FILES["fcpxml"]

_VERSION = "1.10"
"""the latest version whose DTD is in Apple's documentation"""

_SEQUENCE_RATES = tuple(
    Fraction(rate) for rate in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60")
)
"""frames per second that a project of Final Cut Pro may have, in ascending order"""

_SOURCE_FORMAT, _SEQUENCE_FORMAT, _ASSET = "r1", "r2", "r3"
"""ids of the resources"""

Element = ElementTree.Element


def write_fcpxml(
    folder: Path, analysis: FaceAnalysis, timeline: Timeline, paths: Sequence[CropPath]
) -> tuple[str, ...]:
    """Write timeline.fcpxml. paths: of all clips, in any order; their sizes are equal."""
    root = _Document(analysis, url_from(folder, analysis.video.path)).make(timeline, paths)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    write_text(folder / FCPXML_FILE, f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n{text}\n')
    return (FCPXML_FILE,)


def sequence_rate(rate: Fraction) -> Fraction:
    """The rate of a project that shows video at `rate`: the same, else its smallest multiple or the next higher one."""
    multiples = [known for known in _SEQUENCE_RATES if (known / rate).denominator == 1]
    higher = [known for known in _SEQUENCE_RATES if known >= rate]
    return next(iter([*multiples, *higher, _SEQUENCE_RATES[-1]]))


def seconds_text(seconds: Fraction) -> str:
    """A time as FCPXML writes it: "1001/30000s", "5s"."""
    return f"{seconds}s"


class _Document:
    """Frames of the source count from its first one, at its nominal rate."""

    def __init__(self, analysis: FaceAnalysis, url: str) -> None:
        self._analysis = analysis
        self._url = url
        self._rate = analysis.video.frame_rate
        self._sequence_rate = sequence_rate(self._rate)
        self._timecode = counted_timecode(analysis.video)
        self._length = source_length(analysis)
        self._name = ascii_safe(analysis.video.path.name)

    def make(self, timeline: Timeline, paths: Sequence[CropPath]) -> Element:
        root = Element("fcpxml", version=_VERSION)
        size = (paths[0].width, paths[0].height) if paths else (self._analysis.video.width, self._analysis.video.height)
        root.append(self._resources(size))
        event = ElementTree.SubElement(ElementTree.SubElement(root, "library"), "event", name=self._name)
        event.append(self._whole_source(timeline.people))
        for person in timeline.people:
            own = sorted((p for p in paths if p.segment.person == person.name), key=lambda path: path.segment.start)
            if own:
                event.append(self._project(person.name, own))
        return root

    def _resources(self, size: tuple[int, int]) -> Element:
        resources, video = Element("resources"), self._analysis.video
        for name, rate, (width, height) in (
            (_SOURCE_FORMAT, self._rate, video.player_size),
            (_SEQUENCE_FORMAT, self._sequence_rate, size),
        ):
            ElementTree.SubElement(
                resources, "format", id=name, frameDuration=seconds_text(1 / rate), width=str(width), height=str(height)
            )
        asset = ElementTree.SubElement(
            resources, "asset", id=_ASSET, name=self._name, start=self._source_time(0), hasVideo="1",
            duration=seconds_text(self._length / self._rate), format=_SOURCE_FORMAT, videoSources="1",
        )  # fmt: skip
        if (audio := video.default_audio) is not None:
            sound = {"hasAudio": "1", "audioSources": "1", "audioChannels": str(audio.channels)}
            asset.attrib.update(sound, audioRate=str(audio.sample_rate_hz))
        ElementTree.SubElement(asset, "media-rep", kind="original-media", src=self._url)
        return resources

    def _whole_source(self, people: Iterable[Identity]) -> Element:
        clip = self._clip(self._name, 0, self._length)
        cuts = [(person.name, cut) for person in people for cut in source_cuts(self._analysis, person)]
        for name, cut in sorted(cuts, key=lambda found: (found[1].start, found[0])):
            start, frame = self._source_time(cut.start), seconds_text(1 / self._rate)
            length = seconds_text((cut.end - cut.start) / self._rate)
            ElementTree.SubElement(clip, "marker", start=start, duration=frame, value=name)
            ElementTree.SubElement(clip, "keyword", start=start, duration=length, value=name)
        return clip

    def _project(self, name: str, paths: Sequence[CropPath]) -> Element:
        """The clips of one person, one after the other."""
        project = Element("project", name=name)
        sequence = ElementTree.SubElement(
            project, "sequence", format=_SEQUENCE_FORMAT, tcStart="0s", tcFormat=self._timecode_format
        )
        if self._analysis.video.default_audio is not None:
            sequence.attrib.update(audioLayout="stereo", audioRate="48k")
        spine = ElementTree.SubElement(sequence, "spine")
        offset = Fraction(0)
        for number, path in enumerate(paths, start=1):
            first = round(self._analysis.seconds_at(path.segment.start) * float(self._rate))
            length = min(len(path.source_frames), self._length - first)
            if length < 1:
                continue
            clip = self._clip(f"{name} {number}", first, length)
            shown = Fraction(max(round(length / self._rate * self._sequence_rate), 1)) / self._sequence_rate
            clip.attrib.update(offset=seconds_text(offset), duration=seconds_text(shown))
            if self._sequence_rate != self._rate:
                # Otherwise Final Cut Pro would show one frame of the source per frame of the project, slower or faster.
                ElementTree.SubElement(clip, "conform-rate", scaleEnabled="0")
            clip.append(self._transform(path, first))
            ElementTree.SubElement(
                clip, "marker", start=self._source_time(first), duration=seconds_text(1 / self._rate), value=name
            )
            spine.append(clip)
            offset += shown
        sequence.set("duration", seconds_text(offset))
        return project

    def _clip(self, name: str, first: int, length: int) -> Element:
        """Frames [first, first + length) of the source."""
        return Element(
            "asset-clip", ref=_ASSET, name=name, start=self._source_time(first), format=_SOURCE_FORMAT,
            duration=seconds_text(length / self._rate), tcFormat=self._timecode_format,
        )  # fmt: skip

    def _transform(self, path: CropPath, first: int) -> Element:
        video = self._analysis.video
        keys = transform_keys(path, video.width, video.height, is_sideways=video.turn in (90, 270))
        positions, scales = _positions(keys), _scales(keys)
        transform = Element("adjust-transform", position=positions[0], scale=scales[0])
        if video.turn:
            # Counterclockwise is positive.
            transform.set("rotation", str(180 - (video.turn + 180) % 360))
        if len(keys.frames) > 1:
            times = [self._source_time(first + int(frame)) for frame in keys.frames]
            # Apple's key frames of positions have no curve: Final Cut Pro decides how to move between positions.
            transform.append(_animated("position", times, positions))
            transform.append(_animated("scale", times, scales, curve="linear"))
        return transform

    def _source_time(self, frame: int) -> str:
        """When frame number `frame` of the source is shown, in its timecode."""
        return seconds_text((self._timecode.start + frame) / self._rate)

    @property
    def _timecode_format(self) -> str:
        return "DF" if self._timecode.drop_frame else "NDF"


def _positions(keys: TransformKeys) -> list[str]:
    return [f"{_plain(x)} {_plain(y)}" for x, y in keys.positions.tolist()]


def _scales(keys: TransformKeys) -> list[str]:
    return [f"{_plain(scale)} {_plain(scale)}" for scale in keys.scales.tolist()]


def _plain(value: float) -> str:
    return f"{value + 0.0:.6f}".rstrip("0").rstrip(".")


def _animated(name: str, times: Sequence[str], values: Sequence[str], **attributes: str) -> Element:
    param = Element("param", name=name)
    animation = ElementTree.SubElement(param, "keyframeAnimation")
    for time, value in zip(times, values, strict=True):
        ElementTree.SubElement(animation, "keyframe", {"time": time, "value": value, **attributes})
    return param
