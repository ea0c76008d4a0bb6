"""Normalising frames: deinterlaced, upright, square pixels, SDR, 8-bit yuv420p.

Upright is what the container says, turned further by `VideoInfo.turn`.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, cast

import av
import av.filter
from av.sidedata.sidedata import Type as SideDataType

from core.media.frame_shape import FramePlacement, placed_inside, shown_size
from core.media.side_data import side_data
from core.media.tone_map_filter import hdr_transfer, peak_nits, table_file
from core.types import PixelBox, VideoInfo

_ORDINARY_FORMATS = ("yuv420p", "yuvj420p")
_DEVICE_FORMATS = ("nv12", "p010le")
"""their counterparts in the memory of a GPU, which `core.media.device_frame` takes as they are"""
ON_DEVICE = "cuda"
"""pixel format of frames in the memory of a GPU; `sw_format` says what lies there"""
_ROTATIONS: dict[int, tuple[str, ...]] = {
    0: (),
    90: ("transpose=clock",),
    180: ("hflip", "vflip"),
    270: ("transpose=cclock",),
}
_BUFFER_RANGE = {1: "tv", 2: "pc"}
_TV_MATRICES = ("bt709", "fcc", "smpte240m", "bt2020nc", "bt2020c")


def orientation(frame: av.VideoFrame) -> tuple[int, bool]:
    """(degrees clockwise, mirrored): a frame is shown upright by mirroring it left-right, then rotating it.

    Rotations that are no multiple of 90 degrees and invalid matrices count as none.
    """
    matrix = side_data(frame, SideDataType.DISPLAYMATRIX)
    if matrix is None or len(matrix) < 36:
        return 0, False
    # Rows a b u, c d v, x y w; a point goes to (a x + c y, b x + d y); y grows downwards.
    a, b, _, c, d, *_ = struct.unpack("=9i", matrix[:36])
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    scale = max(abs(a), abs(b), abs(c), abs(d))
    turns = {(1, 0, 0, 1): 0, (0, 1, -1, 0): 90, (-1, 0, 0, -1): 180, (0, -1, 1, 0): 270}
    a, b, c, d = (0 if abs(v) < 0.02 * scale else (1 if v > 0 else -1) for v in (a, b, c, d))
    degrees = turns.get((a, b, c, d))
    return (0, False) if degrees is None else (degrees, mirrored)


def is_on_device(frame: av.VideoFrame) -> bool:
    """Whether its planes lie in the memory of a GPU."""
    return frame.format.name == ON_DEVICE


def _stored_format(frame: av.VideoFrame) -> str:
    """The pixel format of its planes, wherever they lie."""
    # PyAV's stubs do not know `sw_format`.
    stored = cast(Any, frame).sw_format if is_on_device(frame) else None
    return frame.format.name if stored is None else str(stored.name)


def _is_ordinary(frame: av.VideoFrame) -> bool:
    if is_on_device(frame):
        # Chroma of odd sizes is rounded down on the way to torch.
        return _stored_format(frame) in _DEVICE_FORMATS and frame.width % 2 == frame.height % 2 == 0
    return frame.format.name in _ORDINARY_FORMATS


def _in_host_memory(frame: av.VideoFrame) -> av.VideoFrame:
    return frame.reformat(format=_stored_format(frame)) if is_on_device(frame) else frame


class FrameFilter:
    """Brings decoded frames into the geometry that `VideoInfo` promises; frames that have it pass untouched.

    Frames in the memory of a GPU that need more than that are fetched from there.

    A frame of another shape than the first is fitted inside it between black bars. The libav graph is built for the
    first frame that needs one, and rebuilt when size, pixel aspect, format or orientation change.

    Attributes:
        barred: frames so far that got bars.
    """

    def __init__(self, info: VideoInfo, *, threads: int = 0) -> None:
        self._info = info
        self._threads = threads
        self._interlaced = info.interlaced
        self._key: tuple[object, ...] = ()
        self._graph: av.filter.Graph | None = None
        self._place: FramePlacement | None = None
        self.barred = 0

    @property
    def placed(self) -> PixelBox | None:
        """Where the frame that was yielded last lies between bars, display px; None if it has none."""
        return None if self._place is None else self._place.box

    def push(self, frame: av.VideoFrame, aspect: Fraction | None = None) -> Iterator[av.VideoFrame]:
        """Feed one frame and get those that are ready; pts stay in the stream's time base.

        aspect: width of a pixel divided by its height; None: that of `VideoInfo`.

        Raises:
            av.FFmpegError: the graph cannot take this frame.
        """
        # Sticky, because each switch between interlaced and progressive would rebuild the graph.
        self._interlaced = self._interlaced or frame.interlaced_frame
        aspect = aspect or self._info.sample_aspect_ratio
        upside_down = any(plane.line_size < 0 for plane in frame.planes)
        key = (
            frame.width,
            frame.height,
            aspect,
            frame.format.name,
            _stored_format(frame),
            frame.color_range,
            frame.colorspace,
            # Part of the orientation, which is read as a whole only when one of these values changes.
            frame.rotation,
            hdr_transfer(frame),
            upside_down,
            self._interlaced,
        )
        if key != self._key:
            yield from self.finish()
            self._graph = self._build(frame, aspect, upside_down)
            self._key = key
        self.barred += self._place is not None
        if self._graph is None:
            yield frame
            return
        frame = _in_host_memory(frame)
        frame.time_base = self._info.time_base
        self._graph.vpush(frame)
        yield from self._pull(self._graph)

    def finish(self) -> Iterator[av.VideoFrame]:
        """The frames that the graph still holds."""
        graph, self._graph, self._key = self._graph, None, ()
        if graph is not None:
            graph.vpush(None)
            yield from self._pull(graph)

    def _pull(self, graph: av.filter.Graph) -> Iterator[av.VideoFrame]:
        while True:
            try:
                frame = graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            # bwdif halves the time base.
            if frame.pts is not None and frame.time_base is not None:
                frame.pts = round(frame.pts * frame.time_base / self._info.time_base)
            yield frame

    def _build(self, frame: av.VideoFrame, aspect: Fraction, upside_down: bool) -> av.filter.Graph | None:
        """The graph for frames like this one, None if they need none; also decides where they are placed."""
        steps: list[str] = []
        if self._interlaced:
            steps.append("bwdif=mode=send_frame:deint=interlaced")
        stored, mirrored = orientation(frame)
        degrees = (stored + self._info.turn) % 360
        if mirrored:
            steps.append("hflip")
        steps.extend(_ROTATIONS[degrees])
        steps += self._fitting_steps(frame, aspect, degrees)
        if upside_down or "vflip" in steps:
            # These flip by a negative line size; numpy needs the rows in order.
            steps.append("copy")
        return self._graph_of(steps, frame) if steps else None

    def _fitting_steps(self, frame: av.VideoFrame, aspect: Fraction, degrees: int) -> list[str]:
        """From an upright frame to the size, colours and pixel format that are promised."""
        info = self._info
        steps: list[str] = []
        size = (frame.height, frame.width) if degrees in (90, 270) else (frame.width, frame.height)
        shown = shown_size(frame.width, frame.height, aspect, degrees)
        place = self._place = placed_inside(shown, (info.width, info.height))
        scale = _scale(info.width, info.height) if place is None else _scale(place.width, place.height)
        if hdr_transfer(frame) is not None:
            steps += _tone_mapping(scale)
        elif size != (info.width, info.height) or place or not _is_ordinary(frame):
            out_range = "pc" if info.color.range == "pc" else "tv"
            matrix = info.color.matrix if info.color.matrix in _TV_MATRICES else "bt601"
            matrix = matrix.removesuffix("nc").removesuffix("c") if matrix.startswith("bt2020") else matrix
            steps += [f"{scale}:out_range={out_range}:out_color_matrix={matrix}", "format=yuv420p"]
        if place is not None:
            steps.append(f"pad={info.width}:{info.height}:{place.left}:{place.top}:black")
        return steps

    def _graph_of(self, steps: list[str], frame: av.VideoFrame) -> av.filter.Graph:
        """A chain of filters, "name=arguments" each, for frames like this one."""
        graph = av.filter.Graph()
        graph.threads = self._threads
        source = {
            "video_size": f"{frame.width}x{frame.height}",
            "pix_fmt": _stored_format(frame),
            "time_base": _ratio(self._info.time_base),
            "pixel_aspect": "1/1",
            "colorspace": str(int(frame.colorspace)),
            "range": _BUFFER_RANGE.get(int(frame.color_range), "unspecified"),
        }
        node = graph.add("buffer", ":".join(f"{name}={value}" for name, value in source.items()))
        transfer = hdr_transfer(frame)
        with contextlib.ExitStack() as stack:
            for step in steps:
                name, _, arguments = step.partition("=")
                if name == "lut3d" and transfer is not None:
                    table = stack.enter_context(table_file(transfer, peak_nits(frame)))
                    # As a keyword, because some characters of a path are special in the argument string.
                    following = graph.add(name, interp="tetrahedral", file=str(table))
                else:
                    following = graph.add(name, arguments or None)
                node.link_to(following)
                node = following
            node.link_to(graph.add("buffersink"))
            graph.configure()
        return graph


def _scale(width: int, height: int) -> str:
    return f"scale={width}:{height}:flags=bicubic+accurate_rnd+full_chroma_int"


def _tone_mapping(scale: str) -> list[str]:
    """HDR YUV to BT.709 YUV via float RGB: with integers, libavfilter's lut3d takes three times as long."""
    # Regardless of the matrix tag: in practice HDR is always BT.2020, tagged or not.
    to_rgb = f"{scale}:in_color_matrix=bt2020"
    to_yuv = "scale=flags=bicubic+accurate_rnd+full_chroma_int:out_color_matrix=bt709:out_range=tv"
    return [to_rgb, "format=gbrpf32", "lut3d", to_yuv, "format=yuv420p"]


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"
