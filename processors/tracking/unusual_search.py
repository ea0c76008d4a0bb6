"""Adds to a search the faces that its detector does not know: tilted and truncated ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.types import ByteArray, Detections, FloatArray
from processors.tracking.change_detector import Cells
from processors.tracking.tilted_face_schedule import TiltedFaceSchedule
from processors.tracking.truncated_face_search import TruncatedFaceSearch

Finishing = Callable[[Cells, Detections, FloatArray, bool], Detections]


class UnusualSearch:
    """Both searches, next to that of a detector. None: such faces are not searched for."""

    def __init__(self, tilted: TiltedFaceSchedule | None, truncated: TruncatedFaceSearch | None) -> None:
        self._tilted = tilted
        self._truncated = truncated

    def start_shot(self) -> None:
        """The next frame may be searched, whatever was searched before."""
        if self._tilted is not None:
            self._tilted.start_shot()

    def begin(self, tick: int, pixels: ByteArray, min_face_px: float, *, everywhere: bool, is_known: bool) -> Finishing:
        """Begin to search the image, (h, w, 3) uint8 RGB; everywhere, is_known: as of `TiltedFaceSchedule.begin`.

        What is returned ends it, and gives all faces. It is given the image's cells, what the detector has found, boxes
        (K, 4) of the known faces, and whether somebody is lost.
        """
        finish_tilted = None
        if self._tilted is not None:
            finish_tilted = self._tilted.begin(tick, pixels, min_face_px, everywhere=everywhere, is_known=is_known)

        def finish(cells: Cells, found: Detections, known: FloatArray, is_lost: bool) -> Detections:
            truncated = self._truncated
            if truncated is not None:
                found = truncated.completed(pixels, found)
            if finish_tilted is not None:
                found = found.joined(finish_tilted(cells, np.concatenate([found.boxes, known]), is_lost))
                if truncated is not None:
                    # A search of everything confirms known faces, too.
                    explained = found.boxes if everywhere else np.concatenate([found.boxes, known])
                    found = found.joined(truncated.find(pixels, min_face_px, explained))
            if truncated is not None and everywhere and len(found) == len(known) == 0:
                found = truncated.find_filling(pixels)
            return found

        return finish
