"""One video of a run: which it is, where its results go, and how they are made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from config import Settings
from core.lease import LeaseTicket
from core.types import VideoInfo
from utils.fingerprints import Fingerprint


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """What `VideoProcessor` is asked to do.

    fingerprint: of the video. folder: its output folder; it changes only when the new results are complete.
    settings: those that the folder is made with. lease: of the folder; None where nobody else can write to it.
    """

    info: VideoInfo
    folder: Path
    fingerprint: Fingerprint
    settings: Settings
    lease: LeaseTicket | None = None
