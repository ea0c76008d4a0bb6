"""Two videos of the same name in two folders, run in every order: each must keep its own results."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.robustness.media.batches import OPTIONS, Program, Run
from benchmarks.robustness.media.case import Finding, MediaOutcome
from benchmarks.robustness.media.film import Film, plain_video
from benchmarks.robustness.media.verdict import read_manifest
from tests.material.synthetic.portraits import HOPPER

KIND = "equal names"
EDITED_NAME = "Anna"
ORDER = "order of the arguments"

PLACES = {
    "A": ("mon/a.mp4", Film(frames=30)),
    "B": ("tue/a.mp4", Film(frames=34, person=HOPPER)),
    "C": ("wed/a.mp4", Film(frames=38)),
    "K": ("mon/a.mkv", Film(frames=42, person=HOPPER)),
    "U": ("thu/A.MP4", Film(frames=46)),
    "N": ("fri/a_2.mp4", Film(frames=50)),
}
"""videos by letter; the frame count tells whose results a folder holds"""

SCENARIOS: dict[str, tuple[str, ...]] = {
    "one after the other": ("A", "B"),
    "the other way round": ("B", "A"),
    "in one run": ("A B", "A", "B"),
    "first alone, then both": ("A", "A B"),
    "first alone, then both, the other first": ("A", "B A"),
    "both, then the second": ("A B", "B"),
    "both, then the first, overwritten": ("A B", "A --overwrite"),
    "the second overwrites": ("A", "B --overwrite"),
    "three, then all again": ("A", "B", "C", "A B C"),
    "three at once, then backwards": ("A B C", "C", "B", "A"),
    "the first one's people edited": ("A", "rename A", "B"),
    "edited and rendered": ("A", "rename A", "render A", "B", "A"),
    "the second one's people edited": ("A", "B", "rename B", "A", "A B"),
    "edited, then the second overwrites": ("A", "rename A", "B --overwrite"),
    "other settings for the second": ("A", "B --quality 30"),
    "rendered after the second came": ("A", "B", "render A"),
    "cleaned after the second came": ("A", "B", "clean"),
    "another extension": ("A", "K", "A K"),
    "another extension in one run": ("A K", "K", "A"),
    "upper case": ("A", "U", "U A"),
    "a name that a second one would get": ("N", "A", "B", "A B N"),
    "the same file replaced": ("A", "replace A B", "B2"),
    "a second one that is no video": ("A", "broken B", "B!"),
    "a copy of the first": ("A", "copy A B", "B=A"),
    "of one size": ("A", "same size A B", "B"),
}
"""steps of each scenario: letters are a run on these videos (with options), words are operations on files or folders

B2: the file of A, which now holds B. B!: B, which fails. B=A: B, which holds A.
"""


@dataclass(slots=True)
class Stage:
    """One scenario in progress. due: videos whose results must exist. edited: those of them with a named person."""

    folder: Path
    program: Program
    due: set[str] = field(default_factory=set)
    edited: set[str] = field(default_factory=set)
    wall_s: float = 0.0

    @property
    def output(self) -> Path:
        return self.folder / "output"

    def path(self, letter: str) -> Path:
        return self.folder / PLACES[letter][0]

    def results(self, letter: str) -> list[Path]:
        """The folders that hold this video's results."""
        frames = PLACES[letter][1].frames
        manifests = sorted(self.output.glob("*/manifest.json"))
        return [m.parent for m in manifests if read_manifest(m.parent).get("video", {}).get("frames") == frames]

    def contents(self, letter: str) -> dict[str, bytes]:
        """Clips and timeline of a video, which runs on other videos must not touch."""
        found = {}
        for folder in self.results(letter):
            for file in (*folder.rglob("*.mp4"), folder / "timeline.json"):
                if file.is_file():
                    found[str(file.relative_to(self.output))] = file.read_bytes()
        return found


def outcomes(folder: Path, program: Program) -> Iterator[MediaOutcome]:
    cached = dataclasses.replace(program, options=OPTIONS)
    folder.mkdir(parents=True, exist_ok=True)
    films = {letter: _film(folder, letter) for letter in PLACES}
    for number, (name, steps) in enumerate(SCENARIOS.items()):
        if program.only not in name:
            continue
        stage = Stage(folder / f"scenario_{number}", cached)
        for letter, data in films.items():
            stage.path(letter).parent.mkdir(parents=True, exist_ok=True)
            stage.path(letter).write_bytes(data)
        findings = tuple(finding for step in steps for finding in take(stage, step))
        yield MediaOutcome(KIND, name, findings, stage.wall_s)
    if program.only in ORDER:
        yield _order_of_arguments(folder, cached, films)


