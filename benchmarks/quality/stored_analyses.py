"""Analyses that several benchmarks and their tests ask for, each made once."""

from __future__ import annotations

from pathlib import Path

from config import Settings
from core.analysis_file import AnalysisRecord
from core.analysis_store import AnalysisStore
from core.media.video_probe import probe_video
from core.model_manager import ModelManager
from core.models.networks.weights import chosen_cache_dir
from core.types import FaceAnalysis, Timeline
from processors.face_analyzer import FaceAnalyzer
from processors.id_timeline_generator import IdTimelineGenerator
from processors.video.analysis_key import analysis_key
from utils.fingerprints import fingerprint


def analysed(path: Path, settings: Settings, models: ModelManager) -> tuple[FaceAnalysis, str]:
    """The analysis of a video, out of the cache folder of the settings where it is there, and its key.

    Test processes that run side by side share that folder, so no clip is analysed twice.
    """
    store = AnalysisStore(chosen_cache_dir(settings.run.cache_dir), settings.run.cache_mb * 2**20)
    key = analysis_key(fingerprint(path), settings, models.embedder.name)
    info = probe_video(path)
    record = store.load(key, info)
    if record is None:
        record = AnalysisRecord(key, FaceAnalyzer(settings, models).analyze(info), models.describe(), ())
        store.save(record)
    return record.analysis, key


def analysed_people(path: Path, settings: Settings, models: ModelManager) -> tuple[FaceAnalysis, Timeline]:
    """The same analysis, and who is who in it."""
    analysis, _ = analysed(path, settings, models)
    return analysis, IdTimelineGenerator(settings.identity, settings.clip).generate(analysis)
