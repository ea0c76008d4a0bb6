"""The active picture of each shot: the frame without its black bars. The camera shows nothing outside it.

A blurred copy of the picture around it (`processors/shots/blurred_copy.py`) counts like bars.

A line counts as the edge of a bar if it is straight: in at least one frame of the shot, the picture begins abruptly
along much of it. That tells a bar from the dark part of a night scene, where bright things end at many heights. In a
shot that is too dark for this, lines that another shot of the video proves count, if everything up to them is black.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.media.video_frame import VideoFrame
from core.types import GRADUAL, IntArray, PixelBox, Shot
from processors.shots.bar_edges import MIN_BAR_PX, BarEdges, find_bar_edges
from processors.shots.blurred_copy import common_picture, inside, sharp_picture
from processors.shots.panel_seams import SeamCandidates, fixed_seams, line_shares, seam_candidates
from processors.shots.shot_detector import MAX_GRADUAL_DELAY_S

SAMPLE_INTERVAL_S = 0.25
"""between two frames in which the edges are measured; they are also measured at the beginning of each shot"""

SEAM_STRIDE = 2
"""one of this many samples is searched for seams and blurred copies, which takes longer"""

MAX_BAR_SHARE = 0.45
"""of the frame, on each side; a 2.4:1 film in an upright 9:16 frame has bars of 0.383 of its height"""
STRAIGHT = 0.5
"""smallest share of its length along which the picture has to begin at a single line"""
STRAIGHT_OF_TWO = 0.3
"""the same if the opposite edge has such a line at the same distance: dark scenes are seldom symmetric"""

_SAME_LINE_PX = 2
"""coding noise moves a line by up to this from one frame to the next"""
_BLEND_PX = 1
"""the first line of the picture is often a mixture of picture and bar"""
_MIN_PICTURE_PX = 16
"""smallest side of an active picture: nothing can be framed in less"""

_OPPOSITE = [1, 0, 3, 2]
_NONE: IntArray = np.zeros((0, 4), np.int64)


class FrameSample(NamedTuple):
    """Bars, seams and the picture in front of its copy in one frame; without seams, it was not searched for both."""

    edges: BarEdges
    seams: SeamCandidates | None
    picture: PixelBox | None = None


_ORDINARY = tuple(FrameSample(BarEdges((0,) * 4, (1.0,) * 4), seams) for seams in (None, SeamCandidates()))


class ActivePictureFinder:
    """Takes frames in decoding order, then finds the active picture of each shot."""

    def __init__(self, width: int, height: int, frame_rate: float) -> None:
        """width, height: of the frames, px. frame_rate: frames per second."""
        self._size = width, height
        self._stride = max(1, round(SAMPLE_INTERVAL_S * frame_rate))
        self._margin = round(MAX_GRADUAL_DELAY_S / 2 * frame_rate)
        self._numbers: list[int] = []
        self._samples: list[FrameSample] = []

    def update(self, frame: VideoFrame, *, new_shot: bool = False) -> None:
        """Take the next frame. new_shot: it is one of the first of a shot, and is always measured."""
        if frame.index % self._stride and not new_shot:
            return
        edges = find_bar_edges(frame.planes()[0], frame.placed)
        if edges is not None:
            self._numbers.append(frame.index)
            is_searched = new_shot or frame.index % (SEAM_STRIDE * self._stride) == 0
            sample = frame_sample(frame, edges) if is_searched else FrameSample(edges, None)
            # Hours of ordinary frames share one value.
            self._samples.append(next((ordinary for ordinary in _ORDINARY if sample == ordinary), sample))

    def with_active_pictures(self, shots: Sequence[Shot]) -> tuple[Shot, ...]:
        """`shots`, all shots of the video, with `active` and seams where there are any."""
        samples = [
            self._between(*_core(shots, index, self._margin)) or self._between(shot.start, shot.end)
            for index, shot in enumerate(shots)
        ]
        edges = [[sample.edges for sample in own] for own in samples]
        seams = fixed_seams([[s.seams for s in own if s.seams is not None] for own in samples], self._size)
        # Few of a film's thousands of shots differ in their bars.
        lines = np.array([proven_lines(own, self._size) for own in edges], np.int64).reshape(-1, 4)
        proven = np.unique(lines, axis=0)
        unbarred = [active_picture(own, self._size, proven) for own in edges]
        active = within_copies(
            unbarred, [[s.picture for s in own if s.seams is not None] for own in samples], self._size
        )
        return tuple(
            dataclasses.replace(shot, active=box, seams_x=columns, seams_y=rows)
            for shot, box, (columns, rows) in zip(shots, active, seams, strict=True)
        )

    def _between(self, start: int, end: int) -> list[FrameSample]:
        return self._samples[bisect_left(self._numbers, start) : bisect_left(self._numbers, end)]


def proven_lines(samples: Sequence[BarEdges], size: tuple[int, int]) -> IntArray:
    """(4,) int64: px of the bars that frames of one shot prove, in the order of `BarEdges`; 0 without a bar.

    size: width and height of the frames, px.
    """
    if not samples:
        return np.zeros(4, np.int64)
    black, straight = np.array([s.black for s in samples]), np.array([s.straight for s in samples])
    least = black.min(0)
    most = MAX_BAR_SHARE * np.array([size[1], size[1], size[0], size[0]])
    # In a darker frame the picture seems to begin further inside, which says nothing about the bar; in a frame that is
    # nearly all black, only a caption is seen.
    tells = (black <= least + _SAME_LINE_PX) & (black <= most).all(1, keepdims=True)
    best = np.where(tells, straight, 0).max(0)
    symmetric = np.abs(least - least[_OPPOSITE]) <= _SAME_LINE_PX
    straight_pair = symmetric & (np.minimum(best, best[_OPPOSITE]) >= STRAIGHT_OF_TWO)
    is_bar = ((best >= STRAIGHT) | straight_pair) & (least >= MIN_BAR_PX) & (least <= most)
    return np.asarray(np.where(is_bar, np.maximum(least, _known(samples)), _known(samples)), np.int64)


def active_picture(samples: Sequence[BarEdges], size: tuple[int, int], others: IntArray = _NONE) -> PixelBox | None:
    """The active picture of one shot, with even coordinates inside the frame; None if it is the whole frame.

    samples: of frames of the shot. size: width and height of the frame, px. others: (N, 4), `proven_lines` of other
    shots.
    """
    if not samples:
        return None
    least = np.array([s.black for s in samples]).min(0)
    known = _known(samples)
    lines = proven_lines(samples, size)
    is_black = (others <= least + _SAME_LINE_PX) & (least >= MIN_BAR_PX)
    fitting = np.where(is_black, others, 0).max(0, initial=0)
    lines = np.where(lines > known, lines, np.maximum(fitting, known))
    # Bars that the decoder added end exactly on even pixels.
    top, bottom, left, right = np.where(lines > known, lines + _BLEND_PX, known).tolist()
    width, height = size
    x2, y2 = (side if bar == 0 else (side - bar) // 2 * 2 for side, bar in ((width, right), (height, bottom)))
    box = (-(-left // 2) * 2, -(-top // 2) * 2, x2, y2)
    if box == (0, 0, width, height) or min(box[2] - box[0], box[3] - box[1]) < _MIN_PICTURE_PX:
        return None
    return box


def within_copies(
    active: Sequence[PixelBox | None], samples: Sequence[Sequence[PixelBox | None]], size: tuple[int, int]
) -> list[PixelBox | None]:
    """The active pictures of all shots without blurred copies around them.

    active: the frames without their bars, None for the whole frame. samples: `sharp_picture` of frames of each shot.
    """
    pictures = [common_picture(own) for own in samples]
    proven = sorted({picture for picture in pictures if picture is not None})
    found = []
    for box, own, picture in zip(active, samples, pictures, strict=True):
        known = picture or common_picture(own, proven)
        found.append(box if known is None else inside(known, box or (0, 0, *size)))
    return found


def frame_active_picture(frame: VideoFrame) -> PixelBox | None:
    """The frame without the bars that it proves by itself; None if that is all of it.

    Blurred copies are not looked for, which would take ten times as long.
    """
    edges = find_bar_edges(frame.planes()[0], frame.placed)
    return None if edges is None else active_picture([edges], (frame.width, frame.height))


def frame_sample(frame: VideoFrame, edges: BarEdges) -> FrameSample:
    """A frame that is searched for everything. edges: of its bars."""
    luma = frame.planes()[0]
    top, bottom, left, right = edges.black
    inner = (left, top, frame.width - right, frame.height - bottom)
    shares = line_shares(luma, inner)
    picture = sharp_picture(luma[top : inner[3], left : inner[2]], shares)
    if picture is not None:
        picture = (picture[0] + left, picture[1] + top, picture[2] + left, picture[3] + top)
    return FrameSample(edges, seam_candidates(shares, inner), picture)


def _known(samples: Sequence[BarEdges]) -> IntArray:
    return np.asarray(np.array([s.known for s in samples], np.int64).max(0), np.int64)


def _core(shots: Sequence[Shot], index: int, margin: int) -> tuple[int, int]:
    """The frames of a shot that show nothing of its neighbours.

    margin: half of the longest gradual transition.
    """
    shot = shots[index]
    # At a cut one frame may be a blend of both shots.
    first = margin if shot.transition in GRADUAL else int(index > 0)
    last = 0
    if index + 1 < len(shots):
        last = margin if shots[index + 1].transition in GRADUAL else 1
    return shot.start + first, max(shot.end - last, shot.start + first)
