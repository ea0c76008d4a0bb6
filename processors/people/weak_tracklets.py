"""Who tracklets show that are too weak to make a person of their own: a face of a moment, a poor one, or none.

Nobody is guessed into another person's folder. A weak tracklet joins the person whom it rather resembles than not, or
whose track it continues. Those that are left are people only where they are enough evidence together
(`new_person_evidence`), and unknown otherwise.
"""

from __future__ import annotations

import numpy as np

from core.types import FloatArray
from processors.people.tracklet_groups import CLOSENESS, TrackletGroups
from utils.numbers.clustering import merge_clusters

_NEARBY_S = 2.0
"""how long before or after a person was seen, seconds, a weak tracklet is near them"""
_NEARBY_SIMILARITY = 0.5
"""similarity that a weak tracklet needs to join somebody near, even odds, however strict the settings are: with 0.3,
having been near in time was enough to join somebody dark or blurred, of whom a face says little either way"""


def attach_weak(groups: TrackletGroups, threshold: float) -> None:
    """Unknown tracklets with embeddings join the person whom they fit best, the best fits first.

    threshold: similarity that they need to join somebody who is not near, if it is stricter than even odds.
    """
    fits = {
        row: _best_person(groups, row, values, threshold)[0]
        for row, values in groups.similarities()
        if groups.labels[groups.embedded[row]] < 0
    }
    for row in sorted(fits, key=lambda row: (-fits[row], row)):
        # Anew, because those who joined before bring others along, or are seen beside this one.
        values = groups.similarity.rows(np.array([row]))[0, : len(groups.embedded)]
        fit, person = _best_person(groups, row, values, threshold)
        if np.isfinite(fit):
            groups.labels[groups.embedded[row]] = person


def group_weak(groups: TrackletGroups, threshold: float) -> None:
    """Tracklets with embeddings that are still unknown are people where they are enough evidence together.

    threshold: least similarity of the tracklets of one person.
    """
    rows = np.flatnonzero(groups.labels[groups.embedded] < 0)
    inner = groups.rows_apart[np.isin(groups.rows_apart, rows).all(1)]
    weights = groups.weights[groups.embedded][rows]
    parts = merge_clusters(
        groups.similarity.square(rows), np.searchsorted(rows, inner), threshold, weights, closeness=CLOSENESS
    )
    free = int(groups.labels.max(initial=-1)) + 1
    for part in range(int(parts.max(initial=-1)) + 1):
        members = groups.embedded[rows[parts == part]]
        if groups.is_supported(members):
            groups.labels[members] = free + part


def attach_without_embeddings(groups: TrackletGroups) -> None:
    """Give tracklets without embeddings to the person whose track they continue or who continues theirs."""
    changed = True
    while changed:
        changed = False
        for link in groups.links:
            for source, target in ((link.earlier, link.later), (link.later, link.earlier)):
                person = groups.labels[source]
                free = groups.labels[target] < 0 and len(groups.tracklets[target].embeddings) == 0
                if free and person >= 0 and person not in groups.people_beside(target):
                    groups.labels[target] = person
                    changed = True


def _best_person(groups: TrackletGroups, row: int, similarities: FloatArray, threshold: float) -> tuple[float, int]:
    """How well a weak tracklet fits whom it fits best, and that person; -inf if it fits nobody well enough."""
    k = int(groups.embedded[row])
    fit = groups.fit(row, similarities)
    for other in groups.linked[k]:
        # That a track goes on says nothing about the person's other tracklets, so it is not averaged with them.
        person, other_row = groups.labels[other], groups.row_of[other]
        if person >= 0 and other_row >= 0 and fit[person] > -np.inf:
            fit[person] = max(fit[person], float(similarities[other_row]))
    needed = np.where(groups.is_near(k, len(fit), _NEARBY_S), _NEARBY_SIMILARITY, max(threshold, _NEARBY_SIMILARITY))
    fit[fit < needed] = -np.inf
    best = int(fit.argmax())
    return float(fit[best]), best
