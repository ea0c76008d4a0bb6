"""Tracks of faces through one shot: when to detect, how to follow, whom to link.

A picture is looked at three ways. Every face known is followed into it; while all are calm only every
third picture is, and the ones between are made up for if that turns out to have been too few. At the rate
`look_out` the detector looks for newcomers where nobody is known yet, unless nothing has changed there. And
at the interval that the `TrackerMonitor` asks for, and on the first picture of a shot, it looks everywhere
and corrects the tracks. A newcomer is followed backwards through the pictures kept, to its true first frame:
looking out seldom costs no accuracy.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from config import AnalysisSettings
from core.face_detector import FaceDetector
from core.types import ByteArray, Detections, FloatArray
from processors.box_followers import BoxFollower, CascadeFollower
from processors.change_detector import ChangeDetector
from processors.track import MAX_STEP, Track
from processors.tracker_monitor import TrackerMonitor
from utils.geometry import iou_matrix

KEEP_SCORE = 0.5
"""score below which a face that was followed counts as not seen"""

DOUBT_SCORE = 0.15
"""score down to which it may have been seen: that is decided by whether it comes back"""

DOUBT_FRAMES, BLIND_FRAMES = 12, 3
"""how many pictures a face is followed that may be seen, or that is not seen at all; then only a detection
brings it back"""

MIN_OVERLAP = 0.3
"""IoU from which a detection and a track are taken for the same face"""

SAME_FACE_OVERLAP = 0.55
"""IoU from which two tracks have run onto the same face"""

SURE_SCORE = 0.97
MAX_GROWTH, MAX_DOUBTFUL_GROWTH = 1.35, 1.2
"""largest change of a face's size from one picture to the next, where it is surely a face and where not"""

REACH = 0.8
"""how far from its last place a hidden face may come back, in units of its size"""

LOST_LOOK_OUT = 0.4
"""share of the usual time between two looks while somebody is lost"""

SMALL_FACES = 2.0
"""faces under this many times the smallest size are looked for at every second look-out only: they cost three
quarters of the search"""

LOOK_BACK_S = 1.0
"""seconds of pictures kept at least for following newcomers backwards; small ones may wait for two looks"""

MAX_LOOK_BACK = 64
"""pictures kept at most, whatever the frame rate: 80 MB"""

CALM_STRIDE = 3
"""calm faces are followed into every so-manieth picture; between, they move on a straight line"""

CALM_SPEED, CALM_SCORE = 0.05, 0.9
"""a face is calm that moves less than this a frame, in units of its size, and has this score at least"""

CALM_SURPRISE = 0.15
"""how far from where it was expected it may be three pictures later, in the same units; boxes jitter by 0.03"""


Pixels = Callable[[], ByteArray]
"""gives a picture, (h, w, 3) uint8 RGB: the pixels of a picture that nobody looks at need not be made"""


class Look(Enum):
    """How a picture was looked at."""

    SKIPPED = 0
    FOLLOWED = 1
    SEARCHED = 2


