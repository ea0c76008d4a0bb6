"""One clip to be made, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from core.types import Clip, ColorInfo, CropPath, FaceAnalysis, IntArray
from processors.clips.constant_rate import Interval, rows_interval
from processors.clips.frame_effects import FrameEffect


@dataclass(frozen=True, slots=True, eq=False)
class ClipSpec:
    """Everything about a clip that is known before it is made.

    path: the camera, a window for each row. file: relative to the video's folder, with forward slashes.
    wanted_pts: (M,) int64, pts of the source frame that each row shows. start_pts, end_pts: the part of the source
        that is shown, in its time base. start_s, end_s: the same in seconds from the first frame of the video.
    interval: of the audio. color: tags of the source. encoder: as ffmpeg names it.
    effects: applied to each cropped frame, in this order. recipe: of `clip_recipe`, "" where nobody asks for it.
    timecode: of the first frame, "" where the source has none.
    """

    path: CropPath
    file: str
    wanted_pts: IntArray
    start_pts: int
    end_pts: int
    start_s: float
    end_s: float
    interval: Interval
    color: ColorInfo
    encoder: str
    effects: tuple[FrameEffect, ...] = ()
    recipe: str = ""
    timecode: str = ""

    @property
    def rows(self) -> int:
        """Frames of the clip."""
        return len(self.wanted_pts)

    def clip(self, *, has_audio: bool, repeated_frames: int = 0, damaged_audio_packets: int = 0) -> Clip:
        """The finished clip."""
        segment, path = self.path.segment, self.path
        return Clip(
            person=segment.person,
            file=self.file,
            shot=segment.shot,
            start=segment.start,
            end=segment.end,
            start_s=self.start_s,
            end_s=self.end_s,
            frames=self.rows,
            width=path.width,
            height=path.height,
            has_sound=has_audio,
            upscaled=round(float(path.height / (path.windows[:, 3] - path.windows[:, 1]).min()), 4),
            repeated_frames=repeated_frames,
            damaged_audio_packets=damaged_audio_packets,
            recipe=self.recipe,
        )


def clip_spec(
    path: CropPath, file: str, analysis: FaceAnalysis, encoder: str, effects: tuple[FrameEffect, ...] = ()
) -> ClipSpec:
    """The clip of `path`. encoder: of `choose_encoder`."""
    start, end = path.segment.start, path.segment.end
    return ClipSpec(
        path=path,
        file=file,
        wanted_pts=analysis.frame_pts[path.source_frames],
        start_pts=int(analysis.frame_pts[start]),
        end_pts=analysis.end_pts(end),
        start_s=round(analysis.seconds_at(start), 6),
        end_s=round(float(analysis.ends_s[end - 1]), 6),
        interval=rows_interval(analysis, start, len(path.source_frames)),
        color=analysis.video.color,
        encoder=encoder,
        effects=effects,
        timecode=analysis.video.timecode_at(analysis.seconds_at(start)),
    )
