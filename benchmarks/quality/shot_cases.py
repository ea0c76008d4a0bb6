"""Cases of the shot benchmark: hard cuts, gradual transitions, and what must not be taken for either."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.known_clips import KNOWN
from benchmarks.quality import cut_cases, gradual_cases, one_shot_cases
from benchmarks.quality.shot_case import Case, ShotSource
from benchmarks.quality.shot_footage import decode, frame_rate

KINDS: dict[str, Callable[[ShotSource], Case]] = {
    "hard cut": cut_cases.hard_cuts,
    "dark cut": cut_cases.dark_cuts,
    "similar cut": cut_cases.similar_cuts,
    "angle cut": cut_cases.angle_cut,
    "moving cut": cut_cases.moving_cut,
    "blended cut": cut_cases.blended_cut,
    "dissolve": gradual_cases.dissolve,
    "short dissolve": gradual_cases.short_dissolve,
    "wipe": gradual_cases.wipe,
    "fade": gradual_cases.fade,
    "dip": gradual_cases.dip,
    "blink": gradual_cases.blink,
    "flash": one_shot_cases.flash,
    "brightness": one_shot_cases.brightness,
    "slow light": one_shot_cases.slow_light,
    "whip pan": one_shot_cases.whip_pan,
    "shake": one_shot_cases.shake,
    "passer-by": one_shot_cases.passer_by,
    "caption": one_shot_cases.caption,
    "stutter": one_shot_cases.stutter,
    "stall": one_shot_cases.stall,
    "freeze cut": cut_cases.freeze_cut,
}


def cases(clips: Path | None, seed: int, rounds: int, only: str) -> Iterator[Case]:
    """`rounds` cases of each kind, then the labelled clips.

    clips: their folder; None: without the cases that need it. seed: of everything random; a kind is the same whichever
    others are made. only: the kind to be made; "": all of them, "clip": the labelled clips.
    """
    source = ShotSource(clips, seed)
    for kind, make in KINDS.items():
        if kind == "similar cut" and clips is None:
            continue
        source.rng = np.random.default_rng((seed, sum(map(ord, kind))))
        if only in ("", kind):
            for _ in range(rounds):
                yield make(source)
    if clips is not None and only in ("", "clip"):
        for name, known in KNOWN.items():
            yield Case("clip", name, list(decode(clips / name)), frame_rate(clips / name), known.cuts)
