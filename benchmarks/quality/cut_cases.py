"""Cases with hard cuts."""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from benchmarks.quality.shot_case import Case, ShotSource
from benchmarks.quality.shot_footage import camera, stills


def hard_cuts(source: ShotSource) -> Case:
    counts = [int(c) for c in source.rng.integers(5, 45, 4)]
    runs = source.shots(*counts)
    return Case(
        "hard cut", str(counts), list(itertools.chain(*runs)), cuts=tuple(int(c) for c in np.cumsum(counts)[:-1])
    )


def dark_cuts(source: ShotSource) -> Case:
    counts = [int(c) for c in source.rng.integers(10, 45, 3)]
    gain = source.rng.uniform(0.08, 0.25)
    runs = source.shots(*counts)
    frames = [cv2.convertScaleAbs(f, alpha=gain) for f in list(itertools.chain(*runs))]
    return Case("dark cut", f"gain {gain:.2f}", frames, cuts=tuple(int(c) for c in np.cumsum(counts)[:-1]))


def similar_cuts(source: ShotSource) -> Case:
    runs = source.shots(30, 30, 30, same_set=True)
    return Case("similar cut", "", list(itertools.chain(*runs)), cuts=(30, 60))


def angle_cut(source: ShotSource) -> Case:
    """The same still from another place: half the window away, or a punch-in."""
    rng = source.rng
    which = int(rng.integers(6))
    noise = float(rng.choice([0, 2, 5]))
    z = rng.uniform(1.6, 2.2)
    x, y = rng.uniform(0.4, 0.6, 2)
    punch = rng.random() < 0.5
    z2 = z * 1.6 if punch else z
    x2 = x if punch else x + (0.5 / z) * (1 if x < 0.5 else -1)
    one = camera(stills()[which], np.full(30, x), np.full(30, y), np.full(30, z), noise, rng)
    two = camera(stills()[which], np.full(30, x2), np.full(30, y), np.full(30, z2), noise, rng)
    return Case("angle cut", "punch-in" if punch else "sideways", one + two, cuts=(30,))


def moving_cut(source: ShotSource) -> Case:
    """A cut between two fast pans."""
    rng = source.rng
    runs = []
    for which in rng.permutation(6)[:2]:
        speed = rng.uniform(0.004, 0.012) * rng.choice([-1, 1])
        t = np.arange(25)
        runs.append(camera(stills()[which], 0.5 + speed * (t - 12), np.full(25, 0.5), np.full(25, 2.2), 2.0, rng))
    return Case("moving cut", "", runs[0] + runs[1], cuts=(25,))


def blended_cut(source: ShotSource) -> Case:
    """A hard cut with one blended frame, as frame rate conversion leaves it; either neighbour is right."""
    a, b = source.shots(30, 30)
    share = source.rng.uniform(0.3, 0.7)
    blend = cv2.addWeighted(a[-1], float(share), b[0], float(1 - share), 0)
    return Case("blended cut", f"{share:.2f}", [*a[:-1], blend, *b], gradual=((29, 30),))


def freeze_cut(source: ShotSource) -> Case:
    """A freeze frame of 3-25 frames, then another shot."""
    a, b = source.shots(30, 25)
    length = int(source.rng.integers(3, 26))
    return Case("freeze cut", f"{length}", [*a, *[a[-1]] * length, *b], cuts=(30 + length,))
