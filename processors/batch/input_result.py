"""The outcome of one input of a batch."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from utils.console.printable_text import ascii_safe

if TYPE_CHECKING:
    from processors.batch.batch_inputs import BatchInput
    from processors.results.manifest import Manifest

Status = Literal["done", "cached", "duplicate", "refused", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class InputResult:
    """The outcome of one input. A plain value that can be sent to another process.

    label: the input as the user named it. name: its unique name within the batch.
    status: "cached" means that an earlier run did it; "duplicate" is the same video as another input, which is
        processed instead; "refused" is done, but the run was asked to replace its clips and did not.
    reason: one line; "" if the input is done. folder: name of its output folder, "" if unknown.
    people, clips: counts. duration_s: length of the video. wall_s: time spent on it, 0.0 if cached.
    analysis_cached: the analysis came from the cache. path: of the file, absolute and printable; it tells inputs of
        several runs apart. last_run: False for what an earlier run said and nobody has done since.
    """

    label: str
    name: str
    status: Status
    reason: str = ""
    people: int = 0
    clips: int = 0
    duration_s: float = 0.0
    wall_s: float = 0.0
    analysis_cached: bool = False
    folder: str = ""
    path: str = ""
    last_run: bool = True


def finished(
    source: BatchInput,
    folder: Path | None,
    status: Literal["done", "cached"],
    manifest: Manifest,
    wall_s: float = 0.0,
    *,
    analysis_cached: bool = False,
) -> InputResult:
    """Return the result of an input whose results, described by `manifest`, are complete in `folder`."""
    return InputResult(
        source.label,
        source.name,
        status,
        people=len(manifest.people),
        clips=len(manifest.clips),
        duration_s=manifest.video.duration_s,
        wall_s=wall_s,
        analysis_cached=analysis_cached,
        folder=_folder_name(folder),
        path=_path(source),
    )


def duplicate(source: BatchInput, folder: Path | None, original: BatchInput) -> InputResult:
    """Return the result of an input that is the same video as `original`."""
    reason = f"the same video as {original.label}"
    folder_name = _folder_name(folder)
    return InputResult(source.label, source.name, "duplicate", reason, folder=folder_name, path=_path(source))


def refused(source: BatchInput, folder: Path | None, manifest: Manifest, reason: str) -> InputResult:
    """Return the result of an input whose finished results stay as they are, although the run asks for others."""
    return replace(finished(source, folder, "cached", manifest), status="refused", reason=reason)


def failed(source: BatchInput, reason: str) -> InputResult:
    """Return the result of an input that cannot be processed."""
    return InputResult(source.label, source.name, "failed", reason, path=_path(source))


def interrupted(source: BatchInput, reason: str) -> InputResult:
    """Return the result of an input that was not finished because the run ended."""
    return InputResult(source.label, source.name, "interrupted", reason, path=_path(source))


def _path(source: BatchInput) -> str:
    return ascii_safe(os.path.abspath(source.path))  # noqa: PTH100 - links are not followed, and ".." is resolved


def _folder_name(folder: Path | None) -> str:
    # Imported only now: the supervisor, which must start at once, knows results too.
    from processors.results.result_tree import folder_name

    return "" if folder is None else folder_name(folder)
