"""What is written beside the clips on demand: preview, reels, exports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from config import Settings
from core.types import Clip, FaceAnalysis, Timeline
from processors.extras.exporters import EXPORTERS
from processors.results.result_pictures import ranked_faces
from utils.stage_monitor import StageMonitor


def write_extras(
    names: Iterable[str],
    folder: Path,
    analysis: FaceAnalysis,
    timeline: Timeline,
    clips: Sequence[Clip],
    settings: Settings,
    monitor: StageMonitor,
) -> dict[str, tuple[str, ...]]:
    """Write the extras `names`, of `OutputSettings.extras`, into `folder`, which holds the clips.

    Returns the files of each, relative to `folder`, by its name.

    Raises:
        DecodeError, EncodeError, OutputError: a film cannot be made. ToolMissingError: a library is not there.
        OSError: a file cannot be written.
        InterruptedRunError: the monitor's `stop` was set.
    """
    written: dict[str, tuple[str, ...]] = {}
    for name in sorted(names):
        # What draws text takes 30 ms to import.
        if name == "preview":
            from processors.extras.preview_renderer import write_preview

            written[name] = write_preview(folder, analysis, timeline, settings.encode, monitor)
        elif name == "reel":
            from processors.extras.reel_maker import write_reels

            faces = ranked_faces(analysis, timeline)
            written[name] = write_reels(folder, clips, faces, analysis.video.frame_rate, settings.encode, monitor)
        else:
            written[name] = EXPORTERS[name](folder, analysis, timeline)
    return written
