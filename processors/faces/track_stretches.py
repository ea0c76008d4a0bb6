"""Collects the faces of one track in stretches of one appearance each, so that changes of person can be found.

A stretch ends where the face was lost and found again, where its box or appearance jumps, and after 1.5 s at the
latest. Two seconds later it is compared with the one before, and joined with it if small images of both are similar. So
a calm face is one stretch with a handful of samples, however long it lasts. Stretches that stay apart are examined by
`track_division`, several at a time. Stretches on both sides of a dissolve or wipe are never joined, so that each has
samples and a portrait of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.media.video_frame import VideoFrame
from core.models.embedder_spec import change_limits_of
from core.models.face_embedder import FaceEmbedder
from core.models.similarity import Similarity
from core.types import FloatArray
from processors.faces.appearance import Appearance
from processors.faces.face_sampler import NO_PIXELS, FaceSample, FaceSampler, face_quality
from processors.faces.sample_likeness import SampleLikeness
from processors.faces.sudden_change import SuddenChanges
from processors.faces.track_division import ALIKE_AFTER_SWITCH, MIN_SAMPLES, Transition, division_points
from processors.tracking.frame_pace import FramePace
from utils.box_geometry import iou_matrix

STRETCH_S = 1.5
"""longest stretch before it is compared, seconds"""

SAMPLE_INTERVAL_S = 1 / 3
"""least time between two samples of a face that changes, seconds; with a second between them, one person's faces
become unlike"""

STRETCH_SAMPLES = 3
"""samples kept of a stretch, and of each end of several that have become one"""

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

ALIKE = 0.75
"""correlation from which two looks are the same face's without asking the embedder. A third of a second apart, 60 % of
one person's have more; two people's have at most 0.58 after a loss or a jump, and 0.79 in one of 25 dissolves"""

UNLIKE = 0.7
"""correlation with the last sample, a third of a second before, below which a stretch ends: two people's, aligned, have
less at 24 of 25 undetected changes, one person's at 27 of 100 places"""

JOIN_DELAY_S = 2.0
"""time before a stretch is joined with the one before, seconds; a dissolve or wipe is known 1.95 s after its middle"""

FIRST_SAMPLES = 3
"""samples of a stretch that are embedded first"""

SURELY_ALIKE = 0.95
"""if all of them are at least this similar, they represent the stretch as well as twice as many would"""

MIN_SURE_QUALITY = 0.3
"""... and the best of them is no poorer: small and blurred faces resemble each other whoever they are. Any figure from
0.25 to 0.4 gives the same people in the shared clips"""

MAX_STRETCHES = 8
"""stretches kept apart; more are divided or joined before the track ends, which bounds memory"""


@dataclass(slots=True, eq=False)
class Stretch:
    """Consecutive frames in which one face is seen.

    first, last: frames in which it was looked at. sampler: the best of all its faces, and the portrait.
    head, tail: its earliest and latest samples, for comparisons with the stretches around it.
    begin: the frame with which it begins, which may lie before `first`, since not every frame is looked at.
    transition: how it begins. starts_person: known to show somebody else than the stretch before. starts_part: a
    dissolve or wipe is between them.
    """

    first: int
    last: int
    sampler: FaceSampler
    transition: Transition = Transition.CONTINUED
    head: list[FaceSample] = field(default_factory=list)
    tail: list[FaceSample] = field(default_factory=list)
    starts_person: bool = False
    starts_part: bool = False
    begin: int | None = None

    def set_ends(self) -> None:
        """Set `head` and `tail` from all samples."""
        near = self.sampler.samples
        self.head, self.tail = near[:STRETCH_SAMPLES], near[-STRETCH_SAMPLES:]

    def end_samples(self) -> list[FaceSample]:
        """Samples of both ends, in order of time."""
        return sorted({id(s): s for s in (*self.head, *self.tail)}.values(), key=lambda s: s.frame)


