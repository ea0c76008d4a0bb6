"""The sound of clips: read once where several people are shown for the same stretch of time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import IO

from core.audio_reader import PcmExcerpt, read_audio
from core.types import VideoInfo
from utils.files import scratch_file

Interval = tuple[Fraction, Fraction]
"""start on the container's clock and duration, seconds"""


@dataclass(slots=True)
class _Shared:
    reading: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0
    files: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    file: IO[bytes] | None = None
    excerpt: PcmExcerpt | None = None


class ClipSounds:
    """Raw PCM of intervals of one video, in files that live while somebody uses them; a context manager.

    From the cut before them to the cut after them is where people are shown most often, so their clips begin and
    end together. Any thread may ask.
    """

    def __init__(self, video: VideoInfo, folder: Path) -> None:
        """folder: where the files are made."""
        self._video = video
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
    def read(self, interval: Interval, stop: threading.Event) -> Iterator[tuple[Path, PcmExcerpt] | None]:
        """The file of an expected interval, complete, and what it holds; None where the video has no sound.

        Raises:
            DecodeError: the video cannot be opened any more.
            InterruptedRunError: `stop` was set meanwhile.
            OSError: the file cannot be written.
        """
        shared = self._shared[interval]
        try:
            with shared.reading:
                if shared.file is None:
                    file = shared.files.enter_context(scratch_file(self._folder, suffix=".pcm"))
                    shared.excerpt = read_audio(self._video, *interval, file, stop=stop)
                    file.flush()
                    shared.file = file
            yield None if shared.excerpt is None else (Path(shared.file.name), shared.excerpt)
        finally:
            with self._lock:
                shared.users -= 1
                last = shared.users == 0
            if last:
                shared.files.close()
