"""The work on a video after its analysis, as plain values: for processes that have no models.

VideoJob --analysed--> Analysed --named--> RenderWork for each share of the clips --> ShareMade
                                  `------> RenderWork for what is left, when these are made --> JobOutcome
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from processors.batch.executor import VideoJob
from processors.known_people.people_namer import VideoNames

if TYPE_CHECKING:
    # Importing them at run time loads image libraries, and a run over finished inputs needs none.
    from processors.known_people.naming_case import NamingCase
    from processors.video.video_draft import VideoDraft


@dataclass(frozen=True, slots=True, eq=False)
class Analysed:
    """The video of a job is analysed, and the analysis is where all processes of the run find it, under `key`.

    analyse_s: time that it took, seconds. analysis_cached: it was stored before. case: for whoever names the people;
    None where nobody does.
    """

    analyse_s: float
    analysis_cached: bool
    key: str
    draft: VideoDraft
    case: NamingCase | None


@dataclass(frozen=True, slots=True, eq=False)
class RenderWork:
    """What is to be made of an analysed video.

    key: of the analysis. share: number of the share of the clips that is to be made; None: everything that is left.
    """

    job: VideoJob
    key: str
    draft: VideoDraft
    names: VideoNames
    share: int | None = None

    @property
    def shares(self) -> int:
        """How many shares the clips of the video have."""
        return 1 if self.draft.shared is None else self.draft.shared.shares


@dataclass(frozen=True, slots=True)
class ShareMade:
    """A share of the clips is made. wall_s: time that it took, seconds."""

    wall_s: float


Work = VideoJob | RenderWork
"""what a worker is given"""
