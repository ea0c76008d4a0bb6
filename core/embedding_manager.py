"""Online identification: assigns an identity to one face after another, in time order.

Each face is compared first with a few *active* identities, those seen recently or often. All others stay in the archive
and are recognised again after an absence of any length. Times are on the video's clock, so that results do not depend
on the speed of the machine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.models.similarity import Similarity
from core.types import FloatArray

_CERTAIN = 0.9
"""least similarity at which a match in the active set is accepted without searching the archive"""
_FIRST_ROWS = 64


@dataclass(slots=True)
class _Entry:
    total: NDArray[np.float64]
    last_seen_s: float
    sightings: int = 0


class SmartEmbeddingManager:
    """Assigns identities online. Not thread-safe.

    Identities leave the active set for the archive in two ways: those not seen for `ttl_s` expire, and when there are
    more than `active_limit`, the one with the fewest sightings among the less recently seen half is evicted. No
    identity is ever lost, and numbers are not reused.

    The prototype of an identity is the weighted mean of all its faces, normalised to unit length. Prototypes are rows
    of one float32 matrix that doubles when it is full, so that searching the whole archive is one matrix product.

    Args:
        similarity: calibrated similarity of the embedder.
        active_limit: size of the active set.
        ttl_s: seconds after its last sighting at which an identity leaves the active set.
        threshold: least similarity at which a face is taken for a known person.

    Raises:
        ValueError: a limit is not positive, or the threshold is outside (0, 1).
    """

    def __init__(
        self, similarity: Similarity, *, active_limit: int = 15, ttl_s: float = 30.0, threshold: float = 0.5
    ) -> None:
        if active_limit < 1 or ttl_s <= 0 or not 0 < threshold < 1:
            raise ValueError(f"active_limit {active_limit}, ttl_s {ttl_s}, threshold {threshold}")
        self._similarity = similarity
        self._active_limit = active_limit
        self._ttl_s = ttl_s
        self._threshold_cos = similarity.to_cosine(threshold)
        self._certain_cos = similarity.to_cosine(max(_CERTAIN, threshold))
        self._prototypes: FloatArray = np.zeros((0, 0), np.float32)
        self._scores: FloatArray = np.zeros(0, np.float32)
        self._entries: list[_Entry] = []
        self._active: set[int] = set()
        self._counts = dict.fromkeys(("lookups", "active_hits", "archive_hits", "evictions", "expirations"), 0)

    @property
    def active(self) -> tuple[int, ...]:
        """Identities of the active set in increasing order."""
        return tuple(sorted(self._active))

    @property
    def statistics(self) -> dict[str, float | int]:
        """Counts since the start. `archive_hits` are people recognised from the archive; `hit_rate` is the share of
        lookups that found a known person, 0.0 before the first lookup."""
        hits = self._counts["active_hits"] + self._counts["archive_hits"]
        return {
            **self._counts,
            "new_identities": len(self._entries),
            "hit_rate": round(hits / max(self._counts["lookups"], 1), 4),
        }

    def assign(
        self,
        embedding: FloatArray,
        time_s: float,
        *,
        forbidden: Collection[int] = (),
        weight: float = 1.0,
        log_odds: Mapping[int, float] | None = None,
    ) -> int:
        """The identity of a face; a new one (the next number) if no known person is similar enough.

        Args:
            embedding: (D,) float32 of unit length; the first call fixes D.
            time_s: seconds on the video's clock, never decreasing between calls.
            forbidden: identities that are excluded because they are seen elsewhere in the same frame.
            weight: > 0, weight of the face in the prototype.
            log_odds: by identity, evidence from place and time that is added to that of the face.

        Raises:
            ValueError: the embedding has another shape or not unit length, or the weight is not positive.
        """
        if embedding.ndim != 1 or (self._entries and len(embedding) != self._prototypes.shape[1]):
            raise ValueError(f"embedding {embedding.shape}, prototypes {self._prototypes.shape}")
        if not (abs(float(np.linalg.norm(embedding)) - 1) < 1e-2 and weight > 0):
            raise ValueError(f"embedding of length {np.linalg.norm(embedding):.3g} with weight {weight}")
        self._expire(time_s)
        self._counts["lookups"] += 1
        identity = self._find(embedding, frozenset(forbidden), log_odds or {})
        if identity is None:
            identity = self._create(embedding, time_s, weight)
        else:
            self._counts["active_hits" if identity in self._active else "archive_hits"] += 1
            self._update_prototype(identity, embedding, weight)
        self._activate(identity, time_s)
        return identity

    def mark_seen(self, identity: int, time_s: float) -> None:
        """Record that `identity` was in view until `time_s`, from where its time to live counts."""
        entry = self._entries[identity]
        entry.last_seen_s = max(entry.last_seen_s, time_s)

    def _find(self, embedding: FloatArray, forbidden: Collection[int], log_odds: Mapping[int, float]) -> int | None:
        extra_cosine = {k: value / self._similarity.calibration.slope for k, value in log_odds.items()}
        rows = [k for k in self.active if k not in forbidden]
        active_match: tuple[float, int] | None = None
        if rows:
            scores = self._prototypes[rows] @ embedding + np.array([extra_cosine.get(k, 0.0) for k in rows], np.float32)
            first = int(scores.argmax())  # rows are sorted: a tie goes to the lowest number
            active_match = float(scores[first]), rows[first]
            if active_match[0] >= self._certain_cos:
                return active_match[1]
        if len(self._entries) > len(self._active):
            scores = self._scores[: len(self._entries)]
            np.dot(self._prototypes[: len(self._entries)], embedding, out=scores)
            for k, value in extra_cosine.items():
                scores[k] += value
            scores[[*self._active, *forbidden]] = -np.inf
            archived = int(scores.argmax())
            # An active identity wins a tie because it was seen more recently.
            if scores[archived] >= self._threshold_cos and (active_match is None or scores[archived] > active_match[0]):
                return archived
        return active_match[1] if active_match is not None and active_match[0] >= self._threshold_cos else None

    def _create(self, embedding: FloatArray, time_s: float, weight: float) -> int:
        identity = len(self._entries)
        if identity == len(self._prototypes):
            rows = max(_FIRST_ROWS, 2 * identity)
            grown = np.zeros((rows, len(embedding)), np.float32)
            if identity:
                grown[:identity] = self._prototypes
            self._prototypes, self._scores = grown, np.empty(rows, np.float32)
        self._prototypes[identity] = embedding
        self._entries.append(_Entry(weight * embedding.astype(np.float64), time_s))
        return identity

    def _update_prototype(self, identity: int, embedding: FloatArray, weight: float) -> None:
        total = self._entries[identity].total
        total += weight * embedding
        length = float(np.linalg.norm(total))
        if length > 1e-6:
            self._prototypes[identity] = total / length

    def _activate(self, identity: int, time_s: float) -> None:
        self._entries[identity].sightings += 1
        self.mark_seen(identity, time_s)
        self._active.add(identity)
        while len(self._active) > self._active_limit:
            others = sorted(self._active - {identity}, key=lambda k: (self._entries[k].last_seen_s, k))
            older = others[: (len(others) + 1) // 2]
            victim = min(older, key=lambda k: self._entries[k].sightings)
            self._active.remove(victim)
            self._counts["evictions"] += 1

    def _expire(self, now_s: float) -> None:
        gone = {k for k in self._active if now_s - self._entries[k].last_seen_s > self._ttl_s}
        self._active -= gone
        self._counts["expirations"] += len(gone)
