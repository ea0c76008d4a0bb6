"""The results that an output folder already holds, and which of them a run can reuse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from config import Settings
from core.types import Clip, Timeline
from processors.clips.resume_journal import EarlierClips
from processors.results.manifest import MANIFEST_SCHEMA, RESULT_FORMAT, Manifest, lies_inside, read_manifest
from processors.results.manifest_outline import ManifestState, read_outline
from processors.results.output_folder import resumable_clips
from processors.results.remembered_settings import changed_settings, changed_variants, same_results
from processors.results.run_plan import FolderFacts, Refusal
from processors.results.timeline_file import timeline_sha256
from processors.speech.speech_choice import possible_speech_models
from utils.files import link_or_copy
from utils.fingerprints import Fingerprint


@dataclass(frozen=True, slots=True)
class ExistingResults:
    """What is in a folder. manifest: None without complete results that this version understands."""

    folder: Path
    facts: FolderFacts
    manifest: Manifest | None = None

    @property
    def reusable(self) -> ReusableResults | None:
        """What is reused if the run plan reuses the clips; extras that lack a file are left out."""
        if self.manifest is None:
            return None
        sizes = _sizes(self.manifest)
        extras = self.manifest.extras.items()
        return ReusableResults(
            clips=tuple(entry.clip for entry in self.manifest.clips),
            extras={name: files for name, files in extras if _are_intact(self.folder, files, sizes)},
            models=self.manifest.models,
            variants={
                name: tuple(entry.clip for entry in variant.clips)
                for name, variant in self.manifest.variants.items()
                if _are_intact(self.folder, (entry.file for entry in variant.clips), sizes)
            },
            warnings=self.manifest.warnings,
        )

    @property
    def earlier_clips(self) -> EarlierClips:
        """The clips of all sets that may be reused one by one."""
        if self.manifest is None or self.manifest.format != RESULT_FORMAT:
            return EarlierClips(self.folder, {})
        sizes = _sizes(self.manifest)
        variants = self.manifest.variants.values()
        entries = [*self.manifest.clips, *(entry for variant in variants for entry in variant.clips)]
        return EarlierClips(
            self.folder,
            {e.recipe: e.clip for e in entries if e.recipe and _are_intact(self.folder, (e.file,), sizes)},
        )

    def is_intact(self, file: str) -> bool:
        """Whether `file`, relative to the folder, is a result in the present format that nobody has changed."""
        if self.manifest is None or self.manifest.format != RESULT_FORMAT:
            return False
        return _are_intact(self.folder, (file,), _sizes(self.manifest))

    def reusable_for(self, timeline: Timeline, settings: Settings) -> ReusableResults | None:
        """The same for the people of `timeline`; None if clips have to be reused one by one, by their recipes."""
        reusable = self.reusable
        if self.manifest is None or reusable is None:
            return None
        now = {person.tracklets: person.name for person in timeline.people}
        folders = {person.name: now.get(person.tracklets, "") for person in self.manifest.people}
        if any(before != after for before, after in folders.items()):
            has_recipes = any(clip.recipe for clip in reusable.clips)
            if has_recipes or settings.people.only or "" in folders.values():
                return None
            return reusable.in_folders(folders)
        if not self.facts.same_settings:
            # Extras may show who speaks, and that has changed.
            reusable = replace(reusable, extras={})
        changed = changed_variants(self.manifest, settings)
        kept = {n: clips for n, clips in reusable.variants.items() if n in settings.variants and n not in changed}
        return replace(reusable, variants=kept)


@dataclass(frozen=True, slots=True)
class ReusableResults:
    """Clips, and the extras made from them, that are as a run with these settings would make them.

    extras: files by name. models, warnings: as in the manifest. variants: further sets of clips, by name.
    sources: where a file lies that had another name.
    """

    clips: tuple[Clip, ...]
    extras: Mapping[str, tuple[str, ...]]
    models: Mapping[str, Any]
    warnings: tuple[str, ...]
    variants: Mapping[str, tuple[Clip, ...]] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, str]:
        """All files of clips and extras, with where they lie now, relative to the video's folder."""
        clips = [*self.clips, *(clip for variant in self.variants.values() for clip in variant)]
        files = [*(clip.file for clip in clips), *(file for files in self.extras.values() for file in files)]
        return {file: self.sources.get(file, file) for file in files}

    def in_folders(self, folders: Mapping[str, str]) -> ReusableResults:
        """The same clips in renamed people's folders, for clips made until 2026-11-27, which have no recipes.

        folders: new by old. Extras, which show names, are left out; there were no variants then.
        """
        moved = tuple(
            replace(clip, person=person, file=f"{person}/{clip.file.removeprefix(f'{clip.person}/')}")
            for clip, person in ((clip, folders[clip.person]) for clip in self.clips)
        )
        sources = {clip.file: before.file for clip, before in zip(moved, self.clips, strict=True)}
        return replace(self, clips=moved, extras={}, variants={}, sources=sources)


