"""The observer that every analysis has: sharpness, samples of each face and their embeddings, portraits, divisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np

from core.model_manager import ModelManager
from core.types import ByteArray, FloatArray
from processors.faces.analysis_frame import AnalysisFrame
from processors.faces.appearance import appearance
from processors.faces.dissolve_watch import DissolveWatch
from processors.faces.face_observer import Measurement
from processors.faces.pass_plan import PassPlan
from processors.faces.sudden_change import frame_of_change
from processors.faces.track_check import TrackCheck
from processors.faces.track_division import Transition, division_frame
from processors.faces.track_stretches import TrackStretches
from processors.faces.tracklet_maker import Findings, KeptPortrait, tracklet_frames
from processors.tracking.face_stream import FrameFaces
from processors.tracking.row_buffer import FrameValues
from processors.tracking.track import Track
from utils.processes.spill_file import SpillFile
from utils.processes.stage_times import timed


@dataclass(slots=True)
class _ObservedTrack:
    stretches: TrackStretches
    sharpness: FrameValues = field(default_factory=FrameValues)
    landmarks: FloatArray | None = None
    """(5, 2), analysis pixels, of the last look"""

    def look_in_place(self, image: ByteArray) -> Callable[[], FloatArray] | None:
        """What gives the look of `image` where the face was last seen; None if it was not."""
        landmarks = self.landmarks
        return None if landmarks is None else lambda: appearance(image, landmarks).look


class SamplingObserver:
    """A `FaceObserver`. Columns: sharpness, sample_frames, sample_quality, embeddings."""

    def __init__(self, models: ModelManager, plan: PassPlan, scale: FloatArray) -> None:
        """scale: (2,) source pixels per analysis pixel, x and y."""
        self._models = models
        self._plan = plan
        self._scale = scale
        self._check = TrackCheck(models, plan.frame_rate, is_overexposed=plan.is_overexposed)
        self._tracks: dict[int, _ObservedTrack] = {}
        self._dissolves = DissolveWatch(plan.frame_rate)
        # As pixels, those of an hour would be 650 MB by its end, as JPEGs 50.
        self._portraits = SpillFile()

    @timed("sample")
    def on_faces(self, frame: AnalysisFrame, faces: FrameFaces) -> None:
        """Measure all faces; sample them if the frame was searched, and now and then.

        Raises:
            ModelError: a model cannot be had, or fails.
        """
        image = frame.image()
        self._dissolves.note_frames(frame.index, [*frame.earlier, frame.image.thumbnail])
        sides = np.tile((frame.image.width, frame.image.height), 2)
        for face in faces.faces:
            observed = self._observed(face.track)
            seen = appearance(image, face.landmarks, frame.image.gain)
            observed.sharpness.note(frame.index, seen.sharpness)
            observed.stretches.look(frame.index, face.box, seen, observed.look_in_place(image))
            observed.landmarks = face.landmarks
            if (skipped := observed.stretches.switched_within) > 1:
                images = [*frame.earlier, frame.image.thumbnail][-skipped - 1 :]
                first = frame.index + 1 - len(images) + frame_of_change(images, face.box / sides)
                observed.stretches.note_begin(first)
            if faces.searched or observed.stretches.wants_sample(frame.index):
                box, landmarks = face.box * np.tile(self._scale, 2), face.landmarks * self._scale
                observed.stretches.offer(frame.source, box, face.score, landmarks, seen)
            dissolve = self._dissolves.find(face.track, frame.index, face.box / sides)
            if dissolve is not None:
                observed.stretches.note_dissolve(*dissolve)

    def on_gradual_transition(self, middle: int) -> None:
        """Keep the faces of both sides apart."""
        for observed in self._tracks.values():
            observed.stretches.note_gradual_transition(middle)

    def on_track_end(self, track: Track) -> Measurement:
        """Its measurement judges the track as a whole, and finds out where its face changes if it is one.

        The measurement raises:
            ModelError: a model cannot be had, or fails.
        """
        observed = self._observed(track.id)
        del self._tracks[track.id]
        self._dissolves.forget(track.id)
        return partial(self._measured, track, observed)

    @timed("embed")
    def _measured(self, track: Track, observed: _ObservedTrack) -> Findings | None:
        with_pixels = [sample for sample in observed.stretches.samples() if sample.wide.size]
        if not self._check.is_face(track, with_pixels):
            return None
        stretches = observed.stretches.finish()
        samples = observed.stretches.samples()
        embeddings = [s.embedding for s in samples if s.embedding is not None]
        none = self._models.embedder.embed(np.zeros((0, *2 * (self._models.embedder.side,), 3), np.uint8))
        changes = {
            after.begin or division_frame(track.frames, track.boxes, before.last, after.first): after.transition
            for before, after in pairwise(stretches)
            if after.starts_person
        }
        return Findings(
            columns={
                "sharpness": observed.sharpness.nearest(tracklet_frames(track)),
                "sample_frames": np.array([s.frame for s in samples], np.int64),
                "sample_quality": np.array([s.quality for s in samples], np.float32),
                "embeddings": np.stack(embeddings) if embeddings else none,
            },
            divisions=list(changes),
            switches=[frame for frame, transition in changes.items() if transition is Transition.SWITCHED],
            dissolves=[frame for frame, transition in changes.items() if transition is Transition.DISSOLVED],
            portraits=[
                KeptPortrait(one.frame, one.merit, self._portraits.add(one.jpeg()))
                for stretch in stretches
                if (one := stretch.sampler.portrait) is not None
            ],
        )

    def finish(self) -> None:
        """Nothing is left over: every track has ended."""

    def _observed(self, track: int) -> _ObservedTrack:
        if track not in self._tracks:
            capacity, rate = self._plan.settings.faces_per_track, self._plan.frame_rate
            self._tracks[track] = _ObservedTrack(TrackStretches(self._models.embedder, capacity, rate))
        return self._tracks[track]
