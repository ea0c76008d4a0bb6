"""What probing found out about an input file. Exported by `core.types`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from utils.time_formats import timecode

IS_SILENT = "is silent"
"""value of `AudioInfo.fault`: a track without any sound beside one that has some"""


@dataclass(frozen=True, slots=True)
class ColorInfo:
    """Colour tags of the source as ffmpeg names them, "" where the source has none."""

    primaries: str = ""
    transfer: str = ""
    matrix: str = ""
    range: str = ""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """One audio track."""

    index: int  # stream index in the container
    codec: str
    sample_rate_hz: int
    channels: int
    start_s: float
    """time of its first sample on the container's clock, seconds, as the header states it"""
    language: str = ""
    default: bool = False
    layout: str = ""
    """libav's name of the channel layout, or the channel labels joined by "+"; "" where unknown"""
    late: bool = False
    """it begins so late that it is only found if the file is opened with a longer probe"""
    fault: str = ""
    """why it is not used: at all ("cannot be decoded"), or unless it is chosen (`IS_SILENT`); "" if nothing is wrong"""

    @property
    def is_decodable(self) -> bool:
        """Whether clips can have this track; a silent one counts."""
        return self.fault in ("", IS_SILENT)


@dataclass(frozen=True, slots=True)
class SourceTimecode:
    """The timecode of a video's first frame, as the camera or an earlier edit has recorded it.

    start: number of that frame, counted from 00:00:00:00. base: frames that a second of timecode counts: 30 at 29.97.
    drop_frame: see `utils.time_formats.timecode`.
    """

    start: int
    base: int
    drop_frame: bool = False

    def label(self, frame: int = 0) -> str:
        """Timecode of frame number `frame` of the video: "01:00:00:00", with ";" before the frames in drop-frame."""
        return timecode(self.start + frame, self.base, drop_frame=self.drop_frame)


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What probing found out about one input. Values marked (estimate) come from the header."""

    path: Path
    container: str
    """name of the demuxer, which is enforced whenever the file is opened again"""
    stream_index: int
    codec: str
    pixel_format: str
    coded_width: int
    coded_height: int
    width: int
    """displayed width, px: rotation applied, square pixels"""
    height: int
    """displayed height, px"""
    rotation: int
    """degrees by which the stored frame is turned clockwise for display: 0, 90, 180 or 270; `turn` is part of it"""
    sample_aspect_ratio: Fraction
    time_base: Fraction
    frame_rate: Fraction
    """nominal rate, frames per second; in the video of an analysis, which has seen all frames: the rate of the clips"""
    start_pts: int
    """pts of the first frame (estimate)"""
    duration_s: float
    """(estimate), 0.0 where unknown"""
    frame_count: int
    """(estimate), 0 where unknown; for progress only"""
    interlaced: bool
    color: ColorInfo
    audio: tuple[AudioInfo, ...]
    size_bytes: int
    frame_interval: int = 0
    """ticks from one frame to the next where the file has no times; 0: according to `frame_rate`"""
    has_repaired_times: bool = False
    """the frames' times were repaired, which depends on the frames before: reading must start at the beginning"""

    video_number: int = 1
    """of the stream among the `video_streams` that show moving frames, from 1"""
    video_streams: int = 1
    chosen_audio: int | None = None
    """stream index of the audio track that the user chose; None: nobody did"""

    turn: int = 0
    """degrees by which the image is turned clockwise from how players show the file; see `turned`"""

    timecode: SourceTimecode | None = None
    """read by `core.media.timecode_reader` when results are written; None before, and where the file has none"""

    @property
    def default_audio(self) -> AudioInfo | None:
        """The track that is heard: the chosen one, or the usable one that a player would choose.

        Players choose the first one flagged default, else the first.
        """
        if self.chosen_audio is not None:
            return next((track for track in self.audio if track.index == self.chosen_audio), None)
        return _first_choice([a for a in self.audio if not a.fault])

    @property
    def unheard_audio(self) -> AudioInfo | None:
        """The track that would be chosen over `default_audio` if it were usable; None where there is none."""
        chosen = None if self.chosen_audio is not None else _first_choice(self.audio)
        return chosen if chosen is not None and chosen.fault else None

    @property
    def player_size(self) -> tuple[int, int]:
        """Width and height at which players show the file, without `turn`, px."""
        return (self.height, self.width) if self.turn in (90, 270) else (self.width, self.height)

    def turned(self, degrees: int) -> VideoInfo:
        """The same video with its image turned by `degrees` clockwise from how players show it, as if it said so.

        Raises:
            ValueError: `degrees` is not 0, 90, 180 or 270.
        """
        if degrees not in (0, 90, 180, 270):
            raise ValueError(f"an image cannot be turned by {degrees} degrees")
        if degrees == self.turn:
            return self
        width, height = self.player_size
        if degrees in (90, 270):
            width, height = height, width
        rotation = (self.rotation - self.turn + degrees) % 360
        return replace(self, width=width, height=height, rotation=rotation, turn=degrees)

    def seconds(self, pts: int) -> float:
        """Time of `pts` in seconds on the container's clock."""
        return float(pts * self.time_base)

    def timecode_at(self, seconds: float) -> str:
        """Timecode of what is shown `seconds` after the first frame; "" where the file has none."""
        return "" if self.timecode is None else self.timecode.label(round(seconds * float(self.frame_rate)))


def _first_choice(tracks: Sequence[AudioInfo]) -> AudioInfo | None:
    return next((a for a in tracks if a.default), tracks[0] if tracks else None)
