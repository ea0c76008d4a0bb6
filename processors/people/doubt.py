"""How well the tracklets of each person hold together, and whom else a person or an unknown tracklet may show.

A person is cut in two at the weakest link of the maximum spanning tree over their tracklets: every other division has
a stronger link across it, so these are the two parts that are most likely to be two people. How much the parts
resemble each other is the mean over their pairs of tracklets, weighted by quality. The link alone would not do: one
bad face that resembles both is enough to link two people (of the mixed people that were measured, the links have 0.53
to 0.95 and the means 0.31 to 0.95, while those of pure ones begin at 0.67 either way).

Pure functions on tracklets and on who has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.types import FaceAnalysis, FloatArray, IntArray, Timeline, Tracklet
from processors.people.faces_with_eyes import recognisable
from processors.people.pair_evidence import ComparedTracklets, compare
from processors.people.repeated_faces import repeated_tracklets, second_tracklets
from processors.people.tracklet_evidence import seen_together, tracklet_weights
from utils.numbers.pair_matrix import PairMatrix, item_blocks

DOUBTFUL_BELOW = 0.75
"""similarity of the two parts of a person below which the person is doubtful: odds of less than three to one that both
are one. It was chosen when people were told apart by faces alone: 7 of 8 mixed people of the labelled clips lay below
it. With all evidence the one who is still mixed does, and 3 of 9 pure ones who have several tracklets"""
MAYBE_SAME = 0.25
"""similarity from which another person may be the same: one to three, the counterpart of `DOUBTFUL_BELOW`"""

Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class NearestPerson:
    """Who resembles a person or a tracklet most, of those who may be the same. name: "" where there is nobody."""

    name: str = ""
    similarity: float = 0.0

    @property
    def may_be_same(self) -> bool:
        """Whether users are told that it may be the same person."""
        return bool(self.name) and self.similarity >= MAYBE_SAME


@dataclass(frozen=True, slots=True)
class PersonDoubt:
    """How well a person holds together.

    similarity: of the person's two parts, in [0, 1]; None where fewer than two tracklets have embeddings.
    part: ids of the tracklets of the part with less weight.
    """

    similarity: float | None = None
    part: tuple[int, ...] = ()
    nearest: NearestPerson = NearestPerson()

    @property
    def is_doubtful(self) -> bool:
        """Whether the two parts hardly resemble each other."""
        return self.similarity is not None and self.similarity < DOUBTFUL_BELOW


@dataclass(frozen=True, slots=True)
class VideoDoubts:
    """people: by name. unknown: by the id of each tracklet of `Timeline.unknown`. repeated: the person whom such a
    tracklet shows a second time, as in a mirror, where it does.
    """

    people: Mapping[str, PersonDoubt]
    unknown: Mapping[int, NearestPerson]
    repeated: Mapping[int, str] = field(default_factory=dict)

    def renamed(self, names: Mapping[str, str]) -> VideoDoubts:
        """The same with other names; names: the new ones of all people."""

        def nearest(one: NearestPerson) -> NearestPerson:
            return replace(one, name=names[one.name]) if one.name else one

        people = {names[name]: replace(found, nearest=nearest(found.nearest)) for name, found in self.people.items()}
        repeated = {number: names[name] for number, name in self.repeated.items()}
        return VideoDoubts(people, {number: nearest(one) for number, one in self.unknown.items()}, repeated)


def find_doubts(analysis: FaceAnalysis, timeline: Timeline, compared: ComparedTracklets | None = None) -> VideoDoubts:
    """What is doubtful about `timeline`, whose divisions have been made in `analysis`.

    compared: all tracklets of the timeline with embeddings, if they have been compared; None: they are compared here,
    which takes as long as working out who is who.

    Raises:
        ModelError: the analysis names an embedder without calibration.
    """
    owners = {number: row for row, person in enumerate(timeline.people) for number in person.tracklets}
    owners |= {number: len(timeline.people) + row for row, number in enumerate(timeline.unknown)}
    if compared is None:
        compared = _compare([t for t in analysis.tracklets if t.id in owners], analysis)
    labels = np.array([owners[number] for number in compared.ids], np.int64)
    weights = tracklet_weights([analysis.tracklets_by_id[number] for number in compared.ids])
    size = (analysis.video.width, analysis.video.height)
    tracklets = sorted((t for t in analysis.tracklets if t.id in owners), key=lambda t: (t.start, t.id))
    together = seen_together(tracklets, size)
    apart = _known_apart(tracklets, together, timeline, owners)
    names = [person.name for person in timeline.people]
    likeness = _likeness_to_people(compared.similarity, labels, weights, len(owners), len(names))
    people = {}
    for row, name in enumerate(names):
        own = np.flatnonzero(labels == row)
        value, part = weakest_division(compared.similarity.square(own), weights[own])
        ids = tuple(sorted(compared.ids[k] for k in own[part]))
        people[name] = PersonDoubt(value, ids, _nearest(row, likeness[row], apart, names))
    unknown = {number: _nearest(owners[number], likeness[owners[number]], apart, names) for number in timeline.unknown}
    return VideoDoubts(people, unknown, _repeated(tracklets, together, analysis, timeline))


def _compare(tracklets: Sequence[Tracklet], analysis: FaceAnalysis) -> ComparedTracklets:
    """The same comparison that a new timeline of these tracklets would rest on."""
    size = (analysis.video.width, analysis.video.height)
    ordered = [recognisable(t, size) for t in sorted(tracklets, key=lambda t: (t.start, t.id))]
    second = second_tracklets(ordered, seen_together(ordered, size), analysis)
    kinds: tuple[list[Tracklet], list[Tracklet]] = ([], [])
    for tracklet, is_second in zip(ordered, second.tolist(), strict=True):
        if len(tracklet.embeddings):
            kinds[is_second].append(tracklet)
    return compare(*kinds, analysis)


def _repeated(
    tracklets: Sequence[Tracklet], together: IntArray, analysis: FaceAnalysis, timeline: Timeline
) -> dict[int, str]:
    """The person whom an unknown tracklet shows a second time, by the tracklet's id. together: see `seen_together`."""
    names = {number: person.name for person in timeline.people for number in person.tracklets}
    if all(t.id in names for t in tracklets):
        return {}
    size = (analysis.video.width, analysis.video.height)
    shown_by = repeated_tracklets([recognisable(t, size) for t in tracklets], together, analysis)
    pairs = [(t.id, tracklets[other].id) for t, other in zip(tracklets, shown_by.tolist(), strict=True) if other >= 0]
    return {number: names[other] for number, other in pairs if number not in names and other in names}


