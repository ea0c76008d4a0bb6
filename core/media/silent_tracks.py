"""Audio tracks without any sound: recorders' inputs to which nothing was connected, tracks declared and never written.

They often come first, so that clips would be silent although another track has the audio.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Collection
from typing import Any, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer

_PLACES = 16
"""evenly spread over the file; a track is silent if nothing is heard at any of them"""
_PLACE_S, _PLACE_PACKETS = 1.0, 400
"""how much is read at each place: seconds, and packets of all tracks together"""
_AUDIBLE = 1e-4
"""of full scale, -80 dB: above the rounding of codecs, below the noise of any microphone"""
_SAMPLE_TYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
"""numpy's names of libav's sample formats, in the byte order of the machine"""


def silent_tracks(container: InputContainer, tracks: Collection[int]) -> list[int]:
    """Those of `tracks` (stream indexes) in which nothing is heard; [] if that is true of all, or not known.

    The container's read position is undefined afterwards. Files of unknown length are not searched.
    """
    duration_s = (container.duration or 0) / av.time_base
    if duration_s <= 0:
        return []
    first_s = (container.start_time or 0) / av.time_base
    streams = [s for s in container.streams if isinstance(s, AudioStream) and s.index in tracks]
    unheard = set(tracks)
    places = max(1, min(_PLACES, int(duration_s / _PLACE_S)))
    for place in range(places):
        # Errors in reading end what is read at one place; IndexError: a stream that appears in mid-file.
        with contextlib.suppress(av.FFmpegError, OSError, ValueError, IndexError):
            start_s = first_s + duration_s * place / places
            container.seek(int(start_s * av.time_base))
            _listen(container, [s for s in streams if s.index in unheard], start_s + _PLACE_S, unheard)
        if not unheard:
            return []
    return sorted(unheard) if len(unheard) < len(streams) else []


def _listen(container: InputContainer, streams: list[AudioStream], end_s: float, unheard: set[int]) -> None:
    """Remove from `unheard` the streams that are heard from the read position on until `end_s`."""
    open_streams = {stream.index for stream in streams}
    for packet in itertools.islice(container.demux(streams), _PLACE_PACKETS):
        index = packet.stream.index
        if packet.pts is not None and packet.time_base is not None and packet.pts * packet.time_base > end_s:
            open_streams.discard(index)
        elif index in unheard:
            with contextlib.suppress(av.FFmpegError, ValueError):
                if any(_is_audible(frame) for frame in packet.decode() if isinstance(frame, av.AudioFrame)):
                    unheard.discard(index)
        if not open_streams & unheard:
            return


def _is_audible(frame: av.AudioFrame) -> bool:
    kind = _SAMPLE_TYPES.get(frame.format.name.removesuffix("p"))
    if kind is None:
        return True
    dtype = np.dtype(kind)
    count = frame.samples if frame.format.is_planar else frame.samples * frame.layout.nb_channels
    for plane in frame.planes:
        # The rest of the plane is padding.
        samples = np.frombuffer(cast(Any, plane), dtype, count).astype(np.float64)
        if dtype.kind == "u":
            samples -= 128
        scale = 1.0 if dtype.kind == "f" else 2.0 ** (8 * dtype.itemsize - 1)
        if samples.size and np.abs(samples).max() > _AUDIBLE * scale:
            return True
    return False