class TrackStretches:
    """Collects the stretches of one track; `finish` gives them."""

    def __init__(self, embedder: FaceEmbedder, capacity: int, frame_rate: float) -> None:
        """capacity: samples kept of a stretch for recognition."""
        self._embedder = embedder
        self._similarity = Similarity.for_embedder(embedder.name)
        self._limits = change_limits_of(embedder.name)
        self._capacity = max(capacity, STRETCH_SAMPLES)
        self._rate = frame_rate
        self._stride = FramePace(frame_rate).calm_stride
        self._done: list[Stretch] = []
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
                self._add(self._recent.pop(0))
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
                parts += _split(stretch, middle, self._new_sampler())
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
        known = [*self._done, *self._recent, *([self._current] if self._current else [])]
        return sorted((s for one in known for s in one.sampler.samples), key=lambda s: (-s.quality, s.frame))

    def finish(self) -> list[Stretch]:
        """What is left of the stretches, in order, with embeddings: one for each person and shot."""
        self._close()
        for stretch in self._recent:
            self._add(stretch)
        self._recent = []
        self._settle(0)
        self._embed_enough()
        return self._done

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

    def _add(self, stretch: Stretch) -> None:
        """Join a stretch with the one before, or keep it apart."""
        if self._done and not stretch.starts_part and self._belongs_to(self._done[-1], stretch):
            _join(self._done[-1], stretch)
        else:
            self._done.append(stretch)
        if len(self._done) > MAX_STRETCHES:
            self._settle(2)

    def _belongs_to(self, before: Stretch, stretch: Stretch) -> bool:
        """Whether a stretch goes on with the face of the one before, as far as can be told at a glance."""
        if not stretch.sampler.samples:
            return stretch.transition is not Transition.DISSOLVED
        if not before.sampler.samples and before.transition is Transition.DISSOLVED:
            return True  # all its faces were mixtures
        return _look_alike(before, stretch)

    def _settle(self, leave: int) -> None:
        """Find out where the face changes, and join what one person's stretches are, except the last `leave`."""
        for first, end in self._people():
            if end - first < 2:
                continue  # nothing to tell apart, so its ends need no embedding
            samples = [(k, sample) for k in range(first, end) for sample in self._done[k].end_samples()]
            likeness = SampleLikeness([sample for _, sample in samples], self._embed, self._similarity)
            transitions = [stretch.transition for stretch in self._done]
            for k in division_points(likeness, [k for k, _ in samples], transitions, self._limits):
                self._done[k].starts_person = True
            for stretch in self._done[first:end]:
                stretch.sampler.keep([sample for sample in stretch.end_samples() if sample.embedding is not None])
        open_ = self._done[len(self._done) - leave :]
        people: list[Stretch] = []
        for stretch in self._done[: len(self._done) - leave]:
            if people and not stretch.starts_person and not stretch.starts_part:
                _join(people[-1], stretch)
            else:
                people.append(stretch)
        for stretch in people[:-1]:
            self._reduce(stretch)
        self._done = people + open_

    def _people(self) -> list[tuple[int, int]]:
        """Ranges of `_done` between two known changes of face."""
        starts = [0, *(k for k in range(1, len(self._done)) if self._done[k].starts_person)]
        return list(zip(starts, [*starts[1:], len(self._done)], strict=True))

    def _reduce(self, stretch: Stretch) -> None:
        """Let go of the pixels of somebody who has been followed by somebody else."""
        self._embed(stretch.sampler.samples)
        for sample in sorted(stretch.sampler.samples, key=lambda s: -s.quality)[1:]:
            sample.chip = sample.wide = NO_PIXELS

    def _embed_enough(self) -> None:
        """Embed a few faces of every stretch, and the others where those are not sure to be one person's."""
        samplers = [stretch.sampler for stretch in self._done]
        self._embed([sample for sampler in samplers for sample in sampler.best(FIRST_SAMPLES)])
        unsure = [sampler for sampler in samplers if not self._is_sure(sampler)]
        self._embed([sample for sampler in unsure for sample in sampler.samples])
        for sampler in samplers:
            sampler.samples = [sample for sample in sampler.samples if sample.embedding is not None]

    def _is_sure(self, sampler: FaceSampler) -> bool:
        """Whether the embedded samples are good, and all alike."""
        known = [sample for sample in sampler.samples if sample.embedding is not None]
        if not known:
            return True
        if max(sample.quality for sample in known) < MIN_SURE_QUALITY:
            return False
        vectors = np.stack(self._embed(known))
        return float(self._similarity.from_cosine(vectors @ vectors.T).min()) >= SURELY_ALIKE

    def _embed(self, samples: Sequence[FaceSample]) -> list[FloatArray]:
        """Embeddings (D,) of `samples`, made where they are missing."""
        missing = list({id(s): s for s in samples if s.embedding is None}.values())
        if missing:
            for sample, row in zip(missing, self._embedder.embed(np.stack([s.chip for s in missing])), strict=True):
                sample.embedding = row
        return [s.embedding for s in samples if s.embedding is not None]


def _split(stretch: Stretch, frame: int, sampler: FaceSampler) -> tuple[Stretch, Stretch]:
    """The parts of a stretch before and from `frame`, which lies in it. sampler: an empty one, for the second."""
    later = Stretch(frame, stretch.last, sampler)
    stretch.last = frame - 1
    stretch.sampler.hand_over(frame, sampler)
    return stretch, later


def _look_alike(before: Stretch, after: Stretch) -> bool:
    """Whether two stretches are one person's at a glance; `after` has samples."""
    if not before.tail:
        return False
    # In continuous view any earlier look of this person will do; after a loss or a jump only the latest ones.
    known = before.sampler.samples if after.transition is Transition.CONTINUED else []
    looks = np.stack([s.look for s in (*before.tail, *known)]) @ np.stack([s.look for s in after.head]).T
    return float(looks.max()) >= (ALIKE_AFTER_SWITCH if after.transition is Transition.SWITCHED else ALIKE)


def _join(before: Stretch, after: Stretch) -> None:
    """Make `after` a part of `before`."""
    before.last = after.last
    before.sampler.absorb(after.sampler)
    if not before.head:
        before.head = after.head
    before.tail = (after.tail if len(after.tail) >= STRETCH_SAMPLES else [*before.tail, *after.tail])[-STRETCH_SAMPLES:]
