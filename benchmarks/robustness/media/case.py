"""One case of the media campaign, what is expected of it, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Fault = Literal["abort", "hang", "lost", "silent", "false alarm"]
"""abort: the program was ended by a signal or with an exit code that means none of the inputs. hang: it did not end in
time. lost: an input that can be decoded has no playable clip, or results that were there are gone. silent: the result
is wrong and no warning says so. false alarm: a warning about an input that is in order."""
FAULTS: tuple[Fault, ...] = ("abort", "hang", "lost", "silent", "false alarm")

ANY_LEVEL_DB = -14.0
"""how far below its channel in the source a tone may be: mixing many channels to two is no fault"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a right result has.

    frames: pictures of the source in which somebody is to be seen; the clips must have nearly as many.
    tones: frequencies, Hz, that must be heard; () where the source has no sound or nothing is known about it.
    any_tone: other frequencies will do in their place.
    level_db: how strong each tone must be, 0 being its strength in its channel.
    sound_from: seconds in the clips before which nothing is to be heard (late sound).
    is_timed: bursts must come with the frames that they belong to.
    is_steady: the clock goes on by one from frame to frame; else frames may be shown twice, but none left out.
    gaps: how many frames may be left out or shown again all the same: at seams of streams.
    may_be_refused: a line that says why there is no result will do.
    is_plain: the file is in order, and no warning is due.
    """

    frames: int
    tones: tuple[float, ...] = ()
    any_tone: bool = False
    level_db: float = ANY_LEVEL_DB
    sound_from: float = 0.0
    is_timed: bool = True
    is_steady: bool = True
    gaps: int = 0
    may_be_refused: bool = False
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class MediaCase:
    """One input.

    write: makes the file at `path`, which is not there before. from_folder: it is given to the program by its folder,
    as one of all that lie there, not by its name.
    """

    kind: str
    name: str
    path: Path
    expected: Expected
    write: Callable[[Path], object]
    from_folder: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must not be. text: in one line."""

    fault: Fault
    text: str


@dataclass(frozen=True, slots=True)
class MediaOutcome:
    """What became of a case; without findings all is right. wall_s: its share of the program's time."""

    kind: str
    name: str
    findings: tuple[Finding, ...] = ()
    wall_s: float = 0.0

    def count(self, fault: Fault) -> bool:
        return any(finding.fault == fault for finding in self.findings)


CaseMaker = Callable[[Path], Iterator[MediaCase]]
"""lists the cases of one kind; their files will lie in a folder"""
