"""Everything that a run has found and made of one video, as one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from config import Settings
from core.types import Clip, FaceAnalysis, Timeline
from processors.known_people.people_namer import VideoNames
from processors.people.doubt import VideoDoubts
from utils.fingerprints import Fingerprint


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class VideoResult:
    """What the files of an output folder are written from.

    Attributes:
        analysis: its tracklets divided as `timeline` says.
        analysis_key: of the stored analysis.
        timeline: who is shown when.
        doubts: about its people, from `find_doubts`.
        names: of known people.
        clips: the first set of clips, which have been made.
        variants: further sets of clips, by the name that `settings` has for them.
        extras: files of each extra that has been written, relative to the folder, by its name ("preview").
        fingerprint: of the video file.
        models: name, weights and device of each model, for the manifest.
        warnings: for the user.
    """

    analysis: FaceAnalysis
    analysis_key: str
    timeline: Timeline
    clips: Sequence[Clip]
    fingerprint: Fingerprint
    settings: Settings
    models: Mapping[str, Any]
    doubts: VideoDoubts = field(default_factory=lambda: VideoDoubts({}, {}))
    names: VideoNames = field(default_factory=VideoNames)
    variants: Mapping[str, Sequence[Clip]] = field(default_factory=dict)
    extras: Mapping[str, Sequence[str]] = field(default_factory=dict)
    warnings: Sequence[str] = ()
