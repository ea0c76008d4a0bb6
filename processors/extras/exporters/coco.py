"""COCO-style JSON: frames as images, faces as annotations with five keypoints, plus track, person and score.

COCO describes images, not videos: `file_name` is what `ffmpeg -i VIDEO -fps_mode passthrough -start_number 0
frame_%06d.png` names the frame.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from config import EXTRA_FILES
from core.types import FaceAnalysis, Timeline
from processors.extras.exporters.faces import ExportedFace, faces_by_frame
from utils.console.printable_text import ascii_safe
from utils.files import atomic_path

COCO_FILE = EXTRA_FILES["coco"]

_KEYPOINTS = ["left_eye", "right_eye", "nose", "mouth_left", "mouth_right"]
_SKELETON = [[1, 2], [1, 3], [2, 3], [3, 4], [3, 5], [4, 5]]
_LABELLED, _VISIBLE = 1, 2
"""COCO's visibility flags: labelled but hidden, labelled and visible"""


def write_coco(folder: Path, analysis: FaceAnalysis, timeline: Timeline) -> tuple[str, ...]:
    """Write coco.json piece by piece: for a long video it would not fit into the memory that a run may use."""
    with atomic_path(folder / COCO_FILE) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(coco_chunks(analysis, timeline))
    return (COCO_FILE,)


def coco_chunks(analysis: FaceAnalysis, timeline: Timeline) -> Iterator[str]:
    """The text of the file, in chunks."""
    names = [person.name for person in timeline.people]
    head = {
        "info": {"description": f"faces in {ascii_safe(analysis.video.path.name)}", "version": "1.0"},
        "licenses": [],
        "categories": [
            {"id": 1, "name": "face", "supercategory": "person", "keypoints": _KEYPOINTS, "skeleton": _SKELETON}
        ],
        "people": names,
    }
    yield _json(head)[:-1]
    yield ',\n"images": [\n'
    yield from _joined(_images(analysis))
    yield '],\n"annotations": [\n'
    faces = enumerate(faces_by_frame(analysis, timeline), start=1)
    yield from _joined(_annotation(number, face, names[face.person]) for number, face in faces)
    yield "]}\n"


def _images(analysis: FaceAnalysis) -> Iterator[dict[str, Any]]:
    for frame in range(analysis.frame_count):
        yield {
            "id": frame + 1,
            "file_name": f"frame_{frame:06d}.png",
            "width": analysis.video.width,
            "height": analysis.video.height,
            "frame": frame,
            "time_s": round(analysis.seconds_at(frame), 6),
        }


def _annotation(number: int, face: ExportedFace, name: str) -> dict[str, Any]:
    x1, y1, x2, y2 = (float(v) for v in face.box)
    width, height = round(x2 - x1, 2), round(y2 - y1, 2)
    visibility = _VISIBLE if face.score > 0 else _LABELLED
    return {
        "id": number,
        "image_id": face.frame + 1,
        "category_id": 1,
        "bbox": [round(x1, 2), round(y1, 2), width, height],
        "area": round(width * height, 2),
        "iscrowd": 0,
        "keypoints": [v for x, y in face.landmarks for v in (round(float(x), 2), round(float(y), 2), visibility)],
        "num_keypoints": len(_KEYPOINTS),
        "score": round(face.score, 4),
        "track_id": face.track,
        "person": name,
    }


def _joined(entries: Iterable[dict[str, Any]]) -> Iterator[str]:
    for number, entry in enumerate(entries):
        yield (",\n" if number else "") + _json(entry)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
