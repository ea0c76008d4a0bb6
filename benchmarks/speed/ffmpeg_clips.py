"""The clips of a run made by ffmpeg alone: the same intervals, along the same camera paths, at the same size.

The crop follows the path at whole pixels (`sendcmd`), as is usual with ffmpeg alone. A fixed crop would be other
footage: with the middle square of the frame ffmpeg took a tenth less time, or a tenth more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.camera_paths import camera_paths
from config import Settings
from core.analysis_file import read_record
from core.types import CropPath, FaceAnalysis

_EARLY_S = 0.001
"""how long before its frame a command has to take effect"""


def clip_outputs(manifest_file: Path, analyses: Path, folder: Path) -> list[str]:
    """Arguments of ffmpeg, after `-copyts -i VIDEO`, for all clips of a run with default settings; [] without clips.

    analyses: the folder of the cache with the run's analysis. folder: where clips and commands are written.
    """
    manifest = json.loads(manifest_file.read_text(encoding="utf-8"))
    if not manifest["clips"]:
        return []
    key = manifest["analysis"]
    analysis = read_record(analyses / f"{key}.npz", key).analysis
    paths = {(p.segment.person, p.segment.start, p.segment.end): p for p in camera_paths(analysis, Settings())}
    outputs: list[str] = []
    for number, clip in enumerate(manifest["clips"]):
        commands = folder / f"ffmpeg_{number}.txt"
        window, lines = camera_commands(paths[clip["person"], clip["start"], clip["end"]], analysis)
        commands.write_text("".join(lines), encoding="ascii")
        tick = float(analysis.video.time_base)
        start_s, end_s = int(analysis.frame_pts[clip["start"]]) * tick, analysis.end_pts(clip["end"]) * tick
        interval = f"start={start_s:.6f}:end={end_s:.6f}"
        follow = f"sendcmd=filename={commands}," if lines else ""
        cut = "crop=" + ":".join(f"{name}={value}" for name, value in window.items())
        scale = f"scale={clip['width']}:{clip['height']}"
        outputs += ["-map", "0:v:0", "-vf", f"trim={interval},setpts=PTS-STARTPTS,{follow}{cut},{scale}"]
        outputs += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p"]
        if clip["has_sound"]:
            outputs += ["-map", "0:a:0", "-af", f"atrim={interval},asetpts=PTS-STARTPTS", "-c:a", "aac", "-b:a", "160k"]
        outputs.append(str(folder / f"ffmpeg_{number}.mp4"))
    return outputs


def camera_commands(path: CropPath, analysis: FaceAnalysis) -> tuple[dict[str, int], list[str]]:
    """The first window of the clip, and a command line for each frame at which it changes."""
    windows = [_whole(window, analysis) for window in path.windows]
    pts = analysis.frame_pts[path.source_frames]
    times_s = (pts - analysis.frame_pts[path.segment.start]) * float(analysis.video.time_base)
    return windows[0], list(_changes(windows, times_s.tolist()))


def _changes(windows: list[dict[str, int]], times_s: list[float]) -> Iterator[str]:
    for before, window, time_s in zip(windows[:-1], windows[1:], times_s[1:], strict=True):
        changed = [f"crop {name} {value}" for name, value in window.items() if before[name] != value]
        if changed:
            yield f"{max(time_s - _EARLY_S, 0):.4f} {', '.join(changed)};\n"


def _whole(window: np.ndarray[Any, Any], analysis: FaceAnalysis) -> dict[str, int]:
    """The part of a window that is inside the frame, px."""
    x1, y1 = max(round(float(window[0])), 0), max(round(float(window[1])), 0)
    x2, y2 = min(round(float(window[2])), analysis.video.width), min(round(float(window[3])), analysis.video.height)
    return {"w": x2 - x1, "h": y2 - y1, "x": x1, "y": y1}
