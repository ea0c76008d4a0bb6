"""What is to be done about one input, found out before anything heavy begins."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import Settings
from core.errors import PipelineError, ascii_safe
from core.media.video_probe import probe_video
from core.types import VideoInfo
from processors.batch.batch_inputs import BatchInput
from processors.batch.folder_claims import FolderClaims
from processors.results.output_folder import check_writable, done_manifest
from utils.fingerprints import Fingerprint, fingerprint

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A video that is to be processed. folder: its output folder."""

    source: BatchInput
    info: VideoInfo
    fingerprint: Fingerprint
    folder: Path


@dataclass(frozen=True, slots=True)
class Inspection:
    """Either a `job` to do, the `manifest` of what is done already, `same_as`, or the `reason` why nothing can be done.

    same_as: another input of the batch that is the same video and stands for this one.
    folder: the output folder, where it is known.
    """

    job: Job | None = None
    manifest: dict[str, Any] | None = None
    same_as: BatchInput | None = None
    reason: str = ""
    folder: Path | None = None


def inspect_input(source: BatchInput, claims: FolderClaims, settings: Settings) -> Inspection:
    """Find out whether `source` is done, can be done, or why not; reads little and changes nothing.

    claims: those of the whole batch. Inputs may be inspected in any order and on any thread.
    """
    try:
        if source.problem:
            return Inspection(reason=source.problem)
        mark = fingerprint(source.path)
        folder = claims.output_dir / claims.folder_for(source, mark)
        if (other := claims.same_video(source, mark)) is not None:
            return Inspection(same_as=other, folder=folder)
        if not settings.run.overwrite and (manifest := done_manifest(folder, mark, settings)):
            return Inspection(manifest=manifest, folder=folder)
        check_writable(folder)
        return Inspection(job=Job(source, probe_video(source.path), mark, folder), folder=folder)
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
