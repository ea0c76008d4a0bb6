"""Tracks of faces through one shot: how to follow, whom to link.

A picture is looked at three ways. Every face known is followed into it; while all are calm only every
third picture is, and the ones between are made up for if that turns out to have been too few. At the rate
`search_interval` the detector looks for newcomers where nobody is known yet, unless nothing has changed there. And
at the interval that the `TrackerMonitor` asks for, and on the first picture of a shot, it looks everywhere
and corrects the tracks. A newcomer is followed backwards through the pictures kept, to its true first frame:
looking out seldom costs no accuracy.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from config import AnalysisSettings
from core.models.face_detector import FaceDetector
from core.types import ByteArray, Detections, FloatArray
from processors.tracking.backward_tracking import (
    DOUBT_SCORE,
    KEEP_SCORE,
    MAX_GROWTH,
    SAME_FACE_OVERLAP,
    LookBack,
    Pixels,
)
from processors.tracking.box_trackers import BoxFollower
from processors.tracking.detection_schedule import LOST_LOOK_OUT, Search, SearchSchedule
from processors.tracking.proposal_prefetch import SearchAhead
from processors.tracking.track import Track
from utils.box_geometry import iou_matrix

DOUBT_FRAMES, BLIND_FRAMES = 12, 3
"""how many pictures a face is followed that may be seen, or that is not seen at all; then only a detection
brings it back"""

MIN_OVERLAP = 0.3
"""IoU from which a detection and a track are taken for the same face"""

SURE_SCORE, MAX_DOUBTFUL_GROWTH = 0.97, 1.2
"""largest change of a face's size from one picture to the next where it scores less than this"""

REACH = 0.8
"""how far from its last place a hidden face may come back, in units of its size"""

CALM_STRIDE = 3
"""calm faces are followed into every so-manieth picture; between, they move on a straight line"""

CALM_SPEED, CALM_SCORE = 0.05, 0.9
"""a face is calm that moves less than this a frame, in units of its size, and has this score at least"""

CALM_SURPRISE = 0.15
"""how far from where it was expected it may be three pictures later, in the same units; boxes jitter by 0.03"""


class Look(Enum):
    """How a picture was looked at."""

    SKIPPED = 0
    FOLLOWED = 1
    SEARCHED = 2


