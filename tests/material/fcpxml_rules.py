"""What Final Cut Pro demands of the elements that our FCPXML has, before it imports anything.

In our own words after Apple's FCPXML reference ("Document Type Definition", version 1.10, and the pages of the
elements). Apple's DTD itself may not be passed on; a file was checked against it by hand (docs/decisions/results.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from xml.etree import ElementTree

Element = ElementTree.Element


@dataclass(frozen=True)
class Rule:
    """children: a regular expression over the names of the children, each followed by a space."""

    required: frozenset[str]
    optional: frozenset[str]
    children: str = ""


def _rule(required: str, optional: str = "", children: str = "") -> Rule:
    return Rule(frozenset(required.split()), frozenset(optional.split()), children)


_RULES = {
    "fcpxml": _rule("version", "", "resources library "),
    "resources": _rule("", "", "((format|asset) )*"),
    "format": _rule("id", "name frameDuration width height paspH paspV colorSpace fieldOrder"),
    "asset": _rule(
        "id",
        "name uid start duration hasVideo format hasAudio videoSources audioSources audioChannels audioRate",
        "(media-rep )+",
    ),
    "media-rep": _rule("src", "kind sig suggestedFilename"),
    "library": _rule("", "location", "(event )*"),
    "event": _rule("", "name uid", "((asset-clip|project) )*"),
    "project": _rule("", "name uid id modDate", "sequence "),
    "sequence": _rule("format", "duration tcStart tcFormat audioLayout audioRate renderFormat", "spine "),
    "spine": _rule("", "name format", "((asset-clip|gap) )*"),
    "asset-clip": _rule(
        "ref",
        "name start duration offset lane enabled format tcStart tcFormat audioRole videoRole srcEnable",
        "(conform-rate )?(adjust-crop )?(adjust-conform )?(adjust-transform )?((marker|keyword) )*",
    ),
    "conform-rate": _rule("", "scaleEnabled srcFrameRate frameSampling"),
    "adjust-transform": _rule("", "enabled position scale rotation anchor", "(param )*"),
    "param": _rule("name", "key value enabled", "(keyframeAnimation )?"),
    "keyframeAnimation": _rule("", "", "(keyframe )*"),
    "keyframe": _rule("time value", "interp curve"),
    "marker": _rule("start value", "duration completed note"),
    "keyword": _rule("value", "start duration note"),
}

_TIMES = ("start", "duration", "offset", "time", "tcStart", "frameDuration")
_CHOICES = {
    "tcFormat": ("DF", "NDF"),
    "curve": ("linear", "smooth"),
    "interp": ("linear", "ease", "easeIn", "easeOut"),
    "scaleEnabled": ("0", "1"),
    "kind": ("original-media", "proxy-media"),
    "audioLayout": ("mono", "stereo", "surround"),
}


def seconds(time: str) -> Fraction:
    """The time "1001/30000s" or "5s"; its numerator has at most 64 bits, its denominator 32."""
    match = re.fullmatch(r"(-?\d+)(?:/(\d+))?s", time)
    assert match is not None, time
    value = Fraction(int(match[1]), int(match[2] or 1))
    assert abs(value.numerator) < 2**63 and value.denominator < 2**31, time
    return value


def assert_importable(root: Element) -> None:
    """Elements, attributes, order and references are as the DTD has them, and times fit together."""
    for element in root.iter():
        rule = _RULES[element.tag]
        names = set(element.attrib)
        assert rule.required <= names <= rule.required | rule.optional, (element.tag, names)
        children = "".join(f"{child.tag} " for child in element)
        assert re.fullmatch(rule.children, children), (element.tag, children)
        assert not (element.text or "").strip() and not (element.tail or "").strip()
        for name, value in element.attrib.items():
            assert value in _CHOICES.get(name, (value,)), (element.tag, name, value)
            if name in _TIMES:
                seconds(value)
    ids = [element.get("id") for element in root.iterfind("resources/*")]
    assert len(set(ids)) == len(ids)
    used = {element.get(name) for element in root.iter() for name in ("ref", "format") if element.get(name)}
    assert used <= set(ids)
    resources = {element.attrib["id"]: element for element in root.iterfind("resources/*")}
    for sequence in root.iter("sequence"):
        _assert_gapless(resources, sequence)
    for clip in root.iter("asset-clip"):
        _assert_inside(resources, clip)


def _assert_gapless(resources: Mapping[str, Element], sequence: Element) -> None:
    """The clips follow one another on whole frames of the sequence and fill it."""
    frame = seconds(resources[sequence.attrib["format"]].attrib["frameDuration"])
    position = Fraction(0)
    for clip in sequence.iterfind("spine/*"):
        assert seconds(clip.attrib["offset"]) == position
        length = seconds(clip.attrib["duration"])
        assert length > 0 and (length / frame).denominator == 1
        position += length
    assert seconds(sequence.attrib["duration"]) == position


def _assert_inside(resources: Mapping[str, Element], clip: Element) -> None:
    """The clip lies in its asset; its markers and key frames lie in the clip, on whole frames of the source."""
    asset = resources[clip.attrib["ref"]]
    frame = seconds(resources[asset.attrib["format"]].attrib["frameDuration"])
    first = seconds(asset.attrib["start"])
    start, end = seconds(clip.attrib["start"]), seconds(clip.attrib["start"]) + seconds(clip.attrib["duration"])
    # Of a sequence at another rate, the last frame may be shown a little longer.
    assert first <= start and end <= first + seconds(asset.attrib["duration"]) + frame
    for element in [*clip.iter("marker"), *clip.iter("keyword"), *clip.iter("keyframe")]:
        time = seconds(element.attrib["time" if element.tag == "keyframe" else "start"])
        assert start <= time < end and ((time - first) / frame).denominator == 1
