"""Who speaks, measured: both signals on the made and real clips with known speakers, without rendering.

    python -m benchmarks.quality.speech [--signal embedded|model|both] [--cache DIR] [--weights FILE ...] [--json FILE]

The counting is that of the material's own scorer, which is loaded from beside it. One table per signal goes to stdout:
F1 and false alarms per kind of clip, then CPU time. What was reached once stands in
`benchmarks/results/speech.json`; `tests/benchmarks/quality/test_speech.py` fails where a run falls below it.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.known_clips import CLIPS, PROJECT
from config import Settings
from core.media.video_probe import probe_video
from core.model_manager import ModelManager
from core.models.face_mesh import FaceMesh, locate_face_mesh
from core.models.speech_net import SPEECH_WEIGHTS, load_speech_nets, locate_speech_weights
from core.models.voice_activity import VoiceActivity, locate_voice_activity
from core.types import FaceAnalysis
from processors.face_analyzer import FaceAnalyzer
from processors.speech.speech_pass import SpeechColumns, SpeechModels, find_speech
from processors.speech.turns import turns
from tests.material.loaded_module import load_module

SHARED = CLIPS.parent
SPEECH_CLIPS = SHARED / "speech"
WEIGHTS = tuple(SHARED / "models" / f"lr_asd_{entry.name}" for entry in SPEECH_WEIGHTS.values())
SCORER = SHARED / "eval" / "score_speech.py"
FLOORS_FILE = PROJECT / "benchmarks" / "results" / "speech.json"

SIGNALS = ("embedded", "model")
MAIN_KINDS = ("listener", "turns-quiet", "small", "cuts", "solo", "real")


@dataclass(frozen=True, slots=True)
class Result:
    """One clip under one signal. seen: frames per (label, called speaking), from the scorer. cpu_s: of the pass."""

    clip: str
    kind: str
    seen: Counter[Any]
    cpu_s: float
    video_s: float
    face_s: float


def find_clips() -> list[tuple[str, Path, Path]]:
    """(name, video, truth) of the clips that lie beside the project; empty where there are none."""
    found = []
    for truth in sorted(SPEECH_CLIPS.glob("*.speech.csv")):
        name = truth.name.removesuffix(".speech.csv")
        folder = SPEECH_CLIPS if (SPEECH_CLIPS / f"{name}.mp4").is_file() else CLIPS
        found.append((name, folder / f"{name}.mp4", truth))
    return found


def load_scorer() -> ModuleType:
    """The scorer that lies beside the material."""
    return load_module(SCORER)


def speech_models(signal: str, cache_dir: Path, weights: Sequence[Path] = WEIGHTS) -> SpeechModels:
    """The models of "embedded" or "model"."""
    nets = []
    if signal == "model":
        nets = load_speech_nets(locate_speech_weights(explicit=[str(path) for path in weights]), cache_dir)
    return SpeechModels(VoiceActivity(locate_voice_activity()), FaceMesh(locate_face_mesh()), nets)


def analyse(video: Path, settings: Settings, models: ModelManager) -> FaceAnalysis:
    """The faces of `video`, without looking into any cache."""
    return FaceAnalyzer(settings, models).analyze(probe_video(video))


def rows_for_scorer(analysis: FaceAnalysis, speech: SpeechColumns) -> tuple[list[Any], list[Any]]:
    """(predicted, tracks) as the scorer reads them, with every tracklet as a person of its own."""
    times_s = analysis.bounds_s
    predicted, tracks = [], []
    for tracklet in analysis.tracklets:
        starts_s, ends_s = times_s[tracklet.frames], times_s[tracklet.frames + 1]
        for turn in turns(starts_s, ends_s, speech.columns[tracklet.id]):
            predicted.append({"person": str(tracklet.id), "start_s": turn.start_s, "end_s": turn.end_s})
        for start_s, box in zip(starts_s, tracklet.boxes, strict=True):
            place = dict(zip(("x1", "y1", "x2", "y2"), box.tolist(), strict=True))
            tracks.append({"time_s": start_s, "person": str(tracklet.id), **place})
    return predicted, tracks


def judge(name: str, truth: Path, analysis: FaceAnalysis, models: SpeechModels) -> Result:
    """Find out who speaks in `analysis` and count what is right."""
    begin = time.process_time()
    speech = find_speech(analysis, models)
    cpu_s = time.process_time() - begin
    assert speech is not None, f"{name} has no audio"
    with truth.open(newline="", encoding="utf-8") as file:
        known = list(csv.DictReader(file))
    seen = load_scorer().count(known, *rows_for_scorer(analysis, speech))
    kind = name.split("__")[0] if "__" in name else "real"
    return Result(name, kind, seen, cpu_s, float(analysis.bounds_s[-1]), speech.looked_at_s)


def by_kind(results: Sequence[Result]) -> dict[str, dict[str, Any]]:
    """The scorer's numbers per kind, and over the kinds in which the voice belongs to moving lips as "main"."""
    sums: dict[str, Counter[Any]] = defaultdict(Counter)
    for result in results:
        sums[result.kind].update(result.seen)
        if result.kind in MAIN_KINDS:
            sums["main"].update(result.seen)
    summary = load_scorer().summary
    return {kind: summary(seen) for kind, seen in sorted(sums.items())}


def read_floors() -> dict[str, dict[str, dict[str, float]]]:
    """Per signal and kind the least F1 or the most false alarms that count as no worse."""
    floors: dict[str, dict[str, dict[str, float]]] = json.loads(FLOORS_FILE.read_text(encoding="utf-8"))
    return floors


def undercut(kinds: dict[str, dict[str, Any]], floors: dict[str, dict[str, float]]) -> list[str]:
    """What is worse than its floor, one line each."""
    found = []
    for kind, floor in floors.items():
        for measure, limit in floor.items():
            value = kinds[kind][measure]
            if value < limit if measure == "f1" else value > limit:
                found.append(f"{kind}: {measure} {value}, floor {limit}")
    return found


def table(results: Sequence[Result]) -> str:
    """Lines for people."""
    lines = [f"{'kind':18} {'F1':>6} {'false':>6}"]
    for kind, numbers in by_kind(results).items():
        f1 = "-" if numbers["f1"] is None else f"{numbers['f1']:.3f}"
        false = "-" if numbers["false_alarm"] is None else f"{numbers['false_alarm']:.3f}"
        lines.append(f"{kind:18} {f1:>6} {false:>6}")
    cpu_s, face_s = sum(r.cpu_s for r in results), sum(r.face_s for r in results)
    video_s = sum(r.video_s for r in results)
    lines.append(f"CPU {cpu_s:.1f} s for {video_s:.0f} s of video, {cpu_s / max(face_s, 1e-9):.3f} s per face-second")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signal", choices=[*SIGNALS, "both"], default="both")
    parser.add_argument("--cache", type=Path, default=PROJECT / ".cache")
    parser.add_argument("--weights", type=Path, nargs="+", default=list(WEIGHTS))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    clips = find_clips()
    if not clips:
        print(f"no clips with known speakers in {SPEECH_CLIPS}")
        return
    signals = SIGNALS if arguments.signal == "both" else (arguments.signal,)
    settings = Settings()
    manager = ModelManager(settings)
    analyses = [(name, truth, analyse(video, settings, manager)) for name, video, truth in clips]
    report = {}
    for signal in signals:
        models = speech_models(signal, arguments.cache, arguments.weights)
        results = [judge(name, truth, analysis, models) for name, truth, analysis in analyses]
        print(f"{signal} ({models.name})\n{table(results)}\n")
        report[signal] = by_kind(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
