"""Clips that remixes are cut from, with the people of their faces under names that are the same in all of them.

Hand-labelled faces where there are any. Of clips whose files say who is shown where (one signer; talking heads side by
side), the boxes are those that the program tracks, so they tell who is who and not which faces are missed.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.quality.evidence import known_clips
from benchmarks.quality.known_cast import SHARED, unique_name
from benchmarks.quality.remix_plan import Source
from benchmarks.quality.stored_analyses import analysed
from config import Settings
from core.model_manager import ModelManager
from core.types import FaceAnalysis, FloatArray, Tracklet
from tests.material.scoring import Labelled
from tests.material.synthetic.truth import DO_NOT_CARE

SPEECH = SHARED / "speech"
SPEECH_NAMES = {
    "retalk_1": "retalk_1",
    "vv_host": "visualvoice_interview/host",
    "vv_guest": "visualvoice_interview/guest",
}
"""people of the clips in `speech` who are in other clips as well"""

TALKING_HEADS = (
    "cuts__r1_host",
    "cuts__r5_d3",
    "grimace__d10_r3",
    "listener__d18_r3",
    "listener__r5_host",
    "turns-muted__guest_r1",
)
"""clips of `speech` that show all of its people; no constant of who is who was fitted to six of them"""
PLACE = ("x1", "y1", "x2", "y2", "start_s", "end_s")

FAMILIES = {"friends": 3.0, "intel_asl": 2.0, "speech": 3.0}
"""clips that resemble each other, and how often one of them is chosen, compared with a clip that stands alone"""

EVERY = 4
"""frames from one label to the next where every frame has one"""


def remix_sources(settings: Settings, models: ModelManager) -> list[Source]:
    """All clips with known people, in a fixed order."""
    found = list(_labelled(settings, models)) + list(_talking_heads(settings, models))
    families = [next((name for name in FAMILIES if _family(source).startswith(name)), None) for source in found]
    for k, family in enumerate(families):
        if family is not None:
            found[k] = replace(found[k], weight=FAMILIES[family] / families.count(family))
    return found


def _labelled(settings: Settings, models: ModelManager) -> Iterator[Source]:
    for clip in known_clips(settings, models):
        path, analysis = clip.path, clip.analysis
        if clip.alone is not None:
            longest = max(analysis.tracklets, key=lambda t: len(t.frames))
            yield _source(path, analysis, _rows_of(longest, clip.alone))
        else:
            faces = {
                frame: [(unique_name(person, path.stem), box) for person, box in known if person != DO_NOT_CARE]
                for frame, known in clip.truth.items()
            }
            centres = [(box[:2] + box[2:]) / 2 for known in faces.values() for _, box in known]
            yield _source(path, analysis, faces, np.median(np.array(centres), 0))


def _talking_heads(settings: Settings, models: ModelManager) -> Iterator[Source]:
    """Clips whose people are known by the part of the frame that each has to himself."""
    for path in (SPEECH / f"{name}.mp4" for name in TALKING_HEADS):
        with path.with_suffix(".speech.csv").open(newline="") as file:
            places = [(row["person"], [float(row[name]) for name in PLACE]) for row in csv.DictReader(file)]
        analysis, _ = analysed(path, settings, models)
        faces: dict[int, Labelled] = defaultdict(list)
        for tracklet in analysis.tracklets:
            for frame, ((_, box),) in _rows_of(tracklet, "").items():
                x, y, seconds = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, analysis.seconds_at(frame)
                for person, (x1, y1, x2, y2, start, end) in places:
                    # Not for a moment around cuts, at which the file may be a frame off.
                    if x1 <= x < x2 and y1 <= y < y2 and start + 0.05 <= seconds < end - 0.05:
                        faces[frame].append((SPEECH_NAMES.get(person, f"speech/{person}"), box))
        yield _source(path, analysis, faces)


def _rows_of(tracklet: Tracklet, person: str) -> dict[int, Labelled]:
    """The frames in which the tracklet's face is seen, some of them, as labels."""
    rows = [row for row in range(0, len(tracklet.frames), EVERY) if tracklet.scores[row] > 0]
    return {int(tracklet.frames[row]): [(person, tracklet.boxes[row].astype(np.float64))] for row in rows}


def _source(
    path: Path, analysis: FaceAnalysis, faces: dict[int, Labelled], looks_at: FloatArray | None = None
) -> Source:
    """looks_at: (2,) px; None for where heads usually are."""
    video = analysis.video
    x, y = (0.5 * video.width, 0.45 * video.height) if looks_at is None else looks_at.tolist()
    rate = float(video.frame_rate)
    return Source(path.stem, path, video.width, video.height, rate, analysis.frame_count, faces, (x, y))


def _family(source: Source) -> str:
    return "speech" if source.path.parent == SPEECH else source.name
