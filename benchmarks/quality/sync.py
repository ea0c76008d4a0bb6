"""Audio/video offsets in clips of videos that flash and beep at the same time.

    python -m benchmarks.quality.sync

Each case is cut three times: from its beginning to its end, and twice so that the first and the last frame of the clip
are flashes. The table goes to stdout, ready for docs/measurements. Offsets are audio minus video.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from config import ClipSettings, EncodeSettings, Settings
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from core.types import CropPath, FaceAnalysis, Segment, Shot
from processors.clip_renderer import ClipRenderer
from tests.material.flash_beep import flash_frames, frame_times, onsets, read_clip, write_video
from utils.timebase import frames_at_rate

SIZE = 64
LOUD, LIT = 0.1, 128


def _late(begin_s: float) -> dict[str, Any]:
    """A case whose flashes begin so many seconds into the video."""
    return {
        "rate": Fraction(5), "end_s": begin_s + 4, "flash_from_s": begin_s, "audio": (0.0, begin_s + 4),
        "layout": "mono", "rate_hz": 16000, "size": (64, 48),
    }  # fmt: skip


CASES: dict[str, dict[str, Any]] = {
    "CFR 25": {},
    "CFR 30000/1001": {"rate": Fraction(30000, 1001)},
    "VFR": {"variable": True},
    "first pts 0.85 s": {"offset_s": 0.85, "suffix": ".mkv"},
    "VFR, first pts 1.4 s": {"variable": True, "offset_s": 1.4, "suffix": ".mkv"},
    "MPEG-TS": {"offset_s": 0.5, "suffix": ".ts"},
    "three MPEG-TS joined": {"offset_s": 0.5, "suffix": ".ts", "joined": 3},
    "audio 0.7 s later": {"audio": (0.7, 4.0)},
    "audio ends at 2.5 s": {"audio": (0.0, 2.5)},
    "mono 44.1 kHz": {"layout": "mono", "rate_hz": 44100},
    "5.1": {"layout": "5.1"},
    "two tracks, second default": {"decoy": True, "suffix": ".mkv"},
    "ten minutes in": _late(600),
    "an hour in": _late(3600),
}
LATE = ("ten minutes in", "an hour in")
"""cases of which no clip is the whole video"""


@dataclass(frozen=True, slots=True)
class Sync:
    """One clip: offsets of its beeps from their flashes, in seconds."""

    at_first_frame_s: float
    at_last_frame_s: float
    worst_s: float
    flashes: int
    beeps: int


def make_source(case: str, folder: Path) -> tuple[FaceAnalysis, list[int]]:
    """The case's video, without any analysis, and the frames at which its flashes begin."""
    options = dict(CASES[case])
    source = folder / f"source{options.pop('suffix', '.mp4')}"
    joined = options.pop("joined", 1)
    timing = {name: options.pop(name) for name in ("rate", "variable", "end_s") if name in options}
    times = frame_times(**timing, offset_s=options.get("offset_s", 0.0))
    write_video(source, times, **options)
    # Each part restarts the clock.
    source.write_bytes(joined * source.read_bytes())
    flashes = flash_frames(times, options.get("flash_from_s", 0.0))
    return bare_analysis(source), [part * len(times) + frame for part in range(joined) for frame in flashes]


def bare_analysis(path: Path) -> FaceAnalysis:
    """An analysis with one shot and no faces."""
    info = probe_video(path)
    with VideoReader(info) as reader:
        pts = np.array([frame.pts for frame in reader.frames()], np.int64)
    shot = Shot(0, 0, len(pts), "start")
    return FaceAnalysis(info, pts, (shot,), (), "none", 0, reader.statistics, tuple(reader.clock_shifts))


def whole_frame(analysis: FaceAnalysis, start: int, end: int) -> CropPath:
    """A clip of frames [start, end) that shows the middle of the frame."""
    video = analysis.video
    rows = start + frames_at_rate(
        analysis.frame_pts[start:end], video.time_base, analysis.end_pts(end), video.frame_rate
    )
    side = min(video.width, video.height) - 8.0
    left, top = (video.width - side) / 2, (video.height - side) / 2
    windows = np.tile([left, top, left + side, top + side], (len(rows), 1))
    return CropPath(Segment("person_01", 0, start, end, (0,)), rows, windows, SIZE, SIZE)


def measure(case: str, folder: Path) -> list[Sync]:
    """Render the case's clips below `folder` and measure them."""
    analysis, flashes = make_source(case, folder)
    spans = [(flashes[1], flashes[-2] + 1), (flashes[2], flashes[-1] + 1)]
    if case not in LATE:
        spans.insert(0, (0, analysis.frame_count))
    paths = [whole_frame(analysis, *span) for span in spans]
    settings = Settings(clip=ClipSettings(size=SIZE), encode=EncodeSettings(preset="ultrafast", codec="x264"))
    result = ClipRenderer(settings).render(analysis, paths, folder / "out")
    return [_measured(folder / "out" / clip.file) for clip in result.clips]


def _measured(clip: Path) -> Sync:
    times, light, audio_times, loudness = read_clip(clip)
    lit, beeps = onsets(times, light, LIT), onsets(audio_times, loudness, LOUD)
    # The last AAC block is longer than the video.
    beeps = beeps[beeps <= times[-1] + 0.5 / len(times)]
    offsets = beeps - lit[np.abs(lit[:, None] - beeps).argmin(0)]
    return Sync(float(offsets[0]), float(offsets[-1]), float(np.abs(offsets).max()), len(lit), len(beeps))


def main() -> None:
    print("| case | clips | first, ms | last, ms | worst, ms | beeps / flashes |")
    print("|---|---|---|---|---|---|", flush=True)
    for case in CASES:
        with tempfile.TemporaryDirectory(prefix="sync-") as folder:
            found = measure(case, Path(folder))
        first, last, worst = (
            max((getattr(s, name) * 1000 for s in found), key=abs)
            for name in ("at_first_frame_s", "at_last_frame_s", "worst_s")
        )
        counts = ", ".join(f"{s.beeps}/{s.flashes}" for s in found)
        print(f"| {case} | {len(found)} | {first:+.1f} | {last:+.1f} | {worst:.1f} | {counts} |", flush=True)


if __name__ == "__main__":
    main()
