"""Draws on the frames of the preview: boxes, names, track ids, scores, shots and time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import ByteArray, FaceAnalysis, Shot, Timeline, Tracklet
from processors.extras.drawn_names import drawn_names
from processors.results.tracks_table import UNKNOWN_PERSON
from processors.speech.person_turns import PeopleTurns, speaking_mask
from utils.images.text_drawing import Color, draw_text, text_mask
from utils.time_formats import clock

# fmt: off
PERSON_COLORS: tuple[Color, ...] = (
    (47, 111, 237), (217, 72, 15), (10, 143, 91), (160, 50, 201), (194, 24, 91),
    (11, 138, 168), (138, 109, 0), (95, 75, 216), (76, 122, 31), (161, 68, 47),
)
# fmt: on
"""the colours of the report's light theme, in the same order"""

_GREY: Color = (110, 110, 110)
_WHITE: Color = (255, 255, 255)
_SHOT_MARK_S = 0.6
_DASH_PX = 6


@dataclass(frozen=True, slots=True)
class _DrawnFace:
    tracklet: Tracklet
    name: str
    drawn_name: str
    color: Color
    speaking: NDArray[np.bool_]
    """(T,), all False if unknown"""


class PreviewArtist:
    """Draws on images, in rising order of their frame numbers."""

    def __init__(
        self, analysis: FaceAnalysis, timeline: Timeline, width: int, height: int, turns: PeopleTurns | None = None
    ) -> None:
        """width, height: of the images, px. turns: speakers' boxes are drawn thicker, with a white edge."""
        self._analysis = analysis
        self._scale = np.array([width / analysis.video.width, height / analysis.video.height] * 2, np.float64)
        self._shot_starts = [shot.start for shot in analysis.shots]
        self._line_px = max(1, round(height / 270))
        self._text_px = max(10, round(height / 36))
        self._waiting = sorted(
            _faces(analysis, timeline, turns or {}), key=lambda face: face.tracklet.start, reverse=True
        )
        self._active: list[_DrawnFace] = []
        self._shown: dict[tuple[str, int], list[tuple[int, int]]] = {}
        for segment in timeline.segments:
            for track in segment.tracklets:
                self._shown.setdefault((segment.person, track), []).append((segment.start, segment.end))

    def draw(self, image: ByteArray, frame: int) -> None:
        """Draw on `image`, (height, width, 3) uint8 RGB, what was found in frame number `frame`."""
        while self._waiting and self._waiting[-1].tracklet.start <= frame:
            self._active.append(self._waiting.pop())
        self._active = [face for face in self._active if face.tracklet.end > frame]
        for face in self._active:
            row = int(np.searchsorted(face.tracklet.frames, frame))
            if face.tracklet.frames[row] == frame:
                self._draw_face(image, face, row, frame)
        number = int(np.searchsorted(self._shot_starts, frame, side="right")) - 1
        shot = self._analysis.shots[number] if number >= 0 else None
        self._draw_time(image, frame, shot)
        self._draw_strip(image, frame)
        seconds_at = self._analysis.seconds_at
        if shot is not None and shot.index > 0 and seconds_at(frame) - seconds_at(shot.start) < _SHOT_MARK_S:
            self._draw_shot_mark(image, shot)

    def _draw_face(self, image: ByteArray, face: _DrawnFace, row: int, frame: int) -> None:
        tracklet = face.tracklet
        x1, y1, x2, y2 = (int(v) for v in np.round(tracklet.boxes[row].astype(np.float64) * self._scale))
        score = float(tracklet.scores[row])
        if face.speaking[row]:
            cv2.rectangle(image, (x1, y1), (x2, y2), _WHITE, 5 * self._line_px)
            cv2.rectangle(image, (x1, y1), (x2, y2), face.color, 3 * self._line_px)
        elif score > 0:
            cv2.rectangle(image, (x1, y1), (x2, y2), face.color, self._line_px)
        else:
            _dashed(image, (x1, y1, x2, y2), face.color, self._line_px)
        text = f"{face.drawn_name}  #{tracklet.id}  {f'{score:.2f}' if score > 0 else 'hidden'}"
        shown = any(start <= frame < end for start, end in self._shown.get((face.name, tracklet.id), ()))
        if face.speaking[row]:
            text += "  speaks"
        height = text_mask(text, self._text_px).shape[0]
        above = y1 - height - self._line_px
        # The label of a face at the upper edge is drawn inside the box.
        self._draw_label(image, text, x1, above if above >= 0 else y1, face.color if shown else _GREY)

    def _draw_time(self, image: ByteArray, frame: int, shot: Shot | None) -> None:
        number = "" if shot is None else f"  shot {shot.index + 1}"
        self._draw_label(image, f"{clock(self._analysis.seconds_at(frame))}  frame {frame}{number}", 8, 8, (0, 0, 0))

    def _draw_shot_mark(self, image: ByteArray, shot: Shot) -> None:
        text = shot.transition.upper()
        x = image.shape[1] - text_mask(text, self._text_px).shape[1] - 24
        self._draw_label(image, text, x, 8, (190, 30, 30))

    def _draw_strip(self, image: ByteArray, frame: int) -> None:
        """Draw a bar along the lower edge with the position in the video and the cuts."""
        height, width = image.shape[:2]
        strip = image[height - 2 * self._line_px - 2 :]
        strip[:] = strip // 3
        seconds_at = self._analysis.seconds_at
        first_s = seconds_at(0)
        whole = max(seconds_at(self._analysis.frame_count) - first_s, 1e-6)
        strip[:, : round((seconds_at(frame + 1) - first_s) / whole * width)] = (200, 200, 200)
        for shot in self._analysis.shots[1:]:
            x = round((seconds_at(shot.start) - first_s) / whole * width)
            strip[:, x : x + self._line_px] = (255, 60, 60)

    def _draw_label(self, image: ByteArray, text: str, x: int, y: int, color: Color) -> None:
        """Draw `text` in white on a filled rectangle at (x, y), moved as far as necessary to lie within the image."""
        mask = text_mask(text, self._text_px)
        margin = self._text_px // 3
        width, height = mask.shape[1] + 2 * margin, mask.shape[0]
        x = max(0, min(x, image.shape[1] - width))
        y = max(0, min(y, image.shape[0] - height))
        image[y : y + height, x : x + width] = color
        draw_text(image, text, x + margin, y, self._text_px, _WHITE)


