"""The messages between the driver of a run and the processes that work on its videos.

    driver                                   worker: a process, or an actor or a task of a cluster
    VideoJob, RenderWork -----------------> JobHost.carry_out
    RemoteMonitor.receive <---- JobEvent -- JobLink.send
    NamingService.ask <- Question, answer -> - JobLink.ask
    the run ends -------------------------> JobLink.stop

A transport (pipes of processes, a cluster) brings these values to the other side, those of one worker in order; all of
them can be pickled. It makes a `JobHost` from the driver's `HostSetup` in every worker, gives it one job at a time, and
calls `RemoteMonitor.forget` when the worker of a job is gone.

The lease of a job's folder stays the driver's: the driver keeps it alive, and gives it back when the job's future is
done, which must not be before its worker has ended or let go of the job. The worker only asks whether it is still held
before it replaces results (`LeaseTicket.require_held`).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from config import Settings
from utils.console.log_forwarding import LogLevels, SentMessage
from utils.fingerprints import Fingerprint

if TYPE_CHECKING:
    # Importing it at run time loads image libraries, and a run over finished inputs needs none.
    from processors.known_people.naming_case import NamingCase
    from processors.workers.analysis_handover import AnalysisHandover


@dataclass(frozen=True, slots=True)
class HostSetup:
    """How a worker works; the same for all workers of a run, except for what their machines differ in.

    settings: of the run. threads: for one worker. handover: where analyses are left for others to make the clips; None
    where a worker makes the whole video.
    """

    settings: Settings
    output_dir: Path
    threads: int
    log_levels: LogLevels
    handover: AnalysisHandover | None = None


@dataclass(frozen=True, slots=True)
class StageProgress:
    """`stage` of the video `name` has done `done` of about `total` units (0: unknown).

    share, shares: it is about one of so many parts of the stage, which are worked on by several workers.
    """

    name: str
    stage: str
    done: float
    total: float
    share: int = 0
    shares: int = 1


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """For the journal of the run, see `RunJournal.tell`. event: "begin" or "end" of a stage, or "result"."""

    event: str
    name: str
    detail: Any


@dataclass(frozen=True, slots=True)
class ClipsMade:
    """For the gallery: how many clips a video has of each person, by folder."""

    fingerprint: Fingerprint
    clips: Mapping[str, int]


JobEvent = StageProgress | JournalEntry | SentMessage | ClipsMade


@dataclass(frozen=True, slots=True)
class TurnQuestion:
    """May the people of the video be named now? Answer: bool. If not, its job is set aside until they may."""

    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True, eq=False)
class NamesQuestion:
    """What are the people of a video called? Answer: `VideoNames`, when it is the video's turn."""

    case: NamingCase


Question = TurnQuestion | NamesQuestion


class JobLink(Protocol):
    """The worker's end of a transport. For any thread.

    stop: set when the run ends.
    """

    stop: threading.Event

    def send(self, event: JobEvent) -> None:
        """Tell the driver what happens; never blocks for long, and never raises."""
        ...

    def ask(self, question: Question) -> Any:
        """The driver's answer to `question`; waits for it.

        Raises:
            InterruptedRunError: `stop` was set before it came.
            Exception: what the driver's work on it raised.
        """
        ...
