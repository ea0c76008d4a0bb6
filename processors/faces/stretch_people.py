"""Finds out which stretches of a track show the same person, from a few embedded samples of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.models.embedder_spec import change_limits_of
from core.models.face_embedder import FaceEmbedder
from core.models.similarity import Similarity
from core.types import FloatArray
from processors.faces.face_sampler import NO_PIXELS, FaceSample, FaceSampler
from processors.faces.sample_likeness import SampleLikeness
from processors.faces.stretch import Stretch, join, look_alike
from processors.faces.track_division import Transition, division_points

FIRST_SAMPLES = 3
"""samples of a stretch that are embedded first"""

SURELY_ALIKE = 0.95
"""if all of them are at least this similar, they represent the stretch as well as twice as many would"""

MIN_SURE_QUALITY = 0.3
"""... and the best of them is no poorer: small and blurred faces resemble each other whoever they are. Any figure from
0.25 to 0.4 gives the same people in the shared clips"""

MAX_STRETCHES = 8
"""stretches kept apart; more are divided or joined before the track ends, which bounds memory"""


class StretchPeople:
    """Takes the stretches of one track in order, and joins those of one person."""

    def __init__(self, embedder: FaceEmbedder) -> None:
        self._embedder = embedder
        self._similarity = Similarity.for_embedder(embedder.name)
        self._limits = change_limits_of(embedder.name)
        self._done: list[Stretch] = []

    def add(self, stretch: Stretch) -> None:
        """Join the next stretch of the track with the one before, or keep it apart."""
        if self._done and not stretch.starts_part and self._belongs_to(self._done[-1], stretch):
            join(self._done[-1], stretch)
        else:
            self._done.append(stretch)
        if len(self._done) > MAX_STRETCHES:
            self._settle(2)

    def samples(self) -> list[FaceSample]:
        """All samples kept so far."""
        return [sample for stretch in self._done for sample in stretch.sampler.samples]

    def finish(self) -> list[Stretch]:
        """All stretches, in order, with embeddings: one for each person and shot."""
        self._settle(0)
        self._embed_enough()
        return self._done

    def _belongs_to(self, before: Stretch, stretch: Stretch) -> bool:
        """Whether a stretch goes on with the face of the one before, as far as can be told at a glance."""
        if not stretch.sampler.samples:
            return stretch.transition is not Transition.DISSOLVED
        if not before.sampler.samples and before.transition is Transition.DISSOLVED:
            return True  # all its faces were mixtures
        return look_alike(before, stretch)

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
                join(people[-1], stretch)
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
