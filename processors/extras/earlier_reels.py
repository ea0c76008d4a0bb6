"""Finds reels of finished results that can be reused, so that renaming one person does not remake all reels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.types import Clip
from processors.clips.clip_names import REEL_FILE
from processors.results.existing_results import ExistingResults
from processors.results.result_tree import FACE_FILE


@dataclass(frozen=True, slots=True)
class EarlierReels:
    """The reels of one folder, by person.

    folder: to which their files are relative. recipes: of the clips in each person's reel, in its order. faces: JPEG of
    each of these people, b"" without one.
    """

    folder: Path = Path()
    recipes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    faces: Mapping[str, bytes] = field(default_factory=dict)

    def find(self, name: str, clips: Sequence[Clip], face: bytes, drawn_name: str) -> Path | None:
        """The reel that shows `name` with `clips` and `face`; None if it has to be made.

        A clip's recipe includes the encoder and its settings. drawn_name: the text on the title; if it is not the name
        itself, it depends on the names of others.
        """
        recipes = tuple(clip.recipe for clip in clips)
        is_same = all(recipes) and self.recipes.get(name) == recipes and self.faces.get(name) == face
        return self.folder / name / REEL_FILE if is_same and drawn_name == name else None


def reel_order(clips: Sequence[Clip], person: str) -> list[Clip]:
    """The clips of the person in the order of the reel."""
    return sorted((clip for clip in clips if clip.person == person), key=lambda clip: (clip.start, clip.end))


def earlier_reels(existing: ExistingResults) -> EarlierReels:
    """The reels in the folder of `existing` that nobody has changed."""
    if existing.manifest is None:
        return EarlierReels()
    clips = [entry.clip for entry in existing.manifest.clips]
    people = [p.name for p in existing.manifest.people if existing.is_intact(f"{p.name}/{REEL_FILE}")]
    listed = {entry.file for entry in existing.manifest.files}
    faces = {}
    for person in people:
        file = f"{person}/{FACE_FILE}"
        if existing.is_intact(file):
            faces[person] = (existing.folder / file).read_bytes()
        elif file not in listed:
            faces[person] = b""
    return EarlierReels(
        existing.folder, {person: tuple(clip.recipe for clip in reel_order(clips, person)) for person in people}, faces
    )
