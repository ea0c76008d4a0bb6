"""What the program knows about each way of recognising faces: its networks, and how its cosines are read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import ModelError
from core.models.change_limits import STRICT_LIMITS, ChangeLimit, ChangeLimits
from core.models.link_curve import LinkCurve, LinkCurves
from core.models.networks.model_spec import MODELS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Calibration:
    """similarity = 1 / (1 + exp(-slope * (cosine - midpoint))).

    midpoint: the cosine at which two faces are as likely the same person's as not. slope: log-odds per unit of cosine.
    """

    midpoint: float
    slope: float

    def __post_init__(self) -> None:
        if not (-1 < self.midpoint < 1 and self.slope > 0):
            raise ValueError(f"midpoint {self.midpoint}, slope {self.slope}: expected (-1, 1) and > 0")


@dataclass(frozen=True, slots=True)
class PairCurve:
    """log-odds = (slope + focus * focus_slope) * (cosine - midpoint) + focus * focus_offset.

    What two tracklets' cosine says, with as many pairs of one person as of two; other evidence is added to it. focus:
    doublings of the sharpness of the less sharp faces (`core.models.similarity`).

    strangers: mean cosine of blurred faces of two people of one film; where those of a film are more alike,
    `processors.people.stranger_evidence` takes the rest off. None: not measured, so nothing is.
    """

    midpoint: float
    slope: float
    focus_slope: float = 0.0
    focus_offset: float = 0.0
    strangers: float | None = None

    def log_odds(self, cosine: NDArray[np.floating], focus: NDArray[np.floating]) -> NDArray[np.floating]:
        """Log-odds that the faces of pairs show one person, corrected for blur.

        Blurred faces resemble each other whoever they show, so their cosine is weak evidence.

        cosine: (...) of the pairs' embeddings. focus: (...) of the blurrier face of each, from `focus_of`. The result
        has their shape and dtype.
        """
        slope = self.slope + focus * self.focus_slope
        values: NDArray[np.floating] = slope * (cosine - self.midpoint) + focus * self.focus_offset
        return values


@dataclass(frozen=True, slots=True)
class EmbedderSpec:
    """What makes embeddings: one recognition network, or several that are given the same chips.

    shares: the networks, and the share that each one's cosine has in the cosine of two embeddings; they add up to 1.
    calibration: how cosines of the embeddings are read where they decide alone: strict, because they are wrong alone.
    pair_curve: how they are read beside other evidence.
    link_curves: how they are read between files, where there is no other evidence.
    change_limits: from which similarity on a track is divided.
    """

    shares: dict[str, float]
    calibration: Calibration
    pair_curve: PairCurve
    link_curves: LinkCurves
    change_limits: ChangeLimits = STRICT_LIMITS

    def __post_init__(self) -> None:
        if min(self.shares.values()) <= 0 or abs(sum(self.shares.values()) - 1) > 1e-9:
            raise ValueError(f"shares {self.shares}: expected positive ones that add up to 1")


EMBEDDERS: dict[str, EmbedderSpec] = {
    "sface": EmbedderSpec(
        {"sface": 1.0},
        Calibration(midpoint=0.42, slope=22.0),
        PairCurve(midpoint=0.361, slope=17.6, focus_slope=4.3, focus_offset=-0.96, strangers=0.2),
        # Chosen by `benchmarks.quality.known_people`, like those of the others: the slope of the strict curve, and as
        # many right links as the rule gives while the highest wrong pair stays half a log-odds below it.
        LinkCurves(
            same_kind=LinkCurve(midpoint=0.495, slope=22.0, better=2.0),
            photo_and_video=LinkCurve(midpoint=0.3815, slope=22.0),
        ),
        # At 282 moments of labelled tracks of one person, whose sides were alike by 0.3 or more, it was 0.19 at least.
        ChangeLimits(
            continued=ChangeLimit(0.1, 0.5),
            jumped=ChangeLimit(0.2, 0.3),
            switched=ChangeLimit(0.5, 0.3),
            found_again=ChangeLimit(0.5, 0.3),
            found_elsewhere=ChangeLimit(0.8, 0.3),
        ),
    ),
    "facenet": EmbedderSpec(
        {"facenet": 1.0},
        # Not measured yet (the weights were out of reach): between the usual verification threshold (cosine 0.5 to
        # 0.6) and the 0.76 that different people are known to reach.
        Calibration(midpoint=0.65, slope=14.0),
        # An estimate as well: the same slope, and even odds where the strict curve has one to seven.
        PairCurve(midpoint=0.507, slope=14.0),
        # And as far above the strict curve as that of the CASIA weights.
        LinkCurves.one(LinkCurve(midpoint=0.68, slope=14.0, poorer=6.0)),
    ),
    "both": EmbedderSpec(
        # Inverse to the deviation of each network's cosines over different people (0.034 and 0.18), so that both count
        # alike.
        {"dlib": 0.84, "facenet-casia": 0.16},
        # Fitted to 133 labelled tracklets of 88 people, as strict as dlib's curve (benchmarks/quality/embedders.py).
        Calibration(midpoint=0.885, slope=47.0),
        # `benchmarks.quality.evidence`, like that of dlib's network.
        PairCurve(midpoint=0.856, slope=47.0, focus_slope=17.4, focus_offset=-0.36),
        LinkCurves.one(LinkCurve(midpoint=0.904, slope=47.0, poorer=3.0)),
    ),
    # Fitted like `both`.
    "facenet-casia": EmbedderSpec(
        {"facenet-casia": 1.0},
        Calibration(midpoint=0.593, slope=11.7),
        # An estimate: the slope of the strict curve, and even odds where that has one to seven.
        PairCurve(midpoint=0.42, slope=11.7),
        LinkCurves.one(LinkCurve(midpoint=0.627, slope=11.7, poorer=6.0)),
    ),
    "dlib": EmbedderSpec(
        {"dlib": 1.0},
        # Cosines of tracklets of 29 people in the development clips and photos: 5 % of the pairs of one person lie
        # below 0.943, 0.1 % of the pairs of two people above 0.951; fitted slope 100. The timelines of all clips are
        # right from 0.943 to 0.950: below, two people become one; above, short tracklets split people.
        Calibration(midpoint=0.946, slope=100.0),
        # `benchmarks.quality.evidence`: 537 pairs of one person, 30 091 of two, in 31 clips.
        PairCurve(midpoint=0.929, slope=81.0, focus_slope=34.0, focus_offset=-0.47),
        LinkCurves.one(LinkCurve(midpoint=0.95, slope=100.0, poorer=6.0)),
    ),
}
"""best first"""


def embedder_names() -> tuple[str, ...]:
    """What makes embeddings, best first."""
    return tuple(EMBEDDERS)


def calibration_of(embedder: str) -> Calibration:
    """The calibration of `embedder`.

    Raises:
        ModelError: there is no such embedder.
    """
    return _embedder_spec(embedder).calibration


def _embedder_spec(embedder: str) -> EmbedderSpec:
    spec = EMBEDDERS.get(embedder)
    if spec is None:
        hint = f"known are {', '.join(embedder_names())}"
        raise ModelError(f"embedder {embedder!r} has no calibration", stage="identify", hint=hint)
    return spec


def pair_curve_of(embedder: str) -> PairCurve:
    """The pair curve of `embedder`; raises like `calibration_of`."""
    return _embedder_spec(embedder).pair_curve


def link_curves_of(embedder: str) -> LinkCurves:
    """The link curves of `embedder`; raises like `calibration_of`."""
    return _embedder_spec(embedder).link_curves


def change_limits_of(embedder: str) -> ChangeLimits:
    """The change limits of `embedder`; raises like `calibration_of`."""
    return _embedder_spec(embedder).change_limits


def embedder_digest(embedder: str) -> str:
    """64 hexadecimal digits: the sha256 of the weights of `embedder`; of several networks, of all that is combined."""
    shares = EMBEDDERS[embedder].shares
    if len(shares) == 1:
        return MODELS[next(iter(shares))].weights.sha256
    parts = [f"{MODELS[name].weights.sha256} {share!r}" for name, share in shares.items()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
