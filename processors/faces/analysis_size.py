"""The size of the images that are analysed, from the smallest face that is wanted."""

from __future__ import annotations

import contextlib
import logging
import math

import msgspec

from config import AnalysisSettings
from core.media.key_frames import read_key_frames
from core.types import PixelBox, VideoInfo
from processors.shots.active_picture import active_picture, frame_sample
from processors.shots.bar_edges import BarEdges, find_bar_edges
from processors.shots.blurred_copy import common_picture, inside

logger = logging.getLogger(__name__)

SMALLEST_FACE_PX = 24
"""height at which the smallest wanted face is analysed; R-Net and O-Net would see nothing more in larger images"""

KEY_FRAMES = 5
"""frames in which black bars and blurred copies are looked for before the analysis, whose image size depends on them"""


def analysis_size(width: int, height: int, min_face: float) -> tuple[int, int]:
    """Width and height at which frames are analysed: the smallest wanted face is 24 px high; never enlarged."""
    scale = min(1.0, SMALLEST_FACE_PX / (min_face * height))
    return max(16, min(2 * math.ceil(width * scale / 2), width)), max(16, round(height * scale))


def for_active_picture(settings: AnalysisSettings, info: VideoInfo) -> AnalysisSettings:
    """The settings with `min_face` as a share of the frame's height, not of the active picture's."""
    size = info.width, info.height
    bars: list[BarEdges] = []
    pictures: list[PixelBox | None] = []
    with contextlib.closing(read_key_frames(info, KEY_FRAMES, settings.part)) as frames:
        for frame in frames:
            edges = find_bar_edges(frame.planes()[0], frame.placed)
            if edges is not None:
                bars.append(edges)
                pictures.append(frame_sample(frame, edges).picture)
                if edges.black[:2] == (0, 0) and not _is_lower(pictures[-1], info.height):
                    return settings
    active = active_picture(bars, size) or (0, 0, *size)
    # Many videos have a single key frame, therefore the first one needs no other.
    picture = common_picture(pictures, [one for one in pictures[:1] if one is not None])
    _, top, _, bottom = active if picture is None else inside(picture, active)
    if bottom - top == info.height:
        return settings
    logger.debug("%s: the active picture is %d of %d px high", info.path.name, bottom - top, info.height)
    return msgspec.structs.replace(settings, min_face=settings.min_face * (bottom - top) / info.height)


def _is_lower(picture: PixelBox | None, height: int) -> bool:
    return picture is not None and picture[3] - picture[1] < height
