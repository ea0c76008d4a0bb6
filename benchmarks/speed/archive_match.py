"""How long one face against the whole archive takes: python benchmarks/speed/archive_match.py [PEOPLE]

Prints one JSON line per embedding size: median and 95th percentile of `SmartEmbeddingManager.assign`, ms.
The goal is 1 ms for 10 000 people.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as main.py does, before numpy is imported
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.embedding_manager import SmartEmbeddingManager
from core.models.embedder_spec import Calibration
from core.models.similarity import Similarity


def measure(people: int, dimensions: int, lookups: int = 500) -> dict[str, float]:
    rng = np.random.default_rng(0)
    faces = rng.standard_normal((people, dimensions), dtype=np.float32)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    manager = SmartEmbeddingManager(Similarity(Calibration(0.6, 14.0)))
    for second, face in enumerate(faces):
        manager.assign(face, float(second))
    took_ms = []
    for k, person in enumerate(rng.integers(0, people, lookups)):
        started = time.perf_counter()
        # An hour apart: everybody has expired, so every lookup goes to the archive.
        found = manager.assign(faces[person], people + 3600.0 * (k + 1))
        took_ms.append((time.perf_counter() - started) * 1000)
        if found != person:
            raise SystemExit(f"person {person} was taken for {found}")
    if manager.statistics["archive_hits"] != lookups:
        raise SystemExit(f"not every lookup went to the archive: {manager.statistics}")
    median, slow = np.percentile(took_ms, [50, 95])
    return {"people": people, "dimensions": dimensions, "median_ms": round(median, 3), "p95_ms": round(slow, 3)}


if __name__ == "__main__":
    for size in (128, 512):
        print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, size)))
