"""What all threads that make the clips of one video share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from config import EncodeSettings
from core.errors import InterruptedRunError
from core.types import Clip, VideoInfo
from processors.clips.encoder_slots import EncoderSlots
from processors.clips.shared_audio import SharedAudio


@dataclass(frozen=True, slots=True)
class RenderContext:
    """Shared by the render workers of one video and their clips.

    folder: the video's output folder. decode_threads: of each worker. completed: called by a clip's thread when its
    file is complete. advanced: called by it with the number of frames that it has just encoded. stop: the run is to
    end. failed: set when the other workers have to leave because one has failed.
    """

    video: VideoInfo
    folder: Path
    settings: EncodeSettings
    audio: SharedAudio
    slots: EncoderSlots
    decode_threads: int
    completed: Callable[[Clip], None]
    advanced: Callable[[int], None]
    stop: threading.Event
    failed: threading.Event = field(default_factory=threading.Event)

    def leave_if_stopped(self) -> None:
        """Raise InterruptedRunError if the run is to end or another worker has failed."""
        if self.stop.is_set() or self.failed.is_set():
            raise InterruptedRunError("stopped while rendering", stage="render")
