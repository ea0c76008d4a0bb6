"""Describes generated videos: scenes with actors.

Positions are shares of the displayed frame: (0, 0) is its top left corner, (1, 1) its bottom right corner.
Heights are shares of the frame height. Frames within a scene count from 0 and may be fractional
(motion blur samples between them). Angles are degrees clockwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tests.material.synthetic.portraits import Portrait

TICKS_PER_FRAME = 100
"""resolution of frame times: the time base is 1 / (frame rate * this)"""

Background = Literal["studio", "library", "night", "garden"]
TransitionKind = Literal["cut", "dissolve", "fade"]


@dataclass(frozen=True, slots=True)
class Key:
    """Where something is at one frame of its scene: centre, height and turn of a face or an occluder."""

    frame: int
    x: float
    y: float
    height: float
    angle: float = 0.0


@dataclass(frozen=True, slots=True)
class Pose:
    """Interpolated values between two keys, in display pixels and degrees."""

    x: float
    y: float
    height: float
    angle: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """Keys and how to go from one to the next.

    ease: rest at every key (smoothstep) instead of passing it at constant speed.
    sway: amplitude of a slow, aperiodic to and fro, as a share of the height; 0 stands perfectly still.
    """

    keys: tuple[Key, ...]
    ease: bool = True
    sway: float = 0.0

    def __post_init__(self) -> None:
        frames = [key.frame for key in self.keys]
        if not frames or frames != sorted(set(frames)):
            raise ValueError(f"keys must have increasing frames: {frames}")

    def at(self, frame: float, width: int, height: int) -> Pose:
        """The pose at `frame` in a frame of `width` x `height` px; constant before the first and after the last key."""
        after = next((i for i, key in enumerate(self.keys) if key.frame > frame), len(self.keys))
        a, b = self.keys[max(after - 1, 0)], self.keys[min(after, len(self.keys) - 1)]
        part = (frame - a.frame) / (b.frame - a.frame) if b.frame > a.frame and frame > a.frame else 0.0
        if self.ease:
            part = part * part * (3 - 2 * part)
        x, y, h, angle = (
            float(p + (q - p) * part)
            for p, q in zip((a.x, a.y, a.height, a.angle), (b.x, b.y, b.height, b.angle), strict=True)
        )
        swing = self.sway * h * height
        return Pose(
            x * width + swing * float(np.sin(frame / 9.1) + 0.5 * np.sin(frame / 3.7 + 1)),
            y * height + 0.5 * swing * float(np.sin(frame / 6.3 + 2)),
            h * height,
            angle + 25 * self.sway * float(np.sin(frame / 11.3)),
        )


@dataclass(frozen=True, slots=True)
class Actor:
    """A moving person, shown during [start, end) of the scene (None: to its end).

    motion_blur: exposure time as a share of the frame duration; 0 is sharp.
    """

    portrait: Portrait
    motion: Motion
    start: int = 0
    end: int | None = None
    mirrored: bool = False
    motion_blur: float = 0.0

    def present(self, frame: float) -> bool:
        return self.start <= frame and (self.end is None or frame < self.end)


@dataclass(frozen=True, slots=True)
class Occluder:
    """A board that passes in front of all actors; `aspect` is its width divided by its height."""

    motion: Motion
    aspect: float = 0.5
    start: int = 0
    end: int | None = None

    def present(self, frame: float) -> bool:
        return self.start <= frame and (self.end is None or frame < self.end)


@dataclass(frozen=True, slots=True)
class Flash:
    """A camera flash: `strength` of white at `frame`, half of the rest at each of the following `length` - 1."""

    frame: int
    strength: float = 0.9
    length: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One shot of `length` frames.

    actors: the later ones stand in front. desk: upper edge of a table in front of the actors (share of the
    height), None for no table. pan, zoom: how far the background moves over the scene (shares of the width
    and the height) and how much it grows. grain: standard deviation of the noise, grey levels. exposure:
    (frame, gain) steps, each valid until the next. transition: how it begins; "dissolve" and "fade" (through
    black) take the first `transition_frames` frames of this scene, the fade as many at the previous one's end too.
    voice_hz: pitch of a speech-like tone, 0 for silence. beeps: frames at which a beep of 40 ms starts.
    """

    length: int
    actors: tuple[Actor, ...] = ()
    occluders: tuple[Occluder, ...] = ()
    background: Background = "studio"
    seed: int = 0
    desk: float | None = None
    pan: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0
    grain: float = 0.0
    exposure: tuple[tuple[int, float], ...] = ()
    flashes: tuple[Flash, ...] = ()
    transition: TransitionKind = "cut"
    transition_frames: int = 0
    voice_hz: float = 0.0
    beeps: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.length < 1 or not 0 <= self.transition_frames <= self.length:
            raise ValueError(f"length {self.length}, transition_frames {self.transition_frames}")
        if (self.transition == "cut") != (self.transition_frames == 0):
            raise ValueError(f"a {self.transition} of {self.transition_frames} frames")

    def gain(self, frame: int) -> float:
        """Brightness factor at `frame`."""
        return next((gain for start, gain in reversed(self.exposure) if frame >= start), 1.0)

    def flash(self, frame: int) -> float:
        """Share of white at `frame`, 0 to 1."""
        return max(
            (f.strength * 0.5 ** (frame - f.frame) for f in self.flashes if 0 <= frame - f.frame < f.length),
            default=0.0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """Scenes in a row and the kind of file they go into.

    width, height: displayed size, px. durations: how long the frames are shown, in nominal frames, repeated
    over the video; () is constant rate. first_frame: time of the first frame, in nominal frames; the audio
    starts with it. rotation: degrees clockwise by which a player has to rotate the stored frames (0, 90, 180, 270).
    sample_aspect_ratio: of the stored pixels; the stored width is the displayed one divided by it.
    """

    scenes: tuple[Scene, ...]
    width: int = 640
    height: int = 360
    frame_rate: Fraction = Fraction(25)
    durations: tuple[float, ...] = ()
    first_frame: float = 0.0
    rotation: int = 0
    sample_aspect_ratio: Fraction = Fraction(1)
    audio: bool = False
    crf: int = 23
    preset: str = "veryfast"

    def __post_init__(self) -> None:
        if not self.scenes or self.scenes[0].transition == "dissolve":
            raise ValueError("a film has scenes, and the first cannot dissolve from another")
        if self.rotation not in (0, 90, 180, 270) or self.width % 2 or self.height % 2:
            raise ValueError(f"rotation {self.rotation}, size {self.width}x{self.height}")

    @property
    def frame_count(self) -> int:
        return sum(scene.length for scene in self.scenes)

    @property
    def starts(self) -> tuple[int, ...]:
        """First frame of every scene."""
        return tuple(int(n) for n in np.cumsum([0, *(scene.length for scene in self.scenes[:-1])]))

    @property
    def time_base(self) -> Fraction:
        return 1 / (self.frame_rate * TICKS_PER_FRAME)

    @property
    def pts(self) -> NDArray[np.int64]:
        """(frame_count + 1,) int64 in `time_base`: when every frame begins, and when the last one ends."""
        pattern = np.array(self.durations or (1.0,))
        durations = np.resize(pattern, self.frame_count)
        times = self.first_frame + np.concatenate([[0.0], np.cumsum(durations)])
        return np.round(times * TICKS_PER_FRAME).astype(np.int64)

    def locate(self, frame: int) -> tuple[int, int]:
        """Index of the scene that contains `frame`, and the frame number within the scene."""
        index = int(np.searchsorted(self.starts, frame, side="right")) - 1
        return index, frame - self.starts[index]
