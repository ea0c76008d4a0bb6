"""What telling one face of a track from another costs: faces embedded, and their share of an analysis' CPU time.

    python -m benchmarks.speed.second_look VIDEO ... [--embedder NAME] [--cache-dir DIR] [--rounds N]

A row per video: faces embedded, those of them that tracklets keep for recognition, calls of the embedder, CPU seconds
of the analysis, and shares of them: of all embedding, and of the second look, which is what is embedded beyond the
faces kept. With several rounds, videos take turns, and shares are those of the sums.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from benchmarks.quality.run_settings import offline_settings
from config import Settings
from core.media.video_probe import probe_video
from core.model_manager import ModelManager
from core.types import ByteArray, FloatArray
from processors.face_analyzer import FaceAnalyzer


@dataclass(frozen=True, slots=True)
class Look:
    """One analysis. embedded, kept: faces. analysis_s, embedding_s: CPU seconds."""

    embedded: int
    kept: int
    calls: int
    analysis_s: float
    embedding_s: float


@dataclass(frozen=True, slots=True)
class Shares:
    """Parts of the CPU time of analyses."""

    embedding: float
    second_look: float


def look_at(path: Path, settings: Settings, models: ModelManager) -> Look:
    """Analyse `path` and count what is embedded."""
    sizes: list[int] = []
    spent: list[float] = []
    embed = models.embedder.embed

    def counting(chips: ByteArray) -> FloatArray:
        # Not the stage "embed": faces are also embedded in the midst of a track, where the stage is another.
        began = time.thread_time()
        rows = embed(chips)
        if len(chips):
            sizes.append(len(chips))
            spent.append(time.thread_time() - began)
        return rows

    info = probe_video(path)
    with patch.object(models.embedder, "embed", counting):
        began = time.process_time()
        analysis = FaceAnalyzer(settings, models).analyze(info)
        analysis_s = time.process_time() - began
    kept = sum(len(tracklet.embeddings) for tracklet in analysis.tracklets)
    return Look(sum(sizes), kept, len(sizes), analysis_s, sum(spent))


def shares(looks: Sequence[Look]) -> Shares:
    """Shares of the summed time; 0 where nothing is embedded."""
    total = sum(look.analysis_s for look in looks)
    spent = sum(look.embedding_s for look in looks)
    beyond = sum(look.embedding_s * (1 - look.kept / look.embedded) for look in looks if look.embedded)
    return Shares(spent / total, beyond / total)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="+", type=Path, metavar="VIDEO")
    parser.add_argument("--embedder", default="auto")
    parser.add_argument("--cache-dir", default="", help="where converted networks are kept")
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="default: 1")
    args = parser.parse_args()
    settings = offline_settings(args.cache_dir, embedder=args.embedder, device="cpu")
    models = ModelManager.instance(settings)
    looks: dict[Path, list[Look]] = defaultdict(list)
    for _ in range(args.rounds):
        for video in args.videos:
            looks[video].append(look_at(video, settings, models))
    print("| video | embedded | kept | calls | analysis, CPU s | embedding | second look |")
    print("|" + "---|" * 7)
    for video, found in looks.items():
        part, last = shares(found), found[-1]
        seconds = sum(look.analysis_s for look in found) / len(found)
        print(
            f"| {video.name} | {last.embedded} | {last.kept} | {last.calls} | {seconds:.1f} "
            f"| {part.embedding:.1%} | {part.second_look:.1%} |"
        )


if __name__ == "__main__":
    main()
