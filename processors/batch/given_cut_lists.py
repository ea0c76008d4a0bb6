"""Which list of cuts belongs to which input of a run."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path

from core.errors import SettingsError
from processors.batch.batch_inputs import BatchInput
from processors.shots.cut_list import SUFFIXES, read_cut_list

logger = logging.getLogger(__name__)


def with_cuts(inputs: Sequence[BatchInput], place: str) -> tuple[BatchInput, ...]:
    """`inputs` with the cuts that were given for them.

    place: the file with the cuts of the only input, or a folder with a file for each input, named like the video. Those
        of videos in folders inside folders lie in folders of the same names.
    Cuts are looked for as usual in videos without such a file.

    Raises:
        SettingsError: there is no such file or folder, a list is malformed, or it is not said which video it is for.
    """
    path = Path(place)
    if path.is_dir():
        found = [_list_of(source, path) for source in inputs]
        missing = [source.label for source, file in zip(inputs, found, strict=True) if file is None]
        if len(missing) == len(inputs):
            names = " or ".join(f"{inputs[0].path.stem}{suffix}" for suffix in SUFFIXES)
            raise SettingsError(f"has no cuts of any input, e.g. {names}", path=path)
        for label in missing:
            logger.info("%s: no list of cuts in %s, looking for cuts", label, path)
    elif not path.is_file():
        raise SettingsError("--cuts: there is no such file or folder", path=path)
    elif len(inputs) != 1:
        hint = "for several videos, name a folder with a file for each, e.g. VIDEO.csv"
        raise SettingsError(f"--cuts: one file for {len(inputs)} videos", path=path, hint=hint)
    else:
        found = [path]
    return tuple(
        source if file is None else dataclasses.replace(source, cuts=read_cut_list(file))
        for source, file in zip(inputs, found, strict=True)
    )


def _list_of(source: BatchInput, folder: Path) -> Path | None:
    place = folder / Path(source.name).parent
    candidates = (place / f"{source.path.stem}{suffix}" for suffix in SUFFIXES)
    return next((file for file in candidates if file.is_file()), None)
