"""Decides whether a finished track shows a face at all, by its scores, the searches that found it, second opinions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.model_manager import ModelManager
from core.types import ByteArray
from processors.faces.face_sampler import FaceSample
from processors.faces.tracklet_maker import least_frames
from processors.tracking.frame_pace import FramePace
from processors.tracking.track import Track
from utils.images.face_roll import UPRIGHT_ROLL, median_roll
from utils.images.noise import without_noise
from utils.images.tone_stretch import darkened, is_narrow, stretched
from utils.processes.stage_times import timed

SURE_CONFIRMATIONS = 0.7
"""a track with a sure median score and this share of full detections that found it needs no second opinion"""

MIN_DOUBTFUL_S = 0.5
"""shorter doubtful tracks are flicker"""

MIN_OPINION = 0.6
"""least verifier score of a face. On the development clips real faces reach 0.95 or more, profiles and 34 px faces
included; hands, a clock and a necklace 0, a patterned cloth 0.5"""

SURE_S = 1.0
"""a shorter track with a sure score is verified all the same, unless its score is beyond doubt: a necklace and a
shoulder had median scores of 0.91 to 0.93 for half a second"""

MIN_SURE_OPINION = 0.1
"""least verifier score of such a track. Other things than faces get 0, half-hidden faces and closed eyes 0.1 to 0.4"""

OPINIONS = 3
"""samples that the verifier examines, 0.03 s each"""

QUICK_OPINIONS, MIN_QUICK_OPINIONS = 6, 2
"""most samples that the quick verifier examines before the other one, 2 ms each, and the number below which it is not
used"""

MIN_QUICK_OPINION = 0.8
"""least score by the quick verifier of a face, and least median of several. On the shared clips, where it was chosen,
hands and backs of heads reach 0.8 now and then; faces of 16 px, profiles and blurred ones have 0.8 to 0.88 in most
samples, and the other verifier knows hardly any of them (docs/decisions/faces.md)"""


MIN_SURE_QUICK_OPINION = 0.7
"""least score by the quick verifier of the best sample, or median of several, of a track that needs no second opinion
otherwise; below, the other one is asked. Where the image stands still, every full detection finds the same thing again:
a hand on a table had 0.53, while 144 faces that are sure had 0.80 or more"""

MIN_VISIBLE = 0.7
"""median visible share of a face below which nothing speaks against a sure track: both verifiers know halves of faces
poorly (YuNet gives them 0.3 to 0.8). Not fitted: half a face, or one without mouth and brows, shows less"""


class TrackCheck:
    """Asks the verifiers where a track leaves a doubt. Use from one thread."""

    def __init__(self, models: ModelManager, frame_rate: float, *, is_overexposed: bool = False) -> None:
        """is_overexposed: the tracks were found in darkened images."""
        self._models = models
        self._in_tones = darkened if is_overexposed else _as_tracked
        self._min_frames = least_frames(FramePace(frame_rate))
        self._min_doubtful = MIN_DOUBTFUL_S * frame_rate
        self._min_sure = SURE_S * frame_rate

    def is_face(self, track: Track, samples: Sequence[FaceSample]) -> bool:
        """samples: of the track, best first.

        Raises:
            ModelError: a verifier cannot be had.
        """
        length = track.frames[-1] - track.frames[0] + 1
        if length < self._min_frames:
            return False
        confirmed = track.confirmations / max(track.full_searches, 1)
        scale, score = self._models.detector.score_scale, float(np.median(track.scores))
        is_sure = score >= scale.sure_track and confirmed >= SURE_CONFIRMATIONS and not _is_tilted(track)
        if is_sure and (length >= self._min_sure or score >= scale.sure or not samples):
            with timed("second opinion"):
                return self._is_likely(samples)
        if not is_sure and (not samples or length < self._min_doubtful):
            return False
        with timed("second opinion"):
            return self._is_confirmed(samples, MIN_SURE_OPINION if is_sure else MIN_OPINION)

    def _is_likely(self, samples: Sequence[FaceSample]) -> bool:
        """Whether no verifier speaks against a face that is sure."""
        quick = self._models.quick_verifier
        if quick is None or len(samples) < MIN_QUICK_OPINIONS:
            return True
        if float(np.median([s.visible for s in samples])) < MIN_VISIBLE:
            return True
        crops = self._crops(samples)
        # One sample settles nearly all of them: six would take a twentieth of an analysis with many people.
        if any(float(np.median(quick.scores(part))) >= MIN_SURE_QUICK_OPINION for part in (crops[:1], crops)):
            return True
        return self._best_opinion(crops) >= MIN_SURE_OPINION

    def _is_confirmed(self, samples: Sequence[FaceSample], least: float) -> bool:
        """least: score by the slower verifier, which is asked if the quick one does not know the face."""
        crops = self._crops(samples)
        quick = self._models.quick_verifier
        if quick is not None and len(crops) >= MIN_QUICK_OPINIONS:
            is_known = float(np.median(quick.scores(crops))) >= MIN_QUICK_OPINION
            if is_known:
                return True
        return self._best_opinion(crops) >= least

    def _crops(self, samples: Sequence[FaceSample]) -> ByteArray:
        """(K, side, side, 3) of the best samples, as the tracker saw them."""
        return np.stack([self._in_tones(s.wide) for s in samples[:QUICK_OPINIONS]])

    def _best_opinion(self, crops: ByteArray) -> float:
        """Highest score by the slower verifier, of the first few crops."""
        return float(self._models.verifier.scores(crops[:OPINIONS]).max())


def _is_tilted(track: Track) -> bool:
    """Whether most of the faces are tilted: hands and clothes pass for such faces more easily."""
    return median_roll(track.landmarks.stacked()) > UPRIGHT_ROLL


def _as_tracked(crop: ByteArray) -> ByteArray:
    """The crop as the tracker saw it, which stretches the tones of dark and pale frames and smooths noisy ones."""
    return without_noise(stretched(crop)[0] if is_narrow(crop) else crop)
