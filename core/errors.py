"""All errors of the program, as one tree.

Every error names the file, the stage and a hint what to do, so that `str(error)` is one useful line for the user.
"""

from __future__ import annotations

from pathlib import Path

from utils.console.printable_text import ascii_safe


class PipelineError(Exception):
    """Base of all errors that the program raises on purpose.

    Attributes:
        path: the file or folder the error is about, or None.
        stage: the stage that failed ("probe", "decode", "detect", "encode", ...), or "".
        hint: what the user can do about it, or "".
    """

    def __init__(self, message: str, *, path: Path | str | None = None, stage: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = None if path is None else Path(path)
        self.stage = stage
        self.hint = hint

    def __str__(self) -> str:
        # Escaped, because a newline in a file name must not make two lines of it.
        where = "" if self.path is None else f"{ascii_safe(self.path.name)}: "
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.message}{hint}"


class SettingsError(PipelineError):
    """A setting, flag or configuration file is wrong; nothing has been started."""


class ModelError(PipelineError):
    """The weights or the runtime of a model are missing or wrong."""


class ModelUnavailableError(ModelError):
    """The weights are not on this machine and could not be downloaded."""


class ModelChecksumError(ModelError):
    """A weights file does not have the expected sha256."""


class ModelDamagedError(ModelError):
    """A converted network in the cache could not be loaded and was removed; it can be converted again."""


class GPUMemoryError(ModelError):
    """The device ran out of memory."""


class WorkerCrashError(PipelineError):
    """The worker process was killed by a signal, and no input can be identified as the cause."""


class WorkerGoneError(PipelineError):
    """A worker on a node of a cluster has ended or cannot be reached; another may repeat its job."""


class DeadDeviceError(PipelineError):
    """The GPU failed, and this process cannot use it any more; a new process may be able to.

    CUDA answers every later call with the same error.
    """


class ToolMissingError(PipelineError):
    """A program that the run needs (ffmpeg with an H.264 encoder) is missing."""


class VideoProcessingError(PipelineError):
    """One input video could not be processed; the others continue."""


class InvalidVideoError(VideoProcessingError):
    """The input is not a usable video."""


class DecodeError(VideoProcessingError):
    """The frames or the audio of the video cannot be decoded."""


class EncodeError(VideoProcessingError):
    """A clip could not be written."""

    def __init__(self, message: str, *, path: Path | str | None = None, stage: str = "encode", hint: str = "") -> None:
        super().__init__(message, path=path, stage=stage, hint=hint)


class OutputError(PipelineError):
    """An output folder or file cannot be written."""


class LeaseHeldError(OutputError):
    """Another process is working on the same thing.

    Attributes:
        holder: that process in words, "process 17 on node3".
    """

    def __init__(self, holder: str, *, path: Path) -> None:
        super().__init__(f"another run is working on this ({holder})", path=path, hint="wait until it has ended")
        self.holder = holder


class LeaseLostError(OutputError):
    """Another process has taken the work over, because this one did not answer for too long."""


class GalleryError(PipelineError):
    """The gallery of known people cannot be used or written; a run goes on without names."""


class PhotoError(PipelineError):
    """A photo cannot be used; others go on."""


class InterruptedRunError(PipelineError):
    """The user asked the run to stop."""
