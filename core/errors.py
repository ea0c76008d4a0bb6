"""The one error tree of the program.

Every error carries the file it is about, the stage it happened in and a hint what to do, so that
whoever catches it can print one useful line. `str(error)` is that line.
"""

from __future__ import annotations

from pathlib import Path


class PipelineError(Exception):
    """Base of everything the program raises on purpose.

    Attributes:
        path: the file or folder the error is about, or None.
        stage: the step that failed ("probe", "decode", "detect", "encode", ...), or "".
        hint: what the user can do about it, or "".
    """

    def __init__(self, message: str, *, path: Path | str | None = None, stage: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = None if path is None else Path(path)
        self.stage = stage
        self.hint = hint

    def __str__(self) -> str:
        # repr-like escaping keeps a newline in a file name from breaking the one-line promise.
        where = "" if self.path is None else f"{ascii_safe(self.path.name)}: "
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.message}{hint}"


class SettingsError(PipelineError):
    """A setting, flag or configuration file is wrong; nothing was started."""


class ModelError(PipelineError):
    """A model's weights or runtime cannot be had, or are not what they should be."""


class ModelUnavailableError(ModelError):
    """The weights are not on this machine and could not be downloaded."""


class ModelChecksumError(ModelError):
    """A weights file does not have the sha256 that the registry demands."""


class ModelDamagedError(ModelError):
    """A converted network in the cache cannot be loaded; it was removed and can be made again."""


class GPUMemoryError(ModelError):
    """The device had not enough memory even for the smallest batch."""


class WorkerCrashError(PipelineError):
    """The process that does the work died by a signal, and no input can be held responsible."""


class DeadDeviceError(PipelineError):
    """The GPU failed in such a way that this process cannot use it any more; a new process may.

    CUDA answers every later call with the same error, whatever it is asked.
    """


class ToolMissingError(PipelineError):
    """A program that the run needs (ffmpeg with an H.264 encoder) is not there."""


class VideoProcessingError(PipelineError):
    """One input video could not be processed; others go on."""


class InvalidVideoError(VideoProcessingError):
    """The input is not a video that can be used."""


class DecodeError(VideoProcessingError):
    """The video's pictures or sound cannot be decoded."""


class EncodeError(VideoProcessingError):
    """A clip could not be written.

    Attributes:
        command: argv of the encoder, or ().
        exit_code: its exit status, or None where it never ended by itself.
        stderr_tail: the end of what it said.
    """

    def __init__(
        self,
        message: str,
        *,
        path: Path | str | None = None,
        stage: str = "encode",
        hint: str = "",
        command: tuple[str, ...] = (),
        exit_code: int | None = None,
        stderr_tail: str = "",
    ) -> None:
        super().__init__(message, path=path, stage=stage, hint=hint)
        self.command = command
        self.exit_code = exit_code
        self.stderr_tail = stderr_tail


class OutputError(PipelineError):
    """An output folder or file cannot be written."""


class GalleryError(PipelineError):
    """The gallery of known people cannot be used or written; a run goes on without names."""


class PhotoError(PipelineError):
    """A photo cannot be used; others go on."""


class InterruptedRunError(PipelineError):
    """The user asked the run to stop."""


def ascii_safe(text: str) -> str:
    """`text` with control characters, line separators and lone surrogates escaped, other letters kept."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
