"""How alike the samples of one track are, with as few of them embedded as the questions need.

Embedding a face takes a hundred times longer than comparing two small images of it, and mostly one pair of faces that
are alike settles a question. So the small images are asked first, and faces are embedded best first, until the answer
is certain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.models.similarity import Similarity
from core.types import FloatArray
from processors.faces.face_sampler import FaceSample

ALIKE_AT_A_GLANCE = 0.72
"""correlation of looks from which two samples are one person's without asking the embedder. Over four samples on each
side of a change of person the best pair had at most 0.68 (52 places in the shared clips and cases, 33 of them with the
search for cuts switched off); at 37 of 100 other places that neighbours leave open it has more. Chosen on these"""


class SampleLikeness:
    """Compares parts of the samples. before, after, side: slices of them, not empty."""

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

    def look_alike(self, before: slice, after: slice) -> bool:
        """Whether a pair looks alike at a glance; nothing is embedded."""
        first, second = (np.stack([sample.look for sample in self._samples[side]]) for side in (before, after))
        return float((first @ second.T).max()) >= ALIKE_AT_A_GLANCE

    def embed_one_of_each(self, sides: Sequence[slice]) -> None:
        """Embed the best sample of each side that has none with an embedding, all at once."""
        chosen: list[FaceSample] = []
        for side in sides:
            samples = self._samples[side]
            if not any(s.embedding is not None or any(s is other for other in chosen) for s in samples):
                chosen.append(_best(samples))
        if chosen:
            self._embed(chosen)

    def across(self, before: slice, after: slice, enough: float) -> float:
        """The greatest similarity of a pair, or one above `enough`, after which no more faces are embedded."""
        sides = [self._samples[before], self._samples[after]]
        while True:
            known, missing = zip(*map(_parted, sides), strict=True)
            if all(known):
                greatest = float(self._similarities(*known).max())
                if greatest > enough or not any(missing):
                    return greatest
            self._embed([_best(samples) for samples in missing if samples])

    def within(self, side: slice) -> float:
        """The greatest similarity of two samples of one side, which has at least two; all of them get embeddings."""
        samples = self._samples[side]
        self._embed(samples)
        return float(np.triu(self._similarities(samples, samples), 1).max())

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
