"""How much of a batch is done, and how long the rest will take.

A video is analysed, then rendered, while the next one is analysed. Both take a time about proportional to the length of
the video, so each has a measured rate: seconds of work per second of video. Until something has been rendered, its rate
is estimated from that of the analysis.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

ANALYSE, RENDER = "analyse", "render"

RENDER_TO_ANALYSE = 0.6
"""of the rates, before anything was rendered: about 0.5 and 0.65 on two clips with two cores (docs/measurements)"""

_EVIDENCE_S = 3.0
"""work that must have been measured before the rest is estimated"""
_STAGE_EVIDENCE_S = 1.0
"""work of one stage before its rate is used; the first frames of a stage are not typical"""


@dataclass(slots=True)
class _Stage:
    """One stage of one video. share: done, 0 to 1. begun, seen: when it was first and last reported."""

    begun: float
    seen: float
    share: float = 0.0

    @property
    def active_s(self) -> float:
        """How long the stage has been seen at work, seconds."""
        return self.seen - self.begun


@dataclass(slots=True)
class _Video:
    weight: float = 0.0
    stages: dict[str, _Stage] = field(default_factory=dict)
    ended: bool = False

    def share(self, stage: str) -> float:
        """How much of `stage` is done, in [0, 1]."""
        if self.ended:
            return 1.0
        # A stage that was skipped is done: the analysis of a video that is being rendered.
        if stage == ANALYSE and RENDER in self.stages:
            return 1.0
        return self.stages[stage].share if stage in self.stages else 0.0


class BatchProgress:
    """Not thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._count = 0
        self._at_a_time = 1
        self._videos: dict[str, _Video] = {}
        self._first: float | None = None
        self._share = 0.0

    @property
    def count(self) -> int:
        """Number of videos."""
        return self._count

    @property
    def ended(self) -> int:
        """Number of videos that are finished or skipped."""
        return sum(video.ended for video in self._videos.values())

    @property
    def current(self) -> int:
        """Number of the video in progress, from 1."""
        return max(1, min(self.ended + 1, self._count))

    def begin(self, videos: int, at_a_time: int = 1) -> None:
        """Start a batch of `videos` videos, `at_a_time` of which are processed at a time, each in its own process."""
        self._count, self._at_a_time = videos, at_a_time

    def set_workers(self, at_a_time: int) -> None:
        """Set how many videos are processed at a time."""
        self._at_a_time = at_a_time

    def expect(self, name: str, weight: float) -> None:
        """Announce work on the video `name`. weight: its length, seconds."""
        self._video(name).weight = weight

    def stage(self, name: str, stage: str, done: float, total: float) -> None:
        """Note that `stage` of the video `name` has done `done` of about `total` units; 0: unknown."""
        if stage not in (ANALYSE, RENDER) or total <= 0:
            return
        now = self._clock()
        self._first = now if self._first is None else self._first
        found = self._video(name).stages.setdefault(stage, _Stage(now, now))
        # A complete analysis may be loaded again later, when the video is rendered: that is no further work.
        if found.share < 1.0:
            found.seen, found.share = now, min(done / total, 1.0)

    def end(self, name: str) -> None:
        """Note that the video `name` is finished or skipped."""
        self._video(name).ended = True

    @property
    def eta_s(self) -> float | None:
        """Seconds until everything is done; None while too little is known."""
        if not self._count:
            return None
        if self.ended == self._count:
            return 0.0
        active_s = sum(stage.active_s for video in self._videos.values() for stage in video.stages.values())
        rates = self._rate(ANALYSE), self._rate(RENDER)
        if active_s < _EVIDENCE_S or rates == (None, None):
            return None
        analyse_s = 0.0 if rates[0] is None else rates[0]
        render_s = analyse_s * RENDER_TO_ANALYSE if rates[1] is None else rates[1]
        left_s = self._left(ANALYSE) * analyse_s, self._left(RENDER) * render_s
        if self._at_a_time > 1:
            # A process renders the video that it has analysed before it begins another one.
            return sum(left_s) / min(self._at_a_time, self._count - self.ended)
        # Both overlap as far as the machine allows: the time lies between the longer one and the sum of both.
        return (max(left_s) + sum(left_s)) / 2 if self._count > 1 else sum(left_s)

    @property
    def share(self) -> float:
        """How much of the whole time has passed, 0 to 1; never falls."""
        if self._count and self.ended == self._count:
            self._share = 1.0
        elif self._first is not None and (eta_s := self.eta_s) is not None:
            passed_s = self._clock() - self._first
            self._share = max(self._share, passed_s / max(passed_s + eta_s, 1e-9))
        return self._share

    def _video(self, name: str) -> _Video:
        return self._videos.setdefault(name, _Video())

    def _rate(self, stage: str) -> float | None:
        """Seconds of work per second of video; None as long as too little of the stage was measured."""
        seen = [(video.weight, video.stages[stage]) for video in self._videos.values() if stage in video.stages]
        work = sum(weight * found.share for weight, found in seen)
        active_s = sum(found.active_s for _, found in seen)
        # A stored analysis is complete at once.
        is_known = active_s >= _STAGE_EVIDENCE_S or all(found.share == 1.0 for _, found in seen)
        return active_s / work if work > 0 and is_known else None

    def _left(self, stage: str) -> float:
        """Seconds of video that have not been through `stage`.

        A video that has not been announced yet counts like the mean of the others.
        """
        known = [video.weight for video in self._videos.values() if video.weight > 0]
        unseen = self._count - len(self._videos)
        left = sum(video.weight * (1 - video.share(stage)) for video in self._videos.values())
        return left + unseen * (sum(known) / len(known) if known else 0.0)
