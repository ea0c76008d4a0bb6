"""Which people are called doubtful, of those that mix several and of those that do not.

    python -m benchmarks.quality.doubt FACES.csv OUTPUT

FACES.csv: clip,frame,x1,y1,x2,y2,person with labelled faces (display pixels, frames from 0). OUTPUT: output folder of a
run over these clips. A person is mixed if at least a tenth of the labelled faces are of others than the main one.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from processors.results.manifest import read_manifest
from processors.results.tracks_table import TRACKS_FILE
from utils.images.box_geometry import iou_matrix

MIN_IOU = 0.4
"""of a labelled face and the row of tracks.csv that it is taken for"""
MIXED_SHARE = 0.1

Row = Mapping[str, str]


def labelled_rows(file: Path) -> dict[str, list[Row]]:
    """The hand-labelled faces of FACES.csv by the file name of their clip."""
    found: dict[str, list[Row]] = defaultdict(list)
    with file.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            found[row["clip"]].append(row)
    return found


def faces_of_people(labelled: Iterable[Row], tracked: Iterable[Row]) -> dict[str, Counter[str]]:
    """How many labelled faces of whom lie in each person of tracks.csv. Rows: as csv.DictReader gives them."""
    frames: dict[int, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
    for kind, rows in enumerate((labelled, tracked)):
        for row in rows:
            frames[int(row["frame"])][kind].append(row)
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for wanted, there in frames.values():
        overlap = iou_matrix(_boxes(wanted), _boxes(there))
        for i, j in zip(*linear_sum_assignment(-overlap), strict=True):
            if overlap[i, j] >= MIN_IOU:
                found[there[j]["person"]][wanted[i]["person"]] += 1
    return dict(found)


def is_mixed(faces: Counter[str]) -> bool:
    return sum(faces.values()) - max(faces.values()) >= MIXED_SHARE * sum(faces.values())


def _boxes(rows: Sequence[Row]) -> np.ndarray:
    corners = [[float(row[name]) for name in ("x1", "y1", "x2", "y2")] for row in rows]
    return np.array(corners, np.float32).reshape(-1, 4)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    counts: Counter[tuple[str, str]] = Counter()
    for name, rows in labelled_rows(arguments.faces).items():
        clip = Path(name).stem
        folder = arguments.output / clip
        manifest = read_manifest(folder)
        if manifest is None:
            print(f"{clip}: no results")
            continue
        with (folder / TRACKS_FILE).open(newline="", encoding="utf-8") as file:
            faces = faces_of_people(rows, csv.DictReader(file))
        for person in manifest.people:
            if person.name not in faces:
                continue
            state = "mixed" if is_mixed(faces[person.name]) else "pure"
            doubt = person.doubt
            verdict = "doubtful" if doubt.doubtful else "not doubtful"
            if doubt.similarity is None:
                verdict = "nothing to compare"
            counts[state, verdict] += 1
            if doubt.similarity is not None or state == "mixed":
                print(f"{clip} {person.name}: {state}, {verdict}, {doubt.similarity}, {dict(faces[person.name])}")
    for (state, verdict), count in sorted(counts.items()):
        print(f"{state}, {verdict}: {count}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
