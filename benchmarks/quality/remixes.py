"""Who is who on randomly edited films of the shared clips: cuts, jump cuts, dissolves, wipes, other cameras.

    python -m benchmarks.quality.remixes [--seeds FIRST:END] [--cache-dir DIR] [--keep DIR] [--sheets] [--json FILE]

Each seed is a film of 30 to 45 s of three to six clips (`remix_plan`), the same in every run. Even seeds are for
choosing what the program does, odd ones for judging it; the last lines sum them up apart. Films that lie in `--keep`
already are not made again, and analyses are cached, so another run costs only what has changed. `--sheets` draws the
faces of everybody who is mixed or in several folders, to be looked at.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.quality.doubt import Row, faces_of_people, is_mixed
from benchmarks.quality.edited import b_cubed, tracked_rows
from benchmarks.quality.remix_film import write_film
from benchmarks.quality.remix_plan import described, plan_film, truth_rows
from benchmarks.quality.remix_sources import remix_sources
from benchmarks.quality.run_settings import offline_settings
from benchmarks.quality.stored_analyses import analysed_people
from config import Settings
from core.media.video_probe import probe_video
from core.media.video_reader import VideoReader
from core.model_manager import ModelManager
from core.types import FaceAnalysis, Timeline
from utils.files import write_json

SEEDS = range(24)
UNKNOWN = "unknown"
"""tracklets of nobody, see `tracked_rows`; their names begin so"""


@dataclass(frozen=True, slots=True)
class RemixScore:
    """labelled, found: faces. people: true ones found. extra: folders beyond the first of each true person. mixed: the
    people in each mixed folder, "a + b". unknown: share of the faces found that have no person. precision, recall, f1:
    B-cubed over the faces found."""

    seed: int
    labelled: int
    found: int
    people: int
    extra: int
    mixed: tuple[str, ...]
    split: tuple[str, ...]
    unknown: float
    precision: float
    recall: float
    f1: float


def score(seed: int, labelled: int, found: Mapping[str, Counter[str]]) -> RemixScore:
    """found: labelled faces of whom in each person, as of `faces_of_people`."""
    folders = {name: faces for name, faces in found.items() if not name.startswith(UNKNOWN)}
    owners = Counter(faces.most_common(1)[0][0] for faces in folders.values())
    count = sum(faces.total() for faces in found.values())
    nobody = count - sum(faces.total() for faces in folders.values())
    precision, recall, f1 = (round(value, 4) for value in b_cubed(found))
    return RemixScore(
        seed,
        labelled,
        count,
        people=len({person for faces in found.values() for person in faces}),
        extra=sum(owners.values()) - len(owners),
        mixed=tuple(sorted(" + ".join(sorted(faces)) for faces in folders.values() if is_mixed(faces))),
        split=tuple(sorted(person for person, number in owners.items() if number > 1)),
        unknown=round(nobody / max(count, 1), 4),
        precision=precision,
        recall=recall,
        f1=f1,
    )


def summed(scores: Sequence[RemixScore]) -> dict[str, Any]:
    """All films: means of F1, shares of people and faces."""
    people = max(sum(s.people for s in scores), 1)
    labelled = max(sum(s.labelled for s in scores), 1)
    mixed, extra = sum(len(s.mixed) for s in scores), sum(s.extra for s in scores)
    return {
        "films": len(scores),
        "f1": round(float(np.mean([s.f1 for s in scores])), 4) if scores else 0.0,
        "precision": round(float(np.mean([s.precision for s in scores])), 4) if scores else 0.0,
        "people": people,
        "mixed": mixed,
        "extra": extra,
        "extra_share": round(extra / people, 3),
        "missed_share": round(1 - sum(s.found for s in scores) / labelled, 4),
    }


def sheet(film: Path, labelled: Iterable[Row], analysis: FaceAnalysis, timeline: Timeline, target: Path) -> None:
    """A picture of labelled faces of everybody who is in a mixed folder or in several: one row each folder and true
    person, up to twelve faces with their frames."""
    rows = list(labelled)
    tracked = list(tracked_rows(analysis, timeline))
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    by_frame: dict[str, list[Row]] = defaultdict(list)
    for row in tracked:
        by_frame[row["frame"]].append(row)
    for row in rows:
        for folder in faces_of_people([row], by_frame[row["frame"]]):
            groups[row["person"], folder].append(row)
    folders = Counter(person for person, folder in groups if not folder.startswith(UNKNOWN))
    owners = Counter(folder for _, folder in groups)
    wanted = [key for key in sorted(groups) if folders[key[0]] > 1 or owners[key[1]] > 1]
    if not wanted:
        return
    chosen = {key: groups[key][:: max(1, len(groups[key]) // 12)][:12] for key in wanted}
    frames = {int(row["frame"]) for shown in chosen.values() for row in shown}
    with VideoReader(probe_video(film), threads=1) as reader:
        images = {f.index: f.rgb(f.width, f.height) for f in reader.frames() if f.index in frames}
    strips = []
    for (person, folder), shown in chosen.items():
        strip = np.zeros((120, 12 * 100 + 260, 3), np.uint8)
        for line, text in enumerate((person, folder, f"{len(groups[person, folder])} faces")):
            cv2.putText(strip, text, (4, 24 + 22 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255))
        for place, row in enumerate(shown):
            x1, y1, x2, y2 = (float(row[name]) for name in ("x1", "y1", "x2", "y2"))
            image, half = images[int(row["frame"])], 0.8 * max(x2 - x1, y2 - y1)
            cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
            part = image[max(round(cy - half), 0) : round(cy + half), max(round(cx - half), 0) : round(cx + half)]
            left = 260 + 100 * place
            strip[:100, left : left + 98] = cv2.resize(part, (98, 100), interpolation=cv2.INTER_AREA)
            cv2.putText(strip, row["frame"], (left, 116), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255))
        strips.append(strip)
    cv2.imwrite(str(target), cv2.cvtColor(np.concatenate(strips), cv2.COLOR_RGB2BGR))


def measure(sources: Any, seed: int, folder: Path, settings: Settings, sheets: bool = False) -> RemixScore:
    """One film: made if it is not in `folder` yet, analysed, judged."""
    plan = plan_film(sources, seed)
    film = folder / f"remix_{seed:03d}.mp4"
    if not film.is_file():
        part = film.with_suffix(".part")
        write_film(plan, part)
        part.rename(film)
    analysis, timeline = analysed_people(film, settings, ModelManager.instance(settings))
    rows = list(truth_rows(plan))
    if sheets:
        sheet(film, rows, analysis, timeline, film.with_suffix(".png"))
        write_json(film.with_suffix(".json"), described(plan))
    return score(seed, len(rows), faces_of_people(rows, tracked_rows(analysis, timeline)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default=f"{SEEDS.start}:{SEEDS.stop}", help="FIRST:END (default: %(default)s)")
    parser.add_argument("--cache-dir", default="", help="where analyses and converted networks are kept")
    parser.add_argument("--keep", type=Path, help="make the films in this folder, and keep them")
    parser.add_argument("--sheets", action="store_true", help="with --keep: draw who is mixed or in several folders")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    args = parser.parse_args()
    settings = offline_settings(args.cache_dir, device="cpu")
    sources = remix_sources(settings, ModelManager.instance(settings))
    first, end = map(int, args.seeds.split(":"))
    scores = []
    print("| seed | faces | missed | people | mixed | extra | unknown | precision | recall | F1 |\n|" + "---|" * 10)
    with tempfile.TemporaryDirectory(prefix="remixes-") as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for seed in range(first, end):
            s = measure(sources, seed, folder, settings, args.sheets and args.keep is not None)
            scores.append(s)
            mixed = f"{len(s.mixed)} ({', '.join(s.mixed)})" if s.mixed else "0"
            extra = f"{s.extra} ({', '.join(s.split)})" if s.split else "0"
            shares = f"{s.unknown:.3f} | {s.precision:.3f} | {s.recall:.3f} | {s.f1:.3f}"
            print(
                f"| {seed} | {s.labelled} | {s.labelled - s.found} | {s.people} | {mixed} | {extra} | {shares} |",
                flush=True,
            )
    sums = {"all": summed(scores)}
    sums |= {name: summed([s for s in scores if s.seed % 2 == k]) for k, name in enumerate(("even", "odd"))}
    for name, figures in sums.items():
        print(f"{name}: {figures}")
    if args.json:
        write_json(args.json, {"films": [asdict(s) for s in scores], **sums})


if __name__ == "__main__":
    main()
