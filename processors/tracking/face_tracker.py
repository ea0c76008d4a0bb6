"""Tracks faces through one shot: which frames faces are followed into, and which detection belongs to which track.

Every known face is followed every `FOLLOW_INTERVAL_S` while one moves, and every `CALM_FOLLOW_INTERVAL_S` while all are
calm. Frames in between are skipped. If a long step finds a face far from its expected place, the faces are followed
through the skipped frames after all.

Every `search_interval` the detector searches for newcomers away from the known faces, unless nothing has changed there.
At the interval that the `TrackerMonitor` asks for, and in the first frame of a shot, it searches the whole frame, and
its detections correct the tracks. A newcomer is followed backwards through the frames kept, to its true first frame, so
searching rarely costs no accuracy.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from functools import partial

import lap
import numpy as np
from numpy.typing import NDArray

from config import AnalysisSettings
from core.models.face_detector import FaceRefiner
from core.types import ByteArray, Detections, FloatArray
from processors.tracking.backward_tracking import SAME_FACE_OVERLAP, BackwardTracker
from processors.tracking.box_trackers import BoxFollower
from processors.tracking.detection_schedule import LOST_INTERVAL_SHARE, DetectionSchedule, Search
from processors.tracking.following import Proposal, Verdict, accept, is_calm, propose, stays_calm
from processors.tracking.frame_pace import FramePace
from processors.tracking.lazy_image import LazyImage
from processors.tracking.second_opinion import Confirmation
from processors.tracking.track import Track
from utils.images.box_geometry import iou_matrix

MIN_OVERLAP = 0.3
"""least IoU at which a detection and a track are the same face"""

MAX_RETURN_DISTANCE = 0.8
"""how far from its last place a hidden face may come back, in face sizes"""

MAX_SIZE_RATIO = 1.5
"""how much larger or smaller than before a hidden face may come back"""

WEAKER = 0.2
"""a detection whose score is so much below the one that starts a track may start one if a second opinion confirms it:
0.7 with the default settings, below which MTCNN reports nothing"""


class FrameAction(Enum):
    """What the tracker did with a frame."""

    SKIPPED = 0
    FOLLOWED = 1
    SEARCHED = 2


class FaceTracker:
    """Takes the frames of one shot after the other, in order.

    Attributes:
        statistics: counts of what was done, for the whole video.
    """

    def __init__(
        self,
        schedule: DetectionSchedule,
        refiner: FaceRefiner,
        follower: BoxFollower,
        settings: AnalysisSettings,
        pace: FramePace,
        confirm: Confirmation | None = None,
    ) -> None:
        """confirm: asked about weak detections; None: they start no track."""
        self._pace = pace
        self._confirm = confirm
        self._schedule = schedule
        self._follower = follower
        self._score_scale = refiner.score_scale
        self._settings = settings
        # Small newcomers may wait for two searches.
        self._backward = BackwardTracker(refiner, 2 * settings.search_interval, pace)
        # A face that comes back in time is only found by the next search for newcomers.
        patience_s = settings.max_occlusion + settings.search_interval * LOST_INTERVAL_SHARE
        self._patience = round(patience_s * pace.rate) + 1
        self._tracks: list[Track] = []
        self._recently_ended: list[Track] = []
        self._ended: list[Track] = []
        self._next_id = 0
        self._skipped: list[tuple[int, LazyImage]] = []
        self._tick = self._last_followed = 0
        self._visible_before: set[int] = set()
        self.statistics = {"full_detections": 0, "look_outs": 0, "faces_followed": 0, "faces_lost": 0}

    @property
    def visible(self) -> list[Track]:
        """Tracks whose face is in the last frame that was not skipped."""
        return [t for t in self._tracks if t.hidden == 0]

    @property
    def expects_skip(self) -> bool:
        """Whether the next frame will probably be skipped: the faces were followed a moment ago."""
        return self._may_skip(self._tick + 1)

    def update(self, frame: int, image: LazyImage, tick: int | None = None) -> FrameAction:
        """Take the next frame. image: analysis size; kept for a second. tick: see `FrameTicks`; `frame` if None."""
        self._tick = frame if tick is None else tick
        search = self._schedule.due(self._tick, image, self._known(), lost=self._is_somebody_lost())
        if search is Search.NOTHING and self._may_skip(self._tick):
            self._skipped.append((frame, image))
            self._backward.history.append(frame, image)
            return FrameAction.SKIPPED
        self._last_followed = self._tick
        self._catch_up(frame, image)
        if search is not Search.NOTHING:
            self._detect(frame, image, search)
        self._backward.history.append(frame, image)
        self._end_lost_tracks()
        return FrameAction.FOLLOWED if search is Search.NOTHING else FrameAction.SEARCHED

    def _may_skip(self, tick: int) -> bool:
        """Whether faces need not be followed at `tick`: they were a moment ago, or a while ago and all are calm."""
        elapsed = tick - self._last_followed
        if not self._follower.stateless or elapsed >= self._pace.calm_stride:
            return False
        if elapsed < self._pace.follow_stride:
            return True
        return all(is_calm(track, self._score_scale, self._pace) for track in self._tracks)

    def search_last_frame(self) -> bool:
        """Search the last frame of a shot, which may hold newcomers; False if it was searched already."""
        history = self._backward.history
        if not history or self._schedule.last_search == self._tick:
            return False
        frame, image = history.pop()
        if self._skipped and self._skipped[-1][0] == frame:
            self._skipped.pop()
            self._catch_up(frame, image)
        if self._schedule.has_changed(image, self._known()):
            self._detect(frame, image, Search.NEWCOMERS)
        history.append(frame, image)
        return True

    def outlasts_absence(self, tick: int) -> bool:
        """Whether the last frame is shown so long, until `tick`, that a face that is not in it is gone for good."""
        return tick - self._tick > self._patience

    def end_hidden(self) -> None:
        """End the tracks whose face was not in the last frame that was not skipped."""
        self._end_all([t for t in self._tracks if t.hidden > 0])

    def end_shot(self) -> None:
        """The next frame belongs to another shot: all tracks end."""
        self._end_all(self._tracks)
        self._recently_ended = []
        self._backward.history.clear()
        self._skipped.clear()
        self._schedule.start_shot()

    def take_ended(self) -> list[Track]:
        """Tracks that have ended since the last call, in that order; each lies within one shot."""
        ended, self._ended = self._ended, []
        return ended

    def _is_somebody_lost(self) -> bool:
        return any(t.hidden > 0 for t in self._tracks)

    def _known(self) -> FloatArray:
        """(N, 4) boxes of the visible faces."""
        return np.stack([t.box for t in self.visible]) if self.visible else np.zeros((0, 4), np.float32)

    def _catch_up(self, frame: int, image: LazyImage) -> None:
        """Follow all faces into this frame: in one step if that goes well, else through the skipped ones."""
        skipped, self._skipped = self._skipped, []
        proposal = self._propose(frame, image)
        if proposal is None:
            return
        verdict = accept(proposal, self._score_scale)
        if len(skipped) < self._pace.follow_stride or stays_calm(proposal, verdict, self._score_scale):
            self._commit(frame, proposal, verdict)
            return
        steps = [*skipped, (frame, image)][:: -self._pace.follow_stride]
        for number, earlier in reversed(steps):
            proposal = self._propose(number, earlier)
            if proposal is not None:
                self._commit(number, proposal, accept(proposal, self._score_scale))

    def _propose(self, frame: int, image: LazyImage) -> Proposal | None:
        for track in self._tracks:
            track.hidden = frame - track.frames[-1]
        return propose(self._follower, image, self._tracks, self._pace)

    def _commit(self, frame: int, proposal: Proposal, verdict: Verdict) -> None:
        """Write what was accepted into the tracks, and tell the monitor how it went."""
        found = proposal.found
        for row, track in enumerate(proposal.tracks):
            values = frame, found.boxes[row], float(found.scores[row]), found.landmarks[row]
            seen = bool(verdict.seen[row])
            if track.id in self._visible_before:
                self._schedule.monitor.record(seen)
                self.statistics["faces_followed" if seen else "faces_lost"] += 1
            if seen:
                track.append(*values)
            elif verdict.possible[row]:
                track.append_possible(*values)
        self._visible_before = {t.id for t in self.visible}

    def _detect(self, frame: int, image: LazyImage, search: Search) -> None:
        everywhere = search is Search.EVERYWHERE
        self.statistics["full_detections" if everywhere else "look_outs"] += 1
        found = self._schedule.run(self._tick, image, search, self._known(), lost=self._is_somebody_lost())
        explained = self._correct(image(), found, everywhere)
        for row in np.flatnonzero(~explained):
            if self._starts_track(image(), found[row : row + 1]):
                self._start_or_continue_track(frame, image(), found[row : row + 1])

    def _starts_track(self, image: ByteArray, face: Detections) -> bool:
        if face.scores[0] >= self._settings.face_score:
            return True
        if self._confirm is None or face.scores[0] < self._settings.face_score - WEAKER:
            return False
        return self._confirm(image, face.boxes[0], face.landmarks[0])

    def _correct(self, image: ByteArray, found: Detections, everywhere: bool) -> NDArray[np.bool_]:
        """Match detections with visible tracks; (N,) bool of the detections that are explained by one."""
        visible = self.visible
        explained = np.zeros(len(found), bool)
        if everywhere:
            for track in visible:
                track.full_searches += 1
        if len(found) == 0 or not visible:
            return explained
        overlap = iou_matrix(found.boxes, np.stack([t.box for t in visible]))
        _, columns, _ = lap.lapjv(-overlap, extend_cost=True)
        for row, column in enumerate(columns):
            if column >= 0 and overlap[row, column] >= MIN_OVERLAP:
                explained[row] = True
                track = visible[column]
                if everywhere:
                    track.confirmations += 1
                track.correct_last(found.boxes[row], float(found.scores[row]), found.landmarks[row])
                self._follower.start(track.id, image, track.box)
        # A second box on a known face is no newcomer.
        return np.asarray(explained | (overlap.max(1) >= MIN_OVERLAP))

    def _start_or_continue_track(self, frame: int, image: ByteArray, face: Detections) -> None:
        """Start a track for a face that no visible track explains, or continue the hidden track that it belongs to."""
        track = self._returning(face)
        if track is None:
            track = Track(self._next_id, full_searches=1, confirmations=1)
            self._next_id += 1
            self._tracks.append(track)
        track.append(frame, face.boxes[0], float(face.scores[0]), face.landmarks[0])
        self._follower.start(track.id, image, track.box)
        occupied = partial(self._occupied, track)
        self._backward.extend(track, occupied)
        self._backward.fill_gap(track, occupied)
        track.restart_motion()

    def _returning(self, face: Detections) -> Track | None:
        """The hidden track that the face continues: near to where it was or was going, of about its size.

        If there are several, the one seen last: faces come back to places where they were before.
        """
        box = face.boxes[0]
        size = float((box[2:] - box[:2]).mean())
        best, best_rank = None, (self._patience + 1, 0.0)
        for track in self._tracks:
            if track.hidden == 0 or not 1 / MAX_SIZE_RATIO < size / track.size < MAX_SIZE_RATIO:
                continue
            shifts = np.stack([box - track.box, box - track.expected(self._pace)])
            distance = float(np.linalg.norm(shifts[:, :2] + shifts[:, 2:], axis=1).min()) / (2 * track.size)
            if distance < MAX_RETURN_DISTANCE and (track.hidden, distance) < best_rank:
                best, best_rank = track, (track.hidden, distance)
        return best

    def _occupied(self, track: Track, frame: int, box: FloatArray) -> bool:
        """Whether another track has a face at `box` (1, 4) in an earlier frame."""
        near = [
            t.box_near(frame, self._pace.calm_stride) for t in (*self._tracks, *self._recently_ended) if t is not track
        ]
        others = [other for other in near if other is not None]
        return bool(others) and bool((iou_matrix(box, np.stack(others)) > SAME_FACE_OVERLAP).any())

    def _end_lost_tracks(self) -> None:
        self._end_all([t for t in self._tracks if t.hidden > self._patience])

    def _end_all(self, lost: Sequence[Track]) -> None:
        for track in lost:
            self._end(track)
        self._tracks = [t for t in self._tracks if t not in lost]

    def _end(self, track: Track) -> None:
        self._follower.stop(track.id)
        self._ended.append(track)
        oldest = self._backward.history.oldest
        self._recently_ended = [t for t in (*self._recently_ended, track) if t.frames[-1] >= oldest]
