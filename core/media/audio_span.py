"""Audio that lies wholly before or after the frames, as in carelessly cut or joined files: clips would be silent."""

from __future__ import annotations

import contextlib

import av
from av.audio.stream import AudioStream

from core.media.media_input import demux, open_input
from core.types import VideoInfo

BEFORE, BEHIND, AROUND = "before the first frame", "behind the last frame", "before and behind the frames"
"""where all audio is if none is heard with the frames"""

_PROOF_PACKETS = 50
"""packets behind the frames after which no earlier ones are expected: one wrong time must not decide"""


def audio_outside_frames(info: VideoInfo, start_s: float, end_s: float) -> str:
    """Where the audio that clips use is: `BEFORE`, `BEHIND` or `AROUND`; "" if some of it is within the frames.

    start_s, end_s: start of the first frame and end of the last, s on the container's clock. "" as well if there is no
    audio, or none that can be read. Usually a few packets are read; all of them if the audio ends first.
    """
    audio = info.default_audio
    if audio is None:
        return ""
    is_before, behind = False, 0
    with (
        contextlib.suppress(av.FFmpegError, OSError, ValueError, IndexError),
        open_input(info.path, info.container, long_probe=audio.late) as container,
    ):
        stream = container.streams[audio.index]
        if not isinstance(stream, AudioStream):
            return ""
        for packet in demux(container, stream):
            if not packet.size or packet.is_discard:
                continue
            if packet.pts is None or packet.time_base is None:
                return ""
            packet_s = float(packet.pts * packet.time_base)
            packet_end_s = packet_s + float((packet.duration or 0) * packet.time_base)
            if packet_s >= end_s:
                behind += 1
                if behind == _PROOF_PACKETS:
                    break
            elif packet_end_s > start_s:
                return ""
            else:
                is_before = True
    return {(True, False): BEFORE, (False, True): BEHIND, (True, True): AROUND}.get((is_before, behind > 0), "")
