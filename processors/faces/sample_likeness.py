"""How alike the samples of one track are, embedding as few of them as possible.

Embedding a face takes hundreds of times longer than correlating two small images of it, and one pair of similar faces
usually answers a question. So the small images are compared first. A face stands for all that look like it, so a person
who moves costs one embedding per view instead of one per moment. Only if that does not prove one person are all faces
around the moment embedded, best first, until the answer is certain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.models.similarity import Similarity
from core.types import FloatArray
from processors.faces.face_sampler import FaceSample

ALIKE_AT_A_GLANCE = 0.72
"""correlation of looks from which two samples are one person's without asking the embedder. Over four samples on each
side of a change of person the best pair had at most 0.68 (52 places in the shared clips and cases, 33 of them with the
search for cuts switched off); at 37 of 100 other places that neighbours leave open it has more. Chosen on these"""

STAND_INS_ALIKE = 0.5
"""similarity above which two stand-ins prove that the faces they stand for are one person's: more likely than not. For
the faces themselves a lower limit is enough; the two comparisons of small images in between leave more room for
error"""

_MIN_QUALITY = 1e-3
"""least weight of a face, so that even one without any quality can be chosen where there is no better one"""


class SampleLikeness:
    """Compares parts of the samples. before, after, side, among: slices of them, not empty."""

    def __init__(
        self,
        samples: Sequence[FaceSample],
        embed: Callable[[Sequence[FaceSample]], Sequence[FloatArray]],
        similarity: Similarity,
    ) -> None:
        """samples: in order of time. embed: gives their embeddings (D,), of unit length, and keeps them in them."""
        self._samples = samples
        self._embed = embed
        self._similarity = similarity

    def look_alike(self, before: slice, after: slice, least: float = ALIKE_AT_A_GLANCE) -> bool:
        """Whether the looks of a pair correlate by `least` or more; nothing is embedded."""
        looks = [np.stack([sample.look for sample in self._samples[side]]) for side in (before, after)]
        return bool((looks[0] @ looks[1].T).max() >= least)

    def embed_one_of_each(self, sides: Sequence[slice]) -> None:
        """Embed, all at once, so many faces that each side has one or looks like one.

        Those that serve most sides come first; sides that are served already cost nothing.
        """
        if not sides:
            return
        served = np.stack([self._alike[side].any(0) for side in sides])
        is_known = np.array([sample.embedding is not None for sample in self._samples], np.bool_)
        quality = np.array([max(sample.quality, _MIN_QUALITY) for sample in self._samples])
        chosen: list[FaceSample] = []
        served = served[~served[:, is_known].any(1)]
        while len(served):
            best = int((served.sum(0) * quality).argmax())
            chosen.append(self._samples[best])
            served = served[~served[:, best]]
        if chosen:
            self._embed(chosen)

    def across(self, before: slice, after: slice, enough: float, among: slice) -> float:
        """The greatest similarity of a pair, or one that settles it, after which no more faces are embedded.

        That is one above `enough`, or one of faces that stand for both sides and are more likely than not one
        person's. among: faces that may stand for those they look like; none of them is known to be somebody else.
        """
        sides = [self._samples[before], self._samples[after]]
        has_asked = False
        while True:
            known, missing = zip(*map(_parted, sides), strict=True)
            if all(known):
                greatest = float(self._similarities(*known).max())
                if greatest > enough or not any(missing):
                    return greatest
            if not has_asked and (greatest := self._similarity_by_stand_ins(before, after, among)) > max(
                STAND_INS_ALIKE, enough
            ):
                return greatest
            has_asked = True
            self._embed([_best(samples) for samples in missing if samples])

    def within(self, side: slice) -> float:
        """The greatest similarity of two samples of one side, 1.0 if it has one only; all of them get embeddings."""
        samples = self._samples[side]
        if len(samples) < 2:
            return 1.0
        self._embed(samples)
        return float(np.triu(self._similarities(samples, samples), 1).max())

    @cached_property
    def _alike(self) -> NDArray[np.bool_]:
        """(N, N): which samples look alike at a glance; each looks like itself."""
        looks = np.stack([sample.look for sample in self._samples])
        alike = np.asarray(looks @ looks.T >= ALIKE_AT_A_GLANCE)
        np.fill_diagonal(alike, val=True)
        return alike

    def _similarity_by_stand_ins(self, before: slice, after: slice, among: slice) -> float:
        """The greatest similarity of embedded faces that are of each side, or look like one of it; 0 without any."""
        sides = []
        for side in (before, after):
            like = np.flatnonzero(self._alike[side, among].any(axis=0)).tolist()
            sides.append([sample for k in like if (sample := self._samples[among][k]).embedding is not None])
        return float(self._similarities(*sides).max()) if all(sides) else 0.0

    def _similarities(self, first: Sequence[FaceSample], second: Sequence[FaceSample]) -> NDArray[np.float32]:
        a, b = (np.stack(self._embed(samples)) for samples in (first, second))
        return self._similarity.from_cosine(np.asarray(a @ b.T, np.float32))


def _parted(samples: Sequence[FaceSample]) -> tuple[list[FaceSample], list[FaceSample]]:
    """Those with embeddings, and those without."""
    known = [sample for sample in samples if sample.embedding is not None]
    return known, [sample for sample in samples if sample.embedding is None]


def _best(samples: Sequence[FaceSample]) -> FaceSample:
    """The best sample: it tells most, and is the likeliest to be kept, and so to be embedded anyway."""
    return max(samples, key=lambda sample: sample.quality)