def take(stage: Stage, step: str) -> list[Finding]:
    """Do one step and check the results of all videos."""
    words = step.split()
    touched = {word[0] for word in words if word[0] in PLACES}
    if "=" in step:
        touched.add(step.split("=")[1])
    before = {letter: stage.contents(letter) for letter in stage.due - touched}
    run = _do(stage, words)
    stage.wall_s += run.wall_s
    if not run.is_orderly:
        return [run.finding]
    findings = []
    for letter in sorted(stage.due):
        findings += [Finding("lost", f"after '{step}': {text}") for text in _faults(stage, letter)]
        if letter in before and not findings and stage.contents(letter) != before[letter]:
            findings.append(Finding("lost", f"after '{step}': the results of {letter} are others"))
    return findings


def _faults(stage: Stage, letter: str) -> Iterator[str]:
    folders = stage.results(letter)
    if not folders:
        yield f"no results of {letter} in {sorted(p.name for p in stage.output.glob('*/'))}"
    for folder in folders:
        clips = read_manifest(folder)["clips"]
        gone = [clip["file"] for clip in clips if not (folder / clip["file"]).is_file()]
        if gone or not clips:
            yield f"{len(gone)} of {len(clips)} clips of {letter} are gone"
    if letter in stage.edited and not any(EDITED_NAME in _timeline(folder) for folder in folders):
        yield f"the edited timeline of {letter} is gone"


def _do(stage: Stage, words: Sequence[str]) -> Run:
    nothing = Run(0, "", 0.0)
    verb, *names = words
    cache = ("--cache-dir", str(stage.program.cache))
    if verb in ("rename", "render"):
        found = stage.results(names[0])
        if not found:  # said already
            return nothing
        if verb == "rename":
            person = read_manifest(found[0])["people"][0]["name"]
            stage.edited.add(names[0])
            return stage.program.command("rename", str(found[0]), person, EDITED_NAME)
        return stage.program.command("render", str(found[0]), "--video", str(stage.path(names[0])), "--offline", *cache)
    if verb == "clean":
        return stage.program.command("clean", "--older-than", "1d", "-o", str(stage.output), *cache)
    if verb in ("replace", "copy"):
        source, target = (names[1], names[0]) if verb == "replace" else (names[0], names[1])
        stage.path(target).write_bytes(stage.path(source).read_bytes())
        return nothing
    if verb == "broken":
        stage.path(names[0]).write_text("no video\n" * 50)
        return nothing
    if verb == "same":
        _make_one_size(stage.path(names[1]), stage.path(names[2]))
        return nothing
    inputs = [word for word in words if word[0] in PLACES]
    paths = [stage.path("A" if word == "B2" else word[0]) for word in inputs]
    run = stage.program.run(paths, stage.output, *words[len(inputs) :])
    stage.due |= {word.split("=")[-1][0] for word in inputs if not word.endswith("!")}
    return run


def _make_one_size(first: Path, second: Path) -> None:
    """Pad the shorter file with a box without content."""
    shorter, longer = sorted((first, second), key=lambda path: path.stat().st_size)
    lacking = longer.stat().st_size - shorter.stat().st_size
    if lacking < 8:
        longer.write_bytes(longer.read_bytes() + (16).to_bytes(4, "big") + b"free" + bytes(8))
        lacking += 16
    shorter.write_bytes(shorter.read_bytes() + lacking.to_bytes(4, "big") + b"free" + bytes(lacking - 8))


def _order_of_arguments(folder: Path, program: Program, films: dict[str, bytes]) -> MediaOutcome:
    """One run for each order of the arguments: the folders must have the same names."""
    names, wall_s = [], 0.0
    for order in ("AB", "BA"):
        stage = Stage(folder / f"order_{order}", program)
        for letter in order:
            stage.path(letter).parent.mkdir(parents=True, exist_ok=True)
            stage.path(letter).write_bytes(films[letter])
        # The input folders must be the same in all runs, because they could decide the names.
        run = program.run([stage.path(letter) for letter in order], stage.output)
        wall_s += run.wall_s
        names.append({letter: [path.name for path in stage.results(letter)] for letter in "AB"})
    same = names[0] == names[1] and all(names[0].values())
    findings = () if same else (Finding("silent", f"names depend on the order: {names[0]}, {names[1]}"),)
    return MediaOutcome(KIND, ORDER, findings, wall_s)


def _film(folder: Path, letter: str) -> bytes:
    name, film = PLACES[letter]
    path = plain_video(folder, folder / f"{letter}{Path(name).suffix.lower()}", film)
    return path.read_bytes()


def _timeline(folder: Path) -> str:
    try:
        return (folder / "timeline.json").read_text(encoding="utf-8")
    except OSError:
        return ""
