"""The seam between crop and encoder: effects that change the frames of a clip, such as an overlay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from utils.images.box_geometry import Window
from utils.images.plane_crops import Planes


class FrameEffect(Protocol):
    """Changes each frame of one clip after it is cropped and before it is encoded."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """Everything that the effect's output depends on beside its inputs, as JSON can hold it.

        A clip of an interrupted run is only reused if the facts of its effects are the same.
        """

    def apply(self, planes: Planes, window: Window, frame_index: int) -> Planes:
        """The changed frame, of the same size; `planes` may be changed in place.

        planes: Y (H, W), U and V (H/2, W/2) uint8, C-contiguous, of the clip. window: the part of the source that
        they show, xyxy in display px. frame_index: number of the source frame of this row. Called by the clip's
        thread in the order of its rows; the output must depend on nothing but these arguments and `facts`.
        """
