"""What one pass over a video analyses, and how: the value that all its parts are made from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from config import AnalysisSettings
from core.media.video_part import VideoPart, part_of
from core.types import VideoInfo
from processors.faces.analysis_size import for_active_picture


@dataclass(frozen=True, slots=True)
class PassPlan:
    """One pass over a video, or over the part of it that the settings name.

    settings: with `min_face` as a share of the frame's height. is_overexposed: white has swallowed the faces, so all
    images are darkened; why nobody was found in them as they are is known.
    """

    info: VideoInfo
    settings: AnalysisSettings
    part: VideoPart
    is_overexposed: bool = False

    @classmethod
    def of(cls, info: VideoInfo, settings: AnalysisSettings) -> PassPlan:
        """The first pass over `info`, with the settings of the user.

        Raises:
            DecodeError: the part begins after the end of the video that the header states.
        """
        return cls(info, for_active_picture(settings, info), part_of(info, settings))

    @property
    def frame_rate(self) -> float:
        """Nominal rate, frames per second."""
        return float(self.info.frame_rate)

    def darkened(self) -> PassPlan:
        """The same pass over darkened images."""
        return dataclasses.replace(self, is_overexposed=True)

    def with_repaired_times(self) -> PassPlan:
        """The same pass, with the times of frames repaired from the beginning of the video."""
        return dataclasses.replace(self, info=dataclasses.replace(self.info, has_repaired_times=True))