def _faces(analysis: FaceAnalysis, timeline: Timeline, turns: PeopleTurns) -> Iterator[_DrawnFace]:
    by_id = {tracklet.id: tracklet for tracklet in analysis.tracklets}
    drawn = drawn_names(person.name for person in timeline.people)
    for number, person in enumerate(timeline.people):
        color = PERSON_COLORS[number % len(PERSON_COLORS)]
        for tracklet in (by_id[track] for track in person.tracklets):
            speaking = speaking_mask(analysis, tracklet, turns.get(person.name, ()))
            yield _DrawnFace(tracklet, person.name, drawn[person.name], color, speaking)
    for tracklet in (by_id[track] for track in timeline.unknown):
        yield _DrawnFace(tracklet, UNKNOWN_PERSON, UNKNOWN_PERSON, _GREY, speaking_mask(analysis, tracklet, ()))


def _dashed(image: ByteArray, box: tuple[int, int, int, int], color: Color, thickness: int) -> None:
    x1, y1, x2, y2 = box
    for x in range(x1, x2, 2 * _DASH_PX):
        for y in (y1, y2):
            cv2.line(image, (x, y), (min(x + _DASH_PX, x2), y), color, thickness)
    for y in range(y1, y2, 2 * _DASH_PX):
        for x in (x1, x2):
            cv2.line(image, (x, y), (x, min(y + _DASH_PX, y2)), color, thickness)
