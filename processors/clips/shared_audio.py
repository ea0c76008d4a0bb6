"""The audio of clips: read and encoded once for all clips of the same interval."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from core.media.aac_encoder import encode_aac
from core.media.audio_reader import PcmExcerpt
from core.media.encoder_command import ClipAudio
from core.types import FaceAnalysis
from processors.clips.constant_rate import Interval, read_interval_audio
from utils.files import scratch_file

_ENCODED_AHEAD_S = 30
"""Longer audio is encoded by the clip's own encoder, while frames arrive instead of before. The limit is on the length
only, because the bytes of a clip must not depend on who else is shown."""


@dataclass(slots=True)
class _Entry:
    """The audio of one interval. users: requests whose `read` has not ended."""

    reading: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0
    files: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    is_made: bool = False
    audio: tuple[ClipAudio, PcmExcerpt] | None = None


class SharedAudio:
    """The audio of intervals of one video, in temporary files that exist while they are used; a context manager.

    People are mostly shown from cut to cut, so the clips of several people often have the same interval. Every
    request must be made before the first `read`; any thread may read.
    """

    def __init__(self, analysis: FaceAnalysis, folder: Path, kbps: int) -> None:
        """folder: where the files are made. kbps: bit rate of audio that is encoded here, kbit/s."""
        self._analysis = analysis
        self._kbps = kbps
        self._folder = folder
        self._lock = threading.Lock()
        self._entries: dict[Interval, _Entry] = {}

    def __enter__(self) -> SharedAudio:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for entry in self._entries.values():
            entry.files.close()

    def request(self, interval: Interval) -> None:
        """Announce one `read` of this interval."""
        self._entries.setdefault(interval, _Entry()).users += 1

    @contextlib.contextmanager
    def read(self, interval: Interval, stop: threading.Event) -> Iterator[tuple[ClipAudio, PcmExcerpt] | None]:
        """The complete file of a requested interval and what it holds; None if the video has no audio.

        Raises:
            DecodeError: the video cannot be opened any more.
            InterruptedRunError: `stop` was set.
            OSError: the file cannot be written.
        """
        entry = self._entries[interval]
        try:
            with entry.reading:
                if not entry.is_made:
                    entry.audio = self._make(entry.files, interval, stop)
                    entry.is_made = True
            yield entry.audio
        finally:
            with self._lock:
                entry.users -= 1
                last = entry.users == 0
            if last:
                entry.files.close()

    def _make(
        self, files: contextlib.ExitStack, interval: Interval, stop: threading.Event
    ) -> tuple[ClipAudio, PcmExcerpt] | None:
        encoded = interval.duration_s <= _ENCODED_AHEAD_S
        file = files.enter_context(scratch_file(self._folder, suffix=".mp4" if encoded else ".pcm"))
        pcm = io.BytesIO() if encoded else file
        excerpt = read_interval_audio(self._analysis, interval, pcm, stop)
        if excerpt is None:
            return None
        if isinstance(pcm, io.BytesIO):
            file.write(encode_aac(pcm.getvalue(), excerpt.format, self._kbps))
        file.flush()
        return (Path(file.name), None if encoded else excerpt.format), excerpt