class FaceTracker:
    """Feed it the pictures of a video in order; it hands out tracks when they end.

    Args:
        on_end: called with each track that ended; its rows lie within one shot.
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
    ) -> None:
        self._detector = detector
        self._follower = follower
        self._backward = CascadeFollower(detector)
        self._settings = settings
        self._min_face_px = min_face_px
        self._on_end = on_end
        self._look_out = settings.look_out * frame_rate
        # Somebody who comes back in time is only found by the next look.
        self._patience = round((settings.max_occlusion + settings.look_out * LOST_LOOK_OUT) * frame_rate) + 1
        look_back_s = max(LOOK_BACK_S, 2 * settings.look_out)
        self._past: deque[tuple[int, Pixels]] = deque(
            maxlen=min(max(2, round(look_back_s * frame_rate)), MAX_LOOK_BACK)
        )
        self._ended: list[Track] = []
        self._monitor = TrackerMonitor()
        self._tracks: list[Track] = []
        self._next_id = 0
        self._last_look = self._last_full = -(10**9)
        self._skipped: list[tuple[int, Pixels]] = []
        self._seen_before: set[int] = set()
        self._searched, self._searched_small = ChangeDetector(), ChangeDetector()
        self._small_next = True
        self.statistics = {"full_detections": 0, "look_outs": 0, "faces_followed": 0, "faces_lost": 0}

    @property
    def visible(self) -> list[Track]:
        """Tracks whose face is in the last picture that was looked at."""
        return [t for t in self._tracks if t.hidden == 0]

    def update(self, frame: int, picture: Pixels) -> Look:
        """Take the next picture; says how it was looked at.

        picture: gives (h, w, 3) uint8 RGB, analysis size, the same array each time; kept for a second.
        """
        everywhere = frame - self._last_full >= self._monitor.interval or not self._past
        # Whoever was lost has to be found soon: then the tracks on both sides can still be joined.
        lost = self._is_somebody_lost()
        wait = self._look_out * (LOST_LOOK_OUT if lost else 1.0)
        searching = everywhere
        if not everywhere and frame - self._last_look >= wait:
            # A picture like the one searched last counts as searched.
            searching = lost or self._worth_a_look(picture())
            self._last_look = frame
        if not searching and self.is_calm:
            self._skipped.append((frame, picture))
            self._past.append((frame, picture))
            return Look.SKIPPED
        self._catch_up(frame, picture)
        if searching:
            self._small_next |= lost
            self._detect(frame, picture(), everywhere=everywhere)
        self._past.append((frame, picture))
        self._drop_hidden()
        return Look.SEARCHED if searching else Look.FOLLOWED

    @property
    def is_calm(self) -> bool:
        """The next picture will probably be skipped."""
        return self._is_calm() and len(self._skipped) < CALM_STRIDE - 1

    def look_again(self) -> bool:
        """Look at the last picture of the shot as at one in which the detector searches; False if it has."""
        if not self._past or self._last_look == self._past[-1][0]:
            return False
        frame, picture = self._past.pop()
        if self._skipped and self._skipped[-1][0] == frame:
            self._skipped.pop()
            self._catch_up(frame, picture)
        if self._worth_a_look(picture()):
            self._detect(frame, picture(), everywhere=False)
        self._past.append((frame, picture))
        return True

    def end_shot(self) -> None:
        """The next picture belongs to another shot: all tracks end."""
        for track in self._tracks:
            self._end(track)
        self._tracks = []
        self._ended = []
        self._past.clear()
        self._skipped.clear()
        self._monitor.reset()

    def _is_calm(self) -> bool:
        """Nobody moves much or was lost just now."""
        if not self._follower.stateless:
            return False
        return all(
            t.hidden > DOUBT_FRAMES or (t.hidden == 0 and t.speed < CALM_SPEED and t.scores[-1] >= CALM_SCORE)
            for t in self._tracks
        )

    def _is_somebody_lost(self) -> bool:
        return any(t.hidden > 0 for t in self._tracks)

    def _worth_a_look(self, picture: ByteArray) -> bool:
        """Whether the picture differs, away from the faces known, from the one searched last."""
        return self._searched_small.compare(picture).outside([t.box for t in self.visible])

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
                self._monitor.record(bool(seen[row]))
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

    def _detect(self, frame: int, picture: ByteArray, *, everywhere: bool) -> None:
        self._last_look = frame
        visible = self.visible
        if everywhere:
            self._last_full = frame
            self.statistics["full_detections"] += 1
            found = self._detector.detect([picture], self._min_face_px)[0]
        else:
            self.statistics["look_outs"] += 1
            found = self._look_out_for_newcomers(picture, visible)
        if everywhere or self._small_next:
            self._searched_small.remember(picture)
        self._searched.remember(picture)
        self._small_next = everywhere or not self._small_next
        taken = self._correct(frame, picture, found, visible, everywhere)
        for row in np.flatnonzero(~taken):
            if found.scores[row] >= self._settings.face_score:
                self._welcome(frame, picture, found[row : row + 1])

    def _look_out_for_newcomers(self, picture: ByteArray, visible: list[Track]) -> Detections:
        """Detect where nobody is known and the picture has changed since it was searched."""
        known = np.stack([t.box for t in visible]) if visible else np.zeros((0, 4), np.float32)
        smallest = self._min_face_px * (1.0 if self._small_next else SMALL_FACES)
        if self._is_somebody_lost():
            # Who was followed here since the last search may be back where that search saw them.
            return self._detector.detect([picture], smallest, explained=[known])[0]
        changes = (self._searched_small if self._small_next else self._searched).compare(picture)
        return self._detector.detect(
            [picture], smallest, explained=[known], ignore=lambda boxes: changes.within(boxes) == 0
        )[0]

    def _correct(
        self, frame: int, picture: ByteArray, found: Detections, visible: list[Track], everywhere: bool
    ) -> NDArray[np.bool_]:
        """Match detections with visible tracks; (N,) bool of the detections that are explained."""
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
        self._extend_back(track)
        self._bridge(track)
        track.restart_motion()

    def _returning(self, face: Detections) -> Track | None:
        """The hidden track that the face continues: close to its last place, of about its size."""
        box = face.boxes[0]
        size = float((box[2:] - box[:2]).mean())
        centre = (box[:2] + box[2:]) / 2
        best, best_distance = None, REACH
        for track in self._tracks:
            if track.hidden == 0 or not 1 / 1.5 < size / track.size < 1.5:
                continue
            distance = float(np.linalg.norm(centre - (track.box[:2] + track.box[2:]) / 2)) / track.size
            if distance < best_distance:
                best, best_distance = track, distance
        return best

    def _extend_back(self, track: Track) -> None:
        """Follow a face from its last row backwards, to the row before or to where it first appeared."""
        limit = track.frames[-2] if len(track.frames) > 1 else -1
        position = len(track.frames) - 1
        box, velocity = track.box, np.zeros(2, np.float32)
        for frame, picture in reversed(self._past):
            if frame <= limit:
                break
            size = float((box[2:] - box[:2]).mean())
            expected = box + np.tile(np.clip(velocity, -MAX_STEP * size, MAX_STEP * size), 2)
            found = self._backward.follow(picture(), [track.id], expected[None].astype(np.float32))
            new_size = float((found.boxes[0, 2:] - found.boxes[0, :2]).mean())
            if found.scores[0] < KEEP_SCORE or not 1 / MAX_GROWTH < new_size / size < MAX_GROWTH:
                break
            if self._occupied(track, frame, found.boxes):
                break
            velocity = 0.5 * velocity + 0.25 * (found.boxes[0, :2] + found.boxes[0, 2:] - box[:2] - box[2:])
            box = found.boxes[0]
            track.insert(position, frame, box, float(found.scores[0]), found.landmarks[0])

    def _bridge(self, track: Track) -> None:
        """Look for a face that came back along the straight way through the pictures in which it was not seen."""
        after = next((i for i in range(len(track.frames) - 1, 0, -1) if track.frames[i] > track.frames[i - 1] + 1), 0)
        if after == 0:
            return
        first, last = track.frames[after - 1], track.frames[after]
        start, end = track.boxes[after - 1], track.boxes[after]
        for frame, picture in reversed(self._past):
            if not first < frame < last:
                continue
            share = (frame - first) / (last - first)
            expected = (start + share * (end - start)).astype(np.float32)[None]
            found = self._backward.follow(picture(), [track.id], expected)
            near = float(iou_matrix(expected, found.boxes)[0, 0]) >= SAME_FACE_OVERLAP
            if found.scores[0] >= DOUBT_SCORE and near and not self._occupied(track, frame, found.boxes):
                track.insert(after, frame, found.boxes[0], float(found.scores[0]), found.landmarks[0])

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
        oldest = self._past[0][0] if self._past else 0
        self._ended = [t for t in (*self._ended, track) if t.frames[-1] >= oldest]
        self._on_end(track)