def examine_folder(
    folder: Path,
    fingerprint: Fingerprint,
    settings: Settings,
    analysis_key: str | None = None,
    manifest: Manifest | None = None,
) -> ExistingResults:
    """Examine the output folder of the video `fingerprint`; reads little and changes nothing.

    analysis_key: of the analysis that the run uses; None while it is not known. manifest: of the folder, if it has been
        read already.
    """
    outline, sha256 = read_outline(folder), timeline_sha256(folder)
    made_from = outline.timeline
    facts = FolderFacts(
        obstacle=_obstacle(folder, outline.state),
        same_input=None if outline.owner is None else outline.owner == fingerprint,
        # The gallery has yet to learn that edits were undone, so a timeline is followed once more.
        timeline_edited=made_from is not None
        and sha256 is not None
        and (made_from.edited or made_from.is_edited(sha256)),
        timeline_rendered=made_from is not None and made_from.sha256 == sha256 is not None,
        # Evaluated only when it matters, because it lists the folder that all videos share.
        clips_resumable=analysis_key is not None and resumable_clips(folder, fingerprint, settings.run.scratch_folder),
    )
    if outline.state is not ManifestState.COMPLETE:
        return ExistingResults(folder, facts, None)
    manifest = manifest or read_manifest(folder)
    if manifest is not None:
        facts = _with_results(facts, folder, manifest, settings, analysis_key)
    return ExistingResults(folder, facts, manifest)


def _with_results(
    facts: FolderFacts, folder: Path, manifest: Manifest, settings: Settings, analysis_key: str | None
) -> FolderFacts:
    """`facts` with those about complete results."""
    sizes, changes = _sizes(manifest), changed_settings(manifest, settings)
    is_same_format = _same_format(manifest)
    return replace(
        facts,
        same_settings=is_same_format and same_results(manifest, settings) and _speech_fits(manifest, settings),
        same_clips=is_same_format
        and not changes
        and (settings.speech.when == "visible" or _speech_fits(manifest, settings)),
        clips_at_stake=bool(manifest.clips) and bool(changes or changed_variants(manifest, settings)),
        files_intact=all(_size(folder / file) == size for file, size in sizes.items()),
        clips_intact=_are_intact(folder, (clip.file for clip in manifest.clips), sizes),
        clips_stale=analysis_key not in (None, manifest.analysis),
        extras_missing=not settings.output.extras <= manifest.extras.keys(),
    )


def link_files(files: Mapping[str, str], source: Path, target: Path) -> None:
    """Make files of the folder `source` appear in `target` too; see `link_or_copy`.

    files: relative to `target`, with the same relative to `source`.

    Raises:
        OSError: neither is possible.
    """
    for file, old in files.items():
        link_or_copy(source / old, target / file)


def _obstacle(folder: Path, state: ManifestState) -> Refusal | None:
    if folder.exists() and not folder.is_dir():
        return Refusal.FILE_IN_THE_WAY
    if state is ManifestState.MISSING and folder.is_dir() and any(folder.iterdir()):
        return Refusal.FOREIGN_FILES
    return None


def _same_format(manifest: Manifest) -> bool:
    return (manifest.schema, manifest.format) == (MANIFEST_SCHEMA, RESULT_FORMAT)


def _speech_fits(manifest: Manifest, settings: Settings) -> bool:
    """Whether the results have the speech models of this run, or no speech is wanted or possible."""
    if not settings.speech.is_shown or all(track.fault for track in manifest.video.audio):
        return True
    made_by = manifest.models.get("speech")
    name = made_by.get("name") if isinstance(made_by, dict) else ""
    return name in possible_speech_models(settings)


def _sizes(manifest: Manifest) -> dict[str, int]:
    return {entry.file: entry.bytes for entry in manifest.files}


def _are_intact(folder: Path, files: Iterable[str], sizes: Mapping[str, int]) -> bool:
    # The manifest may have been edited: nothing from outside the folder may be reused.
    return all(
        file in sizes and lies_inside(file) and not (folder / file).is_symlink() and _size(folder / file) == sizes[file]
        for file in files
    )


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None
