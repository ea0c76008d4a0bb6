"""A case of the shot benchmark, and the footage that cases are made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.quality.shot_footage import PIECES, SAME_SET, Frames, camera, piece, stills

RATE = 25.0


@dataclass(frozen=True)
class Case:
    """Frames of one test, its hard cuts, and its gradual transitions as [first mixed frame, first pure frame).

    begins: the frame with which the new shot begins in each of the gradual transitions; empty: in their middle.
    """

    kind: str
    name: str
    frames: Frames
    rate: float = RATE
    cuts: tuple[int, ...] = ()
    gradual: tuple[tuple[int, int], ...] = ()
    begins: tuple[int, ...] = ()


class ShotSource:
    """Runs of frames for the cases of every kind, drawn from one random stream."""

    def __init__(self, clips: Path | None, seed: int) -> None:
        self.clips = clips
        self.rng = np.random.default_rng(seed)

    def still_shot(self, count: int, which: int | None = None) -> Frames:
        """`count` frames of a camera that rests, pans or zooms over a still image. which: number of the image."""
        images = stills()
        rng = self.rng
        image = images[int(rng.integers(len(images))) if which is None else which]
        x0, y0 = rng.uniform(0.35, 0.65, 2)
        dx, dy = rng.uniform(-0.1, 0.1, 2) * rng.integers(0, 2)
        z0, z1 = rng.uniform(1.2, 2.0), rng.uniform(1.2, 2.0)
        if rng.random() < 0.5:
            z1 = z0
        t = np.linspace(0, 1, count)
        return camera(image, x0 + dx * t, y0 + dy * t, z0 + (z1 - z0) * t, float(rng.choice([0, 2, 5])), rng)

    def shots(self, *counts: int, same_set: bool = False) -> list[Frames]:
        """One run of frames per count, from different sources (or from the same set)."""
        rng = self.rng
        sources: list[tuple[str, int, int] | int]
        if same_set:
            sources = list(SAME_SET)
        else:
            sources = [0, 1, 2, 3, 4, 5]
            if self.clips is not None:
                sources += [*PIECES, SAME_SET[int(rng.integers(len(SAME_SET)))]]
        order = [int(i) for i in rng.permutation(len(sources))]
        result: list[Frames] = []
        used = set()
        while len(result) < len(counts):
            source = sources[order.pop(0)]
            count = counts[len(result)]
            if isinstance(source, int):
                result.append(self.still_shot(count, source))
                continue
            assert self.clips is not None
            frames = piece(self.clips, *source)
            if (source[0] in used and not same_set) or len(frames) < count:
                continue
            used.add(source[0])
            first = int(rng.integers(len(frames) - count + 1))
            result.append(list(frames[first : first + count]))
        return result
