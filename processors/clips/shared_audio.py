"""The sound of clips: read and encoded once where several people are shown for the same stretch of time."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType

from core.media.aac_encoder import encode_aac
from core.media.audio_reader import PcmExcerpt, read_audio
from core.media.clip_writer import ClipSound
from core.types import VideoInfo
from utils.files import scratch_file

Interval = tuple[Fraction, Fraction]
"""start on the container's clock and duration, seconds"""

_ENCODED_AHEAD_S = 30
"""longer sound is left to the clip's own encoder, which works while pictures come instead of before. A matter of the
length alone: the bytes of a clip must not depend on who else is shown"""


@dataclass(slots=True)
class _Shared:
    reading: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0
    files: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    is_made: bool = False
    sound: tuple[ClipSound, PcmExcerpt] | None = None


class ClipSounds:
    """The sound of intervals of one video, in files that live while somebody uses them; a context manager.

    From the cut before them to the cut after them is where people are shown most often, so their clips begin and
    end together. Any thread may ask.
    """

    def __init__(self, video: VideoInfo, folder: Path, kbps: int, clock_shifts: Sequence[int] = ()) -> None:
        """folder: where the files are made. kbps: what short sounds are encoded with. clock_shifts: the analysis's."""
        self._video = video
        self._clock_shifts = clock_shifts
        self._kbps = kbps
        self._folder = folder
        self._lock = threading.Lock()
        self._shared: dict[Interval, _Shared] = {}

    def __enter__(self) -> ClipSounds:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for shared in self._shared.values():
            shared.files.close()

    def expect(self, interval: Interval) -> None:
        """One more `read` of this interval will come."""
        self._shared.setdefault(interval, _Shared()).users += 1

    @contextlib.contextmanager
    def read(self, interval: Interval, stop: threading.Event) -> Iterator[tuple[ClipSound, PcmExcerpt] | None]:
        """The file of an expected interval, complete, and what it holds; None where the video has no sound.

        Raises:
            DecodeError: the video cannot be opened any more.
            InterruptedRunError: `stop` was set meanwhile.
            OSError: the file cannot be written.
        """
        shared = self._shared[interval]
        try:
            with shared.reading:
                if not shared.is_made:
                    shared.sound = self._make(shared.files, interval, stop)
                    shared.is_made = True
            yield shared.sound
        finally:
            with self._lock:
                shared.users -= 1
                last = shared.users == 0
            if last:
                shared.files.close()

    def _make(
        self, files: contextlib.ExitStack, interval: Interval, stop: threading.Event
    ) -> tuple[ClipSound, PcmExcerpt] | None:
        encoded = interval[1] <= _ENCODED_AHEAD_S
        file = files.enter_context(scratch_file(self._folder, suffix=".mp4" if encoded else ".pcm"))
        pcm = io.BytesIO() if encoded else file
        excerpt = read_audio(self._video, *interval, pcm, clock_shifts=self._clock_shifts, stop=stop)
        if excerpt is None:
            return None
        if isinstance(pcm, io.BytesIO):
            file.write(encode_aac(pcm.getvalue(), excerpt.format, self._kbps))
        file.flush()
        return (Path(file.name), None if encoded else excerpt.format), excerpt
