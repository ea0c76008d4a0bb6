"""Answers the workers' questions about people, in the driver: no other process uses the gallery and the photos.

The gallery numbers people in the order in which it sees the videos. Workers finish in any order, so people are named in
the order in which the videos were submitted, as in a single process: the same run gives the same numbers.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from processors.known_people.people_namer import PeopleNamer, VideoNames
from processors.workers.job_link import ClipsMade, NamesQuestion, Question, TurnQuestion
from utils.fingerprints import Fingerprint

_POLL_S = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    question: NamesQuestion | ClipsMade
    answer: Future[Any]


class NamingService:
    """One per run. `run` needs a thread of its own: another program may lock the gallery, and photos take time."""

    def __init__(self, namer: PeopleNamer | None, stop: threading.Event) -> None:
        """namer: None if nobody is to be named; then there are no questions."""
        self._namer = namer
        self._stop = stop
        # Without a gallery, names depend on the photos alone.
        self._in_order = namer is not None and namer.gallery_path is not None
        self._lock = threading.Lock()
        self._order: list[Fingerprint] = []
        self._waiting: dict[Fingerprint, _Asked] = {}
        self._named: dict[Fingerprint, VideoNames] = {}
        self._work: queue.Queue[_Asked | None] = queue.Queue()

    def expect(self, video: Fingerprint) -> None:
        """A video was submitted; its people are named after those of all that were submitted before."""
        with self._lock:
            if self._in_order:
                self._order.append(video)

    def leave(self, video: Fingerprint) -> None:
        """The job of a video has ended, whether its people were named or not."""
        with self._lock:
            if video in self._order:
                self._order.remove(video)
            self._waiting.pop(video, None)
            self._named.pop(video, None)
        self._serve_next()

    def is_turn(self, video: Fingerprint) -> bool:
        """Whether the people of all videos before this one are named."""
        with self._lock:
            return video not in self._order[1:]

    def ask(self, question: Question) -> Future[Any]:
        """The answer to a worker's question; does not block. It never comes if the run ends before."""
        answer: Future[Any] = Future()
        if isinstance(question, TurnQuestion):
            answer.set_result(self.is_turn(question.fingerprint))
        else:
            with self._lock:
                self._waiting[question.case.video.fingerprint] = _Asked(question, answer)
            self._serve_next()
        return answer

    def note(self, clips: ClipsMade) -> Future[Any]:
        """Tell the gallery; done when it knows. Does not block."""
        noted: Future[Any] = Future()
        self._work.put(_Asked(clips, noted))
        return noted

    def close(self) -> None:
        """No more questions will come."""
        self._work.put(None)

    def run(self) -> None:
        """Answer until `close`, or until the run ends."""
        while not self._stop.is_set():
            with contextlib.suppress(queue.Empty):
                asked = self._work.get(timeout=_POLL_S)
                if asked is None:
                    return
                try:
                    asked.answer.set_result(self._answer(asked.question))
                except Exception as error:
                    # It concerns that video only, whose worker raises it.
                    asked.answer.set_exception(error)

    def _serve_next(self) -> None:
        """Queue the naming of videos whose turn it is; those never expected, or already named, need not wait."""
        with self._lock:
            ready = [video for video in self._waiting if video not in self._order[1:]]
            for video in ready:
                self._work.put(self._waiting.pop(video))

    def _answer(self, question: NamesQuestion | ClipsMade) -> VideoNames | None:
        namer = self._namer
        if namer is None:
            raise RuntimeError("no namer was given")
        if isinstance(question, ClipsMade):
            namer.note_clips(question.fingerprint, question.clips)
            return None
        video = question.case.video.fingerprint
        names = self._named.get(video)
        if names is None:
            namer.load_photos()
            names = namer.decide(question.case)
        with self._lock:
            # For a worker that takes the job over from one that broke: the gallery may know more by then.
            self._named[video] = names
            if video in self._order:
                self._order.remove(video)
        self._serve_next()
        return names
