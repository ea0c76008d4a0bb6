"""Judging whether the result of a case is right or a warning says what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks.robustness.media.case import Expected, Finding, MediaCase
from benchmarks.robustness.media.clip_signs import Signs, loudest, read_signs

REMARKS = ("clips enlarged", "tracklets that could not be assigned", "no faces were found", "nobody is visible")
"""warnings that say nothing of the file"""
ABOUT_AUDIO = ("audio", "channel")

COVERED = 0.85
"""share of the frames showing somebody that must be in clips"""
MAY_BE_SQUEEZED = 0.09
MAY_FAIL = 0.04
"""share of frames that may be unreadable, squeezed or out of order; one frame always may, at a seam"""
QUIET_DB = -30.0


@dataclass(frozen=True, slots=True)
class Result:
    """The program's result for one input.

    status: "done", "failed", or "" if the summary does not list it. reason: why it failed. folder: its results.
    """

    status: str = ""
    reason: str = ""
    folder: Path | None = None

    @property
    def manifest(self) -> dict[str, Any]:
        return {} if self.folder is None else read_manifest(self.folder)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest in `folder`; {} if there is none."""
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return manifest


def folders_by_video(output: Path) -> dict[tuple[str, int], Path]:
    """Result folders by name and size in bytes of the video in their manifest."""
    found = {}
    for file in sorted(output.glob("*/manifest.json")):
        video = read_manifest(file.parent).get("input", {})
        found[str(video.get("name", "")), int(video.get("size_bytes", 0))] = file.parent
    return found


def judge(case: MediaCase, result: Result, log: str) -> Iterator[Finding]:
    """Findings about the result of a completed run. log: the program's output."""
    if result.status == "" and result.folder is None:
        is_said = case.path.name in log or f".{case.path.suffix.lstrip('.')}" in log
        if not is_said:
            yield Finding("silent", "left out without a word")
        elif not case.expected.may_be_refused:
            yield Finding("lost", "left out")
        return
    if result.status == "failed":
        if not result.reason:
            yield Finding("silent", "failed without a reason")
        elif not case.expected.may_be_refused:
            yield Finding("lost", f"refused: {result.reason}")
        return
    manifest = result.manifest
    if result.folder is None or not manifest:
        yield Finding("lost", "no manifest")
        return
    warnings = [w for w in manifest["warnings"] if not w.startswith(REMARKS)]
    signs = []
    for clip in manifest["clips"]:
        try:
            signs.append(read_signs(result.folder / clip["file"]))
        except (av.FFmpegError, OSError, ValueError) as error:
            yield Finding("lost", f"{clip['file']} cannot be played: {error}")
    if not signs:
        if not case.expected.may_be_refused or not warnings:
            yield Finding("lost", f"no clip; {'; '.join(manifest['warnings'])}")
        return
    about_audio = [w for w in warnings if any(word in w for word in ABOUT_AUDIO)]
    if len(about_audio) == len(warnings):
        yield from (Finding("silent", text) for text in frame_faults(signs, case.expected))
    if not about_audio:
        yield from (Finding("silent", text) for text in audio_faults(signs, case.expected))
    if case.expected.is_plain:
        yield from (Finding("false alarm", warning) for warning in warnings)


def frame_faults(signs: Sequence[Signs], expected: Expected) -> Iterator[str]:
    """Faults of the clips' video, one line each."""
    frames = sum(len(clip.times) for clip in signs)
    shown = sum(1 + int(np.clip(clip.steps(), 0, 1).sum()) for clip in signs)
    # Counts distinct frames, because a clip that repeats frames has as many as any other.
    if shown < COVERED * expected.frames:
        yield f"{shown} of {expected.frames} frames in clips"
    unreadable = sum(int((~clip.is_readable).sum()) for clip in signs)
    squeezed = np.concatenate([clip.roundness[clip.is_readable] for clip in signs])
    wrong = np.abs(np.log(squeezed)) > MAY_BE_SQUEEZED
    allowed = max(1 + expected.gaps, MAY_FAIL * frames)
    if unreadable > allowed:
        yield f"{unreadable} of {frames} frames broken"
    if wrong.sum() > allowed:
        yield f"{wrong.sum()} of {frames} frames squeezed, {np.median(squeezed[wrong]):.2f} as wide as high"
    steps = np.concatenate([clip.steps() for clip in signs])
    back, again = int((steps < 0).sum()), int((steps == 0).sum())
    left_out = int((steps[steps > 1] - 1).sum())
    if back > expected.gaps:
        yield f"{back} times back in time"
    if left_out > allowed:
        yield f"{left_out} frames left out of {expected.frames}"
    if expected.is_steady and again > allowed:
        yield f"{again} of {frames} frames shown again"


def audio_faults(signs: Sequence[Signs], expected: Expected) -> Iterator[str]:
    """Faults of the clips' audio, one line each."""
    if not expected.tones:
        return
    levels = {hertz: loudest(signs, hertz, expected.audio_from) for hertz in expected.tones}
    heard = [level for level in levels.values() if level >= expected.level_db]
    if not any(clip.audio.size for clip in signs):
        yield "no audio track"
        return
    if all(level < QUIET_DB for level in levels.values()) and not (expected.any_tone and _is_loud(signs)):
        yield "digital silence" if not _is_loud(signs) else "none of the tones"
        return
    if len(heard) < len(levels) and not expected.any_tone:
        yield "too quiet or missing: " + ", ".join(
            f"{hertz:.0f} Hz {level:.0f} dB" for hertz, level in levels.items() if level < expected.level_db
        )
    if expected.is_timed:
        yield from _late_bursts(signs, expected)


def _late_bursts(signs: Sequence[Signs], expected: Expected) -> Iterator[str]:
    wanted, missed, offsets = 0, 0, []
    for clip in signs:
        heard = clip.heard_times()
        for time in clip.burst_times():
            # Skips bursts that are cut off by the clip's end or the start of late audio.
            if not expected.audio_from + 0.1 < time < clip.times[-1] - 0.1:
                continue
            wanted += 1
            nearest = heard[np.abs(heard - time).argmin()] if heard.size else np.inf
            missed += abs(nearest - time) > expected.late_s
            offsets.append(nearest - time)
        early = heard[heard < expected.audio_from - 0.1]
        if early.size:
            yield f"audio at {early[0]:.2f} s, {expected.audio_from:.2f} s is where it begins"
    if missed > max(min(expected.gaps, 1), 0.1 * wanted):
        yield f"{missed} of {wanted} bursts not with their frames, by {np.median(offsets):.2f} s"


def _is_loud(signs: Sequence[Signs]) -> bool:
    return any(clip.audio.size and float(np.abs(clip.audio).max()) > 0.01 for clip in signs)
