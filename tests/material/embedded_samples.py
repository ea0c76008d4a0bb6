"""Samples of a track with embeddings that are known, but only given when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from core.types import FloatArray
from processors.faces.face_sampler import NO_PIXELS, FaceSample
from tests.material.made_up_looks import made_up_look


class EmbeddedSamples:
    """samples: in order of time. embedded: how many embeddings each request had to make."""

    def __init__(self, embeddings: FloatArray, looks: Sequence[int] = (), quality: Sequence[float] = ()) -> None:
        """embeddings: (N, D). looks: samples with the same number look alike, others do not; by default all differ.
        quality: 1 by default.
        """
        count = len(embeddings)
        kinds = [made_up_look(kind) for kind in (looks or range(count))]
        qualities = list(quality) or [1.0] * count
        self.samples = [FaceSample(k, qualities[k], NO_PIXELS, NO_PIXELS, kinds[k]) for k in range(count)]
        self.embedded: list[int] = []
        self._embeddings = embeddings

    def embed(self, samples: Sequence[FaceSample]) -> list[FloatArray]:
        missing = {sample.frame: sample for sample in samples if sample.embedding is None}
        for sample in missing.values():
            sample.embedding = self._embeddings[sample.frame]
        if missing:
            self.embedded.append(len(missing))
        return [sample.embedding for sample in samples if sample.embedding is not None]