class FaceTracker:
    """Feed it the pictures of a video in order; it hands out tracks when they end.

    Args:
        on_end: called with each track that ended; its rows lie within one shot.
        ahead: begins searches before they are due, and is given the pictures sooner than the tracker.
    """

    def __init__(
        self,
        detector: FaceDetector,
        follower: BoxFollower,
        settings: AnalysisSettings,
        *,
        frame_rate: float,
        min_face_px: float,
        on_end: Callable[[Track], None],
        ahead: SearchAhead | None = None,
    ) -> None:
        self._follower = follower
        self._settings = settings
        self._on_end = on_end
        self._schedule = SearchSchedule(detector, settings, frame_rate, min_face_px, ahead)
        # Small newcomers may wait for two looks.
        self._look_back = LookBack(detector, 2 * settings.search_interval, frame_rate)
        # Somebody who comes back in time is only found by the next look.
        self._patience = round((settings.max_occlusion + settings.search_interval * LOST_LOOK_OUT) * frame_rate) + 1
        self._ended: list[Track] = []
        self._tracks: list[Track] = []
        self._next_id = 0
        self._skipped: list[tuple[int, Pixels]] = []
        self._seen_before: set[int] = set()
        self.statistics = {"full_detections": 0, "look_outs": 0, "faces_followed": 0, "faces_lost": 0}

    @property
    def visible(self) -> list[Track]:
        """Tracks whose face is in the last picture that was looked at."""
        return [t for t in self._tracks if t.hidden == 0]

    def update(self, frame: int, picture: Pixels) -> Look:
        """Take the next picture; says how it was looked at.

        picture: gives (h, w, 3) uint8 RGB, analysis size, the same array each time; kept for a second.
        """
        past = self._look_back.pictures
        search = self._schedule.due(frame, picture, self._known(), lost=self._is_somebody_lost(), first=not past)
        if search is Search.NOTHING and self.is_calm:
            self._skipped.append((frame, picture))
            past.append((frame, picture))
            return Look.SKIPPED
        self._catch_up(frame, picture)
        if search is not Search.NOTHING:
            self._detect(frame, picture(), search)
        past.append((frame, picture))
        self._drop_hidden()
        return Look.FOLLOWED if search is Search.NOTHING else Look.SEARCHED

    @property
    def is_calm(self) -> bool:
        """The next picture will probably be skipped: nobody moves much or was lost just now."""
        if not self._follower.stateless or len(self._skipped) >= CALM_STRIDE - 1:
            return False
        return all(
            t.hidden > DOUBT_FRAMES or (t.hidden == 0 and t.speed < CALM_SPEED and t.scores[-1] >= CALM_SCORE)
            for t in self._tracks
        )

    def look_again(self) -> bool:
        """Look at the last picture of the shot as at one in which the detector searches; False if it has."""
        past = self._look_back.pictures
        if not past or self._schedule.last_look == past[-1][0]:
            return False
        frame, picture = past.pop()
        if self._skipped and self._skipped[-1][0] == frame:
            self._skipped.pop()
            self._catch_up(frame, picture)
        if self._schedule.has_changed(picture(), self._known()):
            self._detect(frame, picture(), Search.NEWCOMERS)
        past.append((frame, picture))
        return True

    def end_shot(self) -> None:
        """The next picture belongs to another shot: all tracks end."""
        for track in self._tracks:
            self._end(track)
        self._tracks = []
        self._ended = []
        self._look_back.pictures.clear()
        self._skipped.clear()
        self._schedule.monitor.reset()

    def _is_somebody_lost(self) -> bool:
        return any(t.hidden > 0 for t in self._tracks)

    def _known(self) -> FloatArray:
        """(N, 4) boxes of the visible faces."""
        return np.stack([t.box for t in self.visible]) if self.visible else np.zeros((0, 4), np.float32)

    def _catch_up(self, frame: int, picture: Pixels) -> None:
        """Follow all faces into `picture`, over the pictures skipped if that goes well, else through them."""
        skipped, self._skipped = self._skipped, []
        if self._follow(frame, picture(), tentative=bool(skipped)):
            return
        for number, pixels in (*skipped, (frame, picture)):
            self._follow(number, pixels(), tentative=False)

    def _follow(self, frame: int, picture: ByteArray, *, tentative: bool) -> bool:
        """Follow all faces into `picture`. `tentative`: only if all are seen there and still calm; else False."""
        for track in self._tracks:
            track.hidden = frame - track.frames[-1]
        tracks = [t for t in self._tracks if t.hidden - len(t.doubtful) <= BLIND_FRAMES and t.hidden <= DOUBT_FRAMES]
        if not tracks:
            return True
        expected = np.stack([t.expected() for t in tracks])
        found = self._follower.follow(picture, [t.id for t in tracks], expected)
        seen, possible = self._plausible(tracks, expected, found)
        if tentative:
            surprise = np.abs(found.boxes - expected).max(1) / np.array([t.size for t in tracks])
            if not (seen.all() and found.scores.min() >= CALM_SCORE and surprise.max() < CALM_SURPRISE):
                return False
        for row, track in enumerate(tracks):
            values = frame, found.boxes[row], float(found.scores[row]), found.landmarks[row]
            if track.id in self._seen_before:
                self._schedule.monitor.record(bool(seen[row]))
                self.statistics["faces_followed" if seen[row] else "faces_lost"] += 1
            if seen[row]:
                track.append(*values)
            elif possible[row]:
                track.doubt(*values)
        self._seen_before = {t.id for t in self.visible}
        return True

    def _plausible(
        self, tracks: list[Track], expected: FloatArray, found: Detections
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which of the followed boxes are still the face they were, and which may be; (N,) bool each."""
        old = np.array([t.size for t in tracks])
        ratio = np.maximum((found.boxes[:, 2:] - found.boxes[:, :2]).mean(1), 1e-3) / np.maximum(old, 1e-3)
        allowed = np.where(found.scores >= SURE_SCORE, MAX_GROWTH, MAX_DOUBTFUL_GROWTH)
        possible = (found.scores >= DOUBT_SCORE) & (ratio < allowed) & (ratio > 1 / allowed)
        overlap = np.triu(iou_matrix(found.boxes, found.boxes), 1)
        faithful = np.diagonal(iou_matrix(expected, found.boxes))
        for a, b in np.argwhere(overlap > SAME_FACE_OVERLAP):
            if possible[a] and possible[b]:
                # Both have run onto one face: it belongs to the track that expected it there.
                hidden = tracks[a].hidden, tracks[b].hidden
                a_is_wrong = hidden[0] > hidden[1] or (hidden[0] == hidden[1] and faithful[a] < faithful[b])
                possible[a if a_is_wrong else b] = False
        return possible & (found.scores >= KEEP_SCORE), possible

    def _detect(self, frame: int, picture: ByteArray, search: Search) -> None:
        everywhere = search is Search.EVERYBODY
        self.statistics["full_detections" if everywhere else "look_outs"] += 1
        found = self._schedule.find(frame, picture, search, self._known(), lost=self._is_somebody_lost())
        taken = self._correct(picture, found, everywhere)
        for row in np.flatnonzero(~taken):
            if found.scores[row] >= self._settings.face_score:
                self._welcome(frame, picture, found[row : row + 1])

    def _correct(self, picture: ByteArray, found: Detections, everywhere: bool) -> NDArray[np.bool_]:
        """Match detections with visible tracks; (N,) bool of the detections that are explained."""
        visible = self.visible
        taken = np.zeros(len(found), bool)
        if everywhere:
            for track in visible:
                track.looks += 1
        if len(found) == 0 or not visible:
            return taken
        overlap = iou_matrix(found.boxes, np.stack([t.box for t in visible]))
        for row, column in zip(*linear_sum_assignment(-overlap), strict=True):
            if overlap[row, column] >= MIN_OVERLAP:
                taken[row] = True
                track = visible[column]
                if everywhere:
                    track.hits += 1
                track.boxes[-1], track.landmarks[-1] = found.boxes[row], found.landmarks[row]
                track.scores[-1] = float(found.scores[row])
                self._follower.start(track.id, picture, track.box)
        # A second box on a face that is known already is no newcomer.
        return np.asarray(taken | (overlap.max(1) >= MIN_OVERLAP))

    def _welcome(self, frame: int, picture: ByteArray, face: Detections) -> None:
        """A face that nobody explains: somebody who was hidden, or a newcomer."""
        track = self._returning(face)
        if track is None:
            track = Track(self._next_id)
            self._next_id += 1
            self._tracks.append(track)
            track.append(frame, face.boxes[0], float(face.scores[0]), face.landmarks[0])
            track.looks = track.hits = 1
        else:
            track.append(frame, face.boxes[0], float(face.scores[0]), face.landmarks[0])
        self._follower.start(track.id, picture, track.box)
        occupied = partial(self._occupied, track)
        self._look_back.extend(track, occupied)
        self._look_back.bridge(track, occupied)
        track.restart_motion()

    def _returning(self, face: Detections) -> Track | None:
        """The hidden track that the face continues: close to where it was or was going, of about its size.

        Of several the one seen last: faces come back to places where they were before.
        """
        box = face.boxes[0]
        size = float((box[2:] - box[:2]).mean())
        best, best_rank = None, (self._patience + 1, 0.0)
        for track in self._tracks:
            if track.hidden == 0 or not 1 / 1.5 < size / track.size < 1.5:
                continue
            shifts = np.stack([box - track.box, box - track.expected()])
            distance = float(np.linalg.norm(shifts[:, :2] + shifts[:, 2:], axis=1).min()) / (2 * track.size)
            if distance < REACH and (track.hidden, distance) < best_rank:
                best, best_rank = track, (track.hidden, distance)
        return best

    def _occupied(self, track: Track, frame: int, box: FloatArray) -> bool:
        """Whether another track has a face at `box` (1, 4) in an earlier frame."""
        near = [t.near(frame, CALM_STRIDE) for t in (*self._tracks, *self._ended) if t is not track]
        others = [other for other in near if other is not None]
        return bool(others) and bool((iou_matrix(box, np.stack(others)) > SAME_FACE_OVERLAP).any())

    def _drop_hidden(self) -> None:
        gone = [t for t in self._tracks if t.hidden > self._patience]
        if gone:
            for track in gone:
                self._end(track)
            self._tracks = [t for t in self._tracks if t.hidden <= self._patience]

    def _end(self, track: Track) -> None:
        self._follower.stop(track.id)
        past = self._look_back.pictures
        oldest = past[0][0] if past else 0
        self._ended = [t for t in (*self._ended, track) if t.frames[-1] >= oldest]
        self._on_end(track)
