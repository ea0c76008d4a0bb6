"""What is to be done about one input, found out before anything heavy begins."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import Settings
from core.errors import PipelineError, ascii_safe
from core.types import VideoInfo
from core.video_probe import probe_video
from processors.batch_inputs import BatchInput
from processors.output_folder import check_writable, done_manifest
from utils.fingerprints import Fingerprint, fingerprint

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A video that is to be processed."""

    source: BatchInput
    info: VideoInfo
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class Inspection:
    """Either a `job` to do, the `manifest` of what is done already, or the `reason` why nothing can be done."""

    job: Job | None = None
    manifest: dict[str, Any] | None = None
    reason: str = ""


def inspect_input(source: BatchInput, output_dir: Path, settings: Settings) -> Inspection:
    """Find out whether `source` is done, can be done, or why not; reads little and changes nothing."""
    try:
        if source.problem:
            return Inspection(reason=source.problem)
        folder = output_dir / source.name
        mark = fingerprint(source.path)
        if not settings.run.overwrite and (manifest := done_manifest(folder, mark, settings)):
            return Inspection(manifest=manifest)
        check_writable(folder)
        return Inspection(job=Job(source, probe_video(source.path), mark))
    except Exception as error:
        return Inspection(reason=one_line_reason(source, error))


def one_line_reason(source: BatchInput, error: Exception) -> str:
    """One line for `error`; the traceback goes to the log of those who asked for details."""
    logger.debug("%s", source.label, exc_info=error)
    if isinstance(error, PipelineError):
        return ascii_safe(f"{error.message} ({error.hint})" if error.hint else error.message)
    if isinstance(error, OSError) and error.strerror:
        return ascii_safe(
            error.strerror if error.filename is None else f"{error.strerror}: {Path(error.filename).name}"
        )
    return ascii_safe(f"unexpected {type(error).__name__}: {error} (run again with -v for the details)")