def weakest_division(similarity: FloatArray, weights: NDArray[np.float64]) -> tuple[float | None, IntArray]:
    """The two parts of a person that are least alike.

    Args:
        similarity: (N, N) float32, symmetric, of the person's tracklets.
        weights: (N,) float64 > 0.

    Returns:
        The similarity of the two parts, None if N < 2; and (M,) int64, rows of the part with less weight.
    """
    if len(similarity) < 2:
        return None, np.zeros(0, np.int64)
    in_part = _beyond_weakest_link(similarity)
    if weights[in_part].sum() > weights[~in_part].sum():
        in_part = ~in_part
    return _mean_similarity(similarity, weights, in_part, ~in_part), np.flatnonzero(in_part)


def _beyond_weakest_link(similarity: FloatArray) -> Booleans:
    """(N,) bool: what is cut off from the first row without the weakest link of the maximum spanning tree."""
    n = len(similarity)
    reached = np.zeros(n, bool)
    reached[0] = True
    best, source = similarity[0].astype(np.float64), np.zeros(n, np.int64)
    parents, links = np.zeros(n, np.int64), np.full(n, np.inf)
    order = []
    for _ in range(n - 1):
        row = int(np.where(reached, -np.inf, best).argmax())
        reached[row] = True
        parents[row], links[row] = source[row], best[row]
        order.append(row)
        closer = similarity[row] > best
        best[closer], source[closer] = similarity[row][closer], row
    cut = int(links.argmin())
    beyond = np.zeros(n, bool)
    beyond[cut] = True
    for row in order:  # parents come before their children
        beyond[row] |= beyond[parents[row]]
    return beyond


def _likeness_to_people(
    similarity: PairMatrix, labels: IntArray, weights: NDArray[np.float64], owners: int, people: int
) -> NDArray[np.float64]:
    """(owners, people) float64: mean similarity of each owner's tracklets to each person's; NaN where one has none.

    labels: (N,) int64, owner of each tracklet; the first `people` of them are people.
    """
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] < people]
    present, starts = np.unique(labels[order], return_index=True)
    total = np.zeros((owners, people))
    for rows in item_blocks(len(labels) if len(order) else 0):
        values = similarity.rows(np.arange(rows.start, rows.stop))[:, order] * weights[order]
        sums = np.add.reduceat(values, starts, axis=1) * weights[rows, None]
        np.add.at(total, (labels[rows, None], present), sums)
    mass = np.bincount(labels, weights, owners)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / (mass[:, None] * mass[:people]))


def _nearest(
    owner: int, likeness: NDArray[np.float64], apart: Mapping[int, set[int]], names: Sequence[str]
) -> NearestPerson:
    """The person who resembles an owner most, except the owner and those known to be others. likeness: (people,)."""
    others = likeness.copy()
    others[[k for k in {owner, *apart.get(owner, ())} if k < len(names)]] = np.nan
    if np.isnan(others).all():
        return NearestPerson()
    best = int(np.nanargmax(others))
    return NearestPerson(names[best], float(others[best]))


def _mean_similarity(similarity: FloatArray, weights: NDArray[np.float64], a: Booleans, b: Booleans) -> float:
    ours, theirs = np.where(a, weights, 0), np.where(b, weights, 0)
    total = sum(float(ours[rows] @ (similarity[rows] @ theirs)) for rows in item_blocks(len(similarity)))
    return total / float(ours.sum() * theirs.sum())


def _known_apart(
    tracklets: Sequence[Tracklet], together: IntArray, timeline: Timeline, owners: Mapping[int, int]
) -> dict[int, set[int]]:
    """By owner: those who are seen in one frame with them, or were divided from them by somebody.

    together: see `seen_together`.
    """
    pairs = [(tracklets[i].id, tracklets[j].id) for i, j in together.tolist()]
    pairs += [(d.tracklet, d.piece) for d in timeline.divisions if {d.tracklet, d.piece} <= owners.keys()]
    apart: dict[int, set[int]] = {}
    for one, other in pairs:
        a, b = owners[one], owners[other]
        if a != b:
            apart.setdefault(a, set()).add(b)
            apart.setdefault(b, set()).add(a)
    return apart
