"""Presentation times of decoded frames, repaired where they are missing, wrong or restart."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import av
from av.video.stream import VideoStream

from core.media.clock_repair import ClockRepair, TimeFault, clock_limits, repaired
from core.media.decode_order import DecodeOrder
from core.types import VideoInfo

_PTS_LIMIT = 2**60
"""times beyond are damage; sums with them must still fit into 64 bits"""
_DISORDER_WINDOW, _MAX_DISORDER = 16, 1
"""with more than `_MAX_DISORDER` of this many consecutive frames half an interval or more too early, the presentation
times are distrusted until a whole window is in order again. An MP4 with a missing or wrong `ctts` table has one such
frame per group of B-frames"""


class FrameClock:
    """Gives frames pts that exist and increase.

    Attributes:
        repaired_pts: frames whose time was missing or not after that of the frame before, and was replaced.
        reordered_pts: those of them that were timed by decoding order because the file's times are out of order.
        clock_shifts: what was added to the file's times after each restart of its clock, in ticks of the stream's
            time base.
    """

    def __init__(self, info: VideoInfo) -> None:
        self._info = info
        self._interval = info.frame_interval or max(1, round(1 / (info.frame_rate * info.time_base)))
        self._reset, self._hole = clock_limits(info.time_base)
        self._decoding_order = _DecodingOrder(self._interval, self._hole)
        self._packet_times = DecodeOrder(info)
        self.repaired_pts = 0
        self.reordered_pts = 0
        self.clock_shifts: list[int] = []

    def add_packet(self, packet: av.Packet[VideoStream]) -> None:
        """To be called with each packet that goes into the decoder."""
        self._decoding_order.add(packet.dts)
        self._packet_times.add(packet)

    def stored_pts(self, frame: av.VideoFrame) -> int | None:
        """The time in the file; None where there is none or it is absurd."""
        return None if frame.pts is None or abs(frame.pts) > _PTS_LIMIT else frame.pts

    def timed(self, frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """The same frames with pts that exist and increase; only one such iterator may be in use."""
        self._decoding_order = _DecodingOrder(self._interval, self._hole)
        self._packet_times = DecodeOrder(self._info)
        clock = ClockRepair(self._reset, self._hole, self._interval, start=self._info.start_pts)
        recent: deque[bool] = deque(maxlen=_DISORDER_WINDOW)
        is_disordered = False
        least_step = max(1, self._interval // 2)
        last: int | None = None
        for frame, step in repaired(self._packet_times.timed(frames), self.stored_pts, clock):
            pts, stored = step.pts, self.stored_pts(frame)
            assert pts is not None  # the clock has an interval
            if step.fault is TimeFault.NEW_CLOCK:
                self.clock_shifts.append(step.shift)
            is_early = (
                step.fault is TimeFault.DISORDER and stored is not None and stored + step.shift <= pts - least_step
            )
            recent.append(is_early)
            is_disordered = sum(recent) > _MAX_DISORDER or (is_disordered and any(recent))
            due = self._decoding_order.next_time(pts if last is None or not any(recent) else None)
            if is_disordered:
                pts = due
                self.reordered_pts += 1
            if last is not None and (is_disordered or pts <= last):
                # The times before the disorder was noticed may be ahead: half intervals let the clock catch up.
                pts = max(pts, last + least_step)
            self.repaired_pts += is_disordered or step.fault is not None
            frame.pts = last = pts
            yield frame


class _DecodingOrder:
    """Times by decoding order: decoders emit frames in presentation order, so frame n is due when packet n is.

    Damage costs accuracy: a packet without a frame moves the frames after it to earlier times.
    """

    def __init__(self, interval: int, hole: int) -> None:
        """interval: of frames whose decoding time is missing or does not increase. hole: longest plausible step."""
        self._interval = interval
        self._hole = hole
        self._pending: deque[int | None] = deque()
        self._last_dts: int | None = None
        self._time: int | None = None
        self._differing = 0

    def add(self, dts: int | None) -> None:
        self._pending.append(dts)

    def next_time(self, known: int | None) -> int:
        """When the next frame is due, ticks. known: its time if nothing speaks against it; later ones count from it.

        A known time that differs by more than half an interval only counts after a whole window of them: of frames out
        of order, the first one seems to come after a leap.
        """
        dts = self._pending.popleft() if self._pending else None
        step = 0 if dts is None or self._last_dts is None else dts - self._last_dts
        self._last_dts = dts
        if self._time is None:
            self._time = known or 0
            return self._time
        self._time += step if 0 < step <= self._hole else self._interval
        if known is not None:
            self._differing = self._differing + 1 if 2 * abs(known - self._time) > self._interval else 0
            if self._differing in (0, _DISORDER_WINDOW):
                self._time, self._differing = known, 0
        return self._time
