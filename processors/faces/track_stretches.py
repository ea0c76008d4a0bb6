"""Collects the faces of one track in stretches of one appearance each, so that changes of person can be found.

A stretch ends where the face was lost and found again, where its box or appearance jumps, and after 1.5 s at the
latest. Two seconds later it is compared with the one before, and joined with it if small images of both are similar
(`stretch_people`). So a calm face is one stretch with a handful of samples, however long it lasts. Stretches that stay
apart are examined by `track_division`, several at a time. Stretches on both sides of a dissolve or wipe are never
joined, so that each has samples and a portrait of its own.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.media.video_frame import VideoFrame
from core.models.face_embedder import FaceEmbedder
from core.types import FloatArray
from processors.faces.appearance import Appearance
from processors.faces.face_sampler import FaceSample, FaceSampler, face_quality
from processors.faces.stretch import ALIKE, STRETCH_SAMPLES, Stretch, split
from processors.faces.stretch_people import StretchPeople
from processors.faces.sudden_change import SuddenChanges
from processors.faces.track_division import MIN_SAMPLES, Transition
from processors.tracking.frame_pace import FramePace
from utils.images.box_geometry import iou_matrix

STRETCH_S = 1.5
"""longest stretch before it is compared, seconds"""

SAMPLE_INTERVAL_S = 1 / 3
"""least time between two samples of a face that changes, seconds; with a second between them, one person's faces
become unlike"""

MIN_STRETCH_S = 0.2
"""a stretch that is shorter does not end because of a jump: small, noisy faces jump all the time"""

MIN_OVERLAP = 0.4
"""IoU of a face's boxes in two frames looked at, one after the other, below which it has jumped"""

LONG_ABSENCE_S = 0.5
"""time out of view, seconds, after which the place no longer says that a face is the one that was lost: within a second
people pass before and behind each other"""

MIN_LIKENESS = 0.5
"""correlation of a face in two frames looked at, one after the other, below which its appearance has jumped; in
continuous view it is 0.7 or more at 99 % of the places"""

UNLIKE = 0.7
"""correlation with the last sample, a third of a second before, below which a stretch ends: two people's, aligned, have
less at 24 of 25 undetected changes, one person's at 27 of 100 places"""

JOIN_DELAY_S = 2.0
"""time before a stretch is joined with the one before, seconds; a dissolve or wipe is known 1.95 s after its middle. A
fade from a flat image is known later, but no face is seen before it"""


