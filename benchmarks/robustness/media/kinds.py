"""The kinds of the media campaign, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.robustness.media import (
    audio_layouts,
    edits_and_fragments,
    equal_names,
    frame_rates,
    late_streams,
    lying_indexes,
    odd_containers,
    stream_changes,
    times_and_ends,
)
from benchmarks.robustness.media.batches import Program, run_kind
from benchmarks.robustness.media.case import MediaOutcome

Kind = Callable[[Path, Program], Iterator[MediaOutcome]]
"""makes its cases in a folder, runs the program on them and yields the outcome of each"""

KINDS: dict[str, Kind] = {
    **{
        module.KIND: partial(run_kind, module.cases)
        for module in (
            audio_layouts,
            stream_changes,
            late_streams,
            lying_indexes,
            frame_rates,
            odd_containers,
            edits_and_fragments,
            times_and_ends,
        )
    },
    equal_names.KIND: equal_names.outcomes,
}
