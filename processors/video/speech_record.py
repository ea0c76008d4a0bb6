"""Adds the speech signal to an analysis: a stored one, or one made by another pass over the parts with a voice."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from config import Settings
from core.analysis_file import AnalysisRecord
from core.analysis_store import AnalysisStore
from core.errors import ModelUnavailableError
from core.thread_budget import thread_budget
from core.types import FaceAnalysis, FloatArray, VideoInfo
from processors.speech.person_turns import SPEECH_SIGNAL
from processors.video.analysis_key import speech_key
from utils.console.printable_text import ascii_safe
from utils.console.stage_monitor import StageMonitor
from utils.processes.stage_times import timed

if TYPE_CHECKING:
    from processors.speech.speech_models import SpeechFiles

logger = logging.getLogger(__name__)

NO_AUDIO = "has no audio that can be played: who speaks is unknown"
NO_AUDIO_NO_CLIPS = "has no audio that can be played, so no clips of people speaking (--when visible makes others)"


def speech_files(info: VideoInfo, settings: Settings) -> SpeechFiles | None:
    """The files of the models that `info` needs; None if speech is not asked for, or cannot be analysed.

    Raises:
        ModelError: models are missing that the clips or a wanted export depend on.
    """
    if not settings.wants_speech or info.default_audio is None:
        return None
    from processors.speech.speech_models import find_speech_files

    try:
        return find_speech_files(settings)
    except ModelUnavailableError as error:
        if settings.speech.when == "speaking" or "speech" in settings.output.export:
            raise
        logger.warning("%s: speakers cannot be found: %s", ascii_safe(info.path.name), error)
        return None


@timed("speech")
def with_speech(
    record: AnalysisRecord, settings: Settings, store: AnalysisStore | None, monitor: StageMonitor
) -> AnalysisRecord:
    """`record` with the signal `SPEECH_SIGNAL` of every tracklet, if the settings ask for it and there is audio.

    Raises:
        ModelError: see `speech_files`; or a model cannot be read.
        DecodeError: the video cannot be opened any more.
        InterruptedRunError: the monitor's `stop` was set.
    """
    if not settings.wants_speech:
        return record
    analysis = record.analysis
    if analysis.video.default_audio is None:
        warning = NO_AUDIO_NO_CLIPS if settings.speech.when == "speaking" else NO_AUDIO
        if not settings.speech.is_shown:
            return record
        logger.warning("%s: %s", ascii_safe(analysis.video.path.name), warning)
        return _described(record, {}, (warning,))
    files = speech_files(analysis.video, settings)
    if files is None:
        missing = ("speakers were not found because the models are missing",) if settings.speech.is_shown else ()
        return _described(record, {}, missing)
    key = speech_key(record.key, files.describe(), analysis.video.chosen_audio)
    columns = None if store is None else store.load_signal(key, record)
    if columns is None:
        columns = _computed_signal(analysis, settings, monitor)
        if columns is None:
            return record
        if store is not None:
            store.save_signal(key, record.key, columns)
    record = dataclasses.replace(record, analysis=_with_signal(analysis, columns))
    return _described(record, {"speech": files.describe()} if settings.speech.is_shown else {}, ())


def _computed_signal(analysis: FaceAnalysis, settings: Settings, monitor: StageMonitor) -> dict[int, FloatArray] | None:
    """The speech signal by tracklet id, (T,) float32 each; None if the audio cannot be used."""
    from processors.speech.speech_models import load_speech_models
    from processors.speech.speech_pass import find_speech

    models, threads = load_speech_models(settings), thread_budget(settings.run.threads).decode
    found = find_speech(analysis, models, decode_threads=threads, stop=monitor.stop)
    if found is None:
        return None
    logger.debug("%.1f s with a voice, %.1f face-seconds looked at", found.voiced_s, found.looked_at_s)
    return found.columns


def _described(record: AnalysisRecord, models: Mapping[str, object], warnings: tuple[str, ...]) -> AnalysisRecord:
    return dataclasses.replace(record, models={**record.models, **models}, warnings=(*record.warnings, *warnings))


def _with_signal(analysis: FaceAnalysis, columns: Mapping[int, FloatArray]) -> FaceAnalysis:
    tracklets = tuple(
        dataclasses.replace(tracklet, signals={**tracklet.signals, SPEECH_SIGNAL: columns[tracklet.id]})
        for tracklet in analysis.tracklets
    )
    return dataclasses.replace(analysis, tracklets=tracklets)
