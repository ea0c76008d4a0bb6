"""What was found, in the formats of other programs: researchers' (MOT, COCO), players' (WebVTT), editors' (OTIO, EDL).

One module for each format. Times and frames are counted from the video's first frame, boxes are in
source pixels as displayed, people are those of the timeline; nobody-for-sure is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.types import FaceAnalysis, Timeline
from processors.extras.exporters.coco import write_coco
from processors.extras.exporters.edl import write_edl
from processors.extras.exporters.mot import write_mot
from processors.extras.exporters.otio import write_otio
from processors.extras.exporters.vtt import write_vtt

Exporter = Callable[[Path, FaceAnalysis, Timeline], tuple[str, ...]]
"""(folder, analysis, timeline) -> files written, relative to `folder`; OSError where that fails"""

EXPORTERS: dict[str, Exporter] = {
    "mot": write_mot,
    "coco": write_coco,
    "vtt": write_vtt,
    "otio": write_otio,
    "edl": write_edl,
}
