"""One case of the media campaign, its expected result, and its findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Fault = Literal["abort", "hang", "lost", "silent", "false alarm"]
"""abort: the program died from a signal or with an unexpected exit code. hang: it did not end in time. lost: a
decodable input has no playable clip, or existing results are gone. silent: the result is wrong without a warning. false
alarm: a warning about an intact, ordinary input."""
FAULTS: tuple[Fault, ...] = ("abort", "hang", "lost", "silent", "false alarm")

ANY_LEVEL_DB = -14.0
"""lowest level of a tone relative to its channel in the source: mixing many channels to two is no fault"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a correct result has.

    frames: source frames that show somebody; the clips must have nearly as many.
    tones: frequencies, Hz, that must be audible; () if the source has no audio or it is not known.
    any_tone: other frequencies are accepted instead.
    level_db: minimum level of each tone, 0 being its level in its channel.
    audio_from: seconds in the clips before which there must be silence (late audio).
    late_s: by which bursts may be off their frames: two frames and the encoder's block unless a case asks for less.
    is_timed: bursts must come with the frames that they belong to.
    is_steady: the frame number increases by one per frame; otherwise frames may be repeated but not left out.
    gaps: frames that may be left out or repeated nevertheless, at seams of streams.
    may_be_refused: an error line instead of a result is accepted.
    is_plain: the file is ordinary, so any warning is a false alarm.
    """

    frames: int
    tones: tuple[float, ...] = ()
    any_tone: bool = False
    level_db: float = ANY_LEVEL_DB
    audio_from: float = 0.0
    late_s: float = 0.07
    is_timed: bool = True
    is_steady: bool = True
    gaps: int = 0
    may_be_refused: bool = False
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class MediaCase:
    """One input.

    write: creates the file at `path`. from_folder: the program is given its folder instead of the file.
    """

    kind: str
    name: str
    path: Path
    expected: Expected
    write: Callable[[Path], object]
    from_folder: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of a result. text: one line."""

    fault: Fault
    text: str


@dataclass(frozen=True, slots=True)
class MediaOutcome:
    """The findings of a case, none if it is right. wall_s: its share of the program's time."""

    kind: str
    name: str
    findings: tuple[Finding, ...] = ()
    wall_s: float = 0.0

    def count(self, fault: Fault) -> bool:
        return any(finding.fault == fault for finding in self.findings)


CaseMaker = Callable[[Path], Iterator[MediaCase]]
"""lists the cases of one kind, whose files will be in the given folder"""