class TrackStretches:
    """Collects the stretches of one track; `finish` gives them."""

    def __init__(self, embedder: FaceEmbedder, capacity: int, frame_rate: float) -> None:
        """capacity: samples kept of a stretch for recognition."""
        self._embedder = embedder
        self._capacity = max(capacity, STRETCH_SAMPLES)
        self._rate = frame_rate
        self._stride = FramePace(frame_rate).calm_stride
        self._people = StretchPeople(embedder)
        self._recent: list[Stretch] = []
        self._after_transition = False
        self._current: Stretch | None = None
        self._last_sample = 0
        self._box: FloatArray = np.zeros(4, np.float32)
        self._look: FloatArray | None = None
        self._changes = SuddenChanges()

    def look(
        self, frame: int, box: FloatArray, seen: Appearance, in_place: Callable[[], FloatArray] | None = None
    ) -> None:
        """The face as it is in `frame`, later than all before. box: (4,), in any unit.

        in_place: gives the look of `frame` aligned by the landmarks of the look before; None: not known.
        """
        transition = self._transition_to(frame, box, seen, in_place)
        if transition is not None or self._after_transition:
            self._close()
            self._current = Stretch(frame, frame, self._new_sampler(), transition or Transition.CONTINUED)
            self._current.starts_part = self._after_transition
            self._after_transition = False
            while self._recent and self._recent[0].last < frame - JOIN_DELAY_S * self._rate:
                self._people.add(self._recent.pop(0))
        assert self._current is not None
        self._current.last = frame
        self._box, self._look = box, seen.look

    def wants_sample(self, frame: int) -> bool:
        """Whether the face in `frame`, which was looked at last, should be sampled: it is new, or has changed."""
        if self._current is None or self._look is None or not self._current.sampler.samples:
            return True
        is_new = len(self._current.sampler.samples) < MIN_SAMPLES
        return self._is_sample_due(frame) and (is_new or self._likeness_to_sample(self._look) < ALIKE)

    def offer(self, frame: VideoFrame, box: FloatArray, score: float, landmarks: FloatArray, seen: Appearance) -> None:
        """Consider the face as a sample; like `FaceSampler.offer`, after `look` for the same frame."""
        assert self._current is not None
        kept = self._current.sampler.samples
        if len(kept) >= MIN_SAMPLES and not self.wants_sample(frame.index):
            # It looks like the last sample: of interest only if it is the best.
            quality = face_quality(box, score, landmarks, seen.sharpness)
            if quality <= max(sample.quality for sample in kept):
                return
        self._last_sample = frame.index
        self._current.sampler.offer(frame, box, score, landmarks, seen.sharpness, seen.look)

    @property
    def switched_within(self) -> int:
        """The number of frames between the last two looks if the appearance changed at once between them, else 0."""
        current = self._current
        if current is None or current.transition is not Transition.SWITCHED or current.last != current.first:
            return 0
        return current.first - self._recent[-1].last

    def note_begin(self, frame: int) -> None:
        """The current stretch begins with `frame` already, which was not looked at."""
        assert self._current is not None
        self._current.begin = frame

    def note_gradual_transition(self, middle: int) -> None:
        """Frames from `middle` on show another shot. It may lie `JOIN_DELAY_S` back, or ahead."""
        known = [*self._recent, *([self._current] if self._current else [])]
        later = [stretch for stretch in known if stretch.first >= middle]
        if later:
            later[0].starts_part = True
        else:
            self._after_transition = True

    def note_dissolve(self, before: int, middle: int, after: int) -> None:
        """The image around the face dissolved to another one; faces between `before` and `after` are mixtures.

        All are frames, and not later than the last one. middle: the first with more of the new image than of the old.
        """
        known = [*self._recent, *([self._current] if self._current else [])]
        parts: list[Stretch] = []
        for stretch in known:
            if stretch.first < middle <= stretch.last:
                parts += split(stretch, middle, self._new_sampler())
            else:
                parts.append(stretch)
        for stretch in parts:
            stretch.sampler.drop_between(before, after)
            stretch.set_ends()
        later = next((stretch for stretch in parts if stretch.first >= middle), None)
        if later is not None:
            later.transition = Transition.DISSOLVED
        if self._current is not None:
            self._current = parts.pop()
        self._recent = parts

    def samples(self) -> list[FaceSample]:
        """All samples kept so far, best first."""
        known = [*self._recent, *([self._current] if self._current else [])]
        samples = [*self._people.samples(), *(s for one in known for s in one.sampler.samples)]
        return sorted(samples, key=lambda s: (-s.quality, s.frame))

    def finish(self) -> list[Stretch]:
        """What is left of the stretches, in order, with embeddings: one for each person and shot."""
        self._close()
        for stretch in self._recent:
            self._people.add(stretch)
        self._recent = []
        return self._people.finish()

    def _transition_to(
        self, frame: int, box: FloatArray, seen: Appearance, in_place: Callable[[], FloatArray] | None
    ) -> Transition | None:
        """How a new stretch begins with `frame`; None if the current one goes on."""
        current = self._current
        if current is None or self._look is None:
            return Transition.CONTINUED
        has_moved = float(iou_matrix(self._box[None], box[None])[0, 0]) < MIN_OVERLAP
        if frame - current.last > self._stride:
            self._changes.restart()
            was_long_absent = frame - current.last > LONG_ABSENCE_S * self._rate
            return Transition.FOUND_ELSEWHERE if has_moved or was_long_absent else Transition.FOUND_AGAIN
        before = self._look
        likeness = float(before @ seen.look)
        if self._changes.is_disproved(likeness):
            self._demote_switch()
        if self._changes.note(likeness, None if in_place is None else lambda: float(before @ in_place())):
            return Transition.SWITCHED
        is_settled = frame - current.first >= MIN_STRETCH_S * self._rate
        if is_settled and (has_moved or likeness < MIN_LIKENESS):
            return Transition.JUMPED
        has_changed = self._is_sample_due(frame) and self._likeness_to_sample(seen.look) < UNLIKE
        return Transition.CONTINUED if has_changed or frame - current.first >= STRETCH_S * self._rate else None

    def _demote_switch(self) -> None:
        """The last sudden change was one of several: a jump like others."""
        for stretch in reversed([*self._recent, *([self._current] if self._current else [])]):
            if stretch.transition is Transition.SWITCHED:
                stretch.transition = Transition.JUMPED
                return

    def _new_sampler(self) -> FaceSampler:
        return FaceSampler(self._embedder, self._capacity, self._rate)

    def _is_sample_due(self, frame: int) -> bool:
        return frame - self._last_sample >= SAMPLE_INTERVAL_S * self._rate

    def _likeness_to_sample(self, look: FloatArray) -> float:
        """Correlation with the last sample of the current stretch; 1.0 if it has none."""
        samples = self._current.sampler.samples if self._current else []
        return float(samples[-1].look @ look) if samples else 1.0

    def _close(self) -> None:
        if self._current is None:
            return
        self._current.set_ends()
        self._recent.append(self._current)
        self._current = None
