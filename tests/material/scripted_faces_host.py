"""A host for worker processes of tests: real files with scripted faces, as `killed_run` has them in one process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from processors import face_analyzer
from processors.batch.job_host import JobHost
from processors.batch.job_link import HostTerms, JobLink
from processors.batch.remote_namer import RemoteNamer
from processors.batch.video_processor_factory import VideoProcessorFactory
from processors.results import analysis_key
from tests.material.killed_run import NoModels, ScriptedAnalyzer


def scripted_faces_host(terms: HostTerms, link: JobLink) -> JobHost:
    """Works on real files with the faces of `ScriptedAnalyzer`, as `killed_run` does in one process."""
    ScriptedAnalyzer.log = Path(terms.settings.run.cache_dir) / "analysed.log"
    face_analyzer.FaceAnalyzer = ScriptedAnalyzer  # type: ignore[misc,assignment]
    analysis_key.code_digest = lambda: "scripted"  # type: ignore[assignment]
    no_models: Any = NoModels()
    make = VideoProcessorFactory(terms.settings, terms.output_dir, lambda _: no_models, RemoteNamer(link))
    return JobHost(terms, link, make)
