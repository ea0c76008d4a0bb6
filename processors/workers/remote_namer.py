"""Names the people of a video by asking the driver of the run, who alone uses the gallery and the photos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from processors.known_people.people_namer import VideoNames
from processors.workers.job_link import ClipsMade, JobLink, NamesQuestion
from utils.fingerprints import Fingerprint

if TYPE_CHECKING:
    from core.analysis_file import AnalysisRecord
    from core.types import Timeline


class RemoteNamer:
    """A `VideoNamer` for a worker; the driver's end is `NamingService`."""

    def __init__(self, link: JobLink) -> None:
        self._link = link

    def load_photos(self) -> None:
        """See `VideoNamer`: the driver does it."""

    def name(
        self, fingerprint: Fingerprint, record: AnalysisRecord, timeline: Timeline, folder: str, *, edited: bool
    ) -> VideoNames:
        """See `VideoNamer`. Raises InterruptedRunError if the run ends first."""
        from processors.known_people.naming_case import naming_case

        case = naming_case(fingerprint, record, timeline, folder, edited=edited)
        names: VideoNames = self._link.ask(NamesQuestion(case))
        return names

    def note_clips(self, fingerprint: Fingerprint, clips: Mapping[str, int]) -> None:
        """See `VideoNamer`."""
        self._link.send(ClipsMade(fingerprint, clips))
