"""What one call of the program is asked to process."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from config import Settings
from processors.batch.batch_inputs import BatchInput


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """Inputs, the folder below which each gets its own, and the settings.

    given: names of the settings that the user asks for, "section.name"; in all others a finished folder keeps the
    settings that it was made with. None: all of them.
    """

    inputs: Sequence[BatchInput]
    output_dir: Path
    settings: Settings
    given: Collection[str] | None = None
