"""How quality depends on size, light and encoding: the clips with known faces, re-encoded in other ways.

    python -m benchmarks.quality.variants [NAME ...] [--only VARIANT,...] [--keep DIR] [--json FILE]

Each clip is mirrored, scaled, darkened, compressed and so on by ffmpeg, and its truth with it; then it is analysed and
scored like any other (`benchmarks.quality.people`). A setting that is overfitted to the clips shows here.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from benchmarks.known_clips import CLIPS, KNOWN
from benchmarks.quality.people import MIN_FACE_SHARE, known_truth, run
from core.media.video_probe import probe_video
from core.model_manager import ModelManager
from core.settings_file import load_settings
from core.types import VideoInfo
from tests.material.scoring import Labelled, Score, run_tracks, score
from utils.files import write_json

Boxes = NDArray[np.float64]
Move = Callable[[Boxes, VideoInfo, int], Boxes]
"""a box (4,) of a frame of the clip, in the variant's pixels"""

_SHAKE = 0.04
"""amplitude of the camera shake to each side, as a share of the frame"""


def _as_it_was(box: Boxes, info: VideoInfo, frame: int) -> Boxes:
    return box


def _mirrored(box: Boxes, info: VideoInfo, frame: int) -> Boxes:
    return np.array([info.width - box[2], box[1], info.width - box[0], box[3]])


def _padded(box: Boxes, info: VideoInfo, frame: int) -> Boxes:
    return np.asarray(box + np.array([0, _bar(info), 0, _bar(info)]), np.float64)


def _bar(info: VideoInfo) -> int:
    return 2 * (info.height // 6)


def _shaken(box: Boxes, info: VideoInfo, frame: int) -> Boxes:
    share = 1 - 2 * _SHAKE
    size = [2 * int(side * share / 2) for side in (info.width, info.height)]
    room = [(side - cut) / 2 for side, cut in zip((info.width, info.height), size, strict=True)]
    x, y = room[0] * (1 + np.sin(frame / 5)), room[1] * (1 + np.sin(frame / 3))
    return np.asarray(box - np.tile([2 * int(x / 2), 2 * int(y / 2)], 2), np.float64)


@dataclass(frozen=True, slots=True)
class Variant:
    """filters: of ffmpeg; {bar} is the height of a letterbox's bar. move, scale: of boxes, clip to variant.
    rate: frames per frame of the clip.
    """

    filters: str
    move: Move = _as_it_was
    scale: float = 1.0
    rate: float = 1.0
    crf: int = 12


VARIANTS: dict[str, Variant] = {
    "encoded again": Variant("null"),
    "mirrored": Variant("hflip", _mirrored),
    "half the size": Variant("scale=trunc(iw/4)*2:trunc(ih/4)*2:flags=area", scale=0.5),
    "twice the size": Variant("scale=iw*2:ih*2:flags=bicubic", scale=2.0),
    "compressed hard": Variant("null", crf=40),
    "dark, with noise": Variant("lutyuv=y='16+(val-16)*0.35',noise=alls=14:allf=t"),
    "washed out": Variant("lutyuv=y='70+(val-16)*0.6':u='128+(val-128)*0.5':v='128+(val-128)*0.5'"),
    "grey": Variant("hue=s=0"),
    "half the frames": Variant("select='not(mod(n,2))'", rate=0.5),
    "every frame twice": Variant("fps=fps=source_fps*2", rate=2.0),
    "letterboxed": Variant("pad=iw:ih+2*{bar}:0:{bar}", _padded),
    "shaken": Variant(
        f"crop=trunc(iw*{1 - 2 * _SHAKE}/2)*2:trunc(ih*{1 - 2 * _SHAKE}/2)*2"
        ":trunc((iw-ow)/2*(1+sin(n/5))/2)*2:trunc((ih-oh)/2*(1+sin(n/3))/2)*2",
        _shaken,
    ),
}


def make(path: Path, info: VideoInfo, variant: Variant, target: Path) -> None:
    """Write the variant of a clip to `target`, without audio."""
    filters = variant.filters.format(bar=_bar(info))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", f"file:{path}", "-an", "-vf", filters]
    command += ["-fps_mode", "passthrough", "-c:v", "libx264", "-preset", "veryfast", "-crf", str(variant.crf)]
    subprocess.run([*command, f"file:{target}"], check=True)


def moved_truth(truth: Mapping[int, Labelled], info: VideoInfo, variant: Variant) -> dict[int, Labelled]:
    """The truth of a variant in its frames and pixels. Faces that a shaken frame cuts off still count."""
    result: dict[int, Labelled] = {}
    for frame, faces in truth.items():
        at = frame * variant.rate
        if at == int(at):
            result[int(at)] = [(person, variant.scale * variant.move(box, info, frame)) for person, box in faces]
    return result


def measure(
    path: Path, truth: Mapping[int, Labelled], folder: Path, only: set[str]
) -> Iterator[tuple[str, Score, int]]:
    """Variants of one clip: name, score, hard cuts that are wrong or missing."""
    settings = load_settings(None, {"run": {"offline": True}})
    info = probe_video(path)
    for name, variant in VARIANTS.items():
        if only and name not in only:
            continue
        target = folder / f"{path.stem} {name}.mp4"
        if not target.is_file():
            make(path, info, variant, target)
        done = run(target, settings, ModelManager.instance(settings))
        height = MIN_FACE_SHARE * done.analysis.video.height
        reached = score(moved_truth(truth, info, variant), run_tracks(done.analysis, done.timeline), min_height=height)
        cuts = {int(cut * variant.rate + 0.5) for cut in KNOWN[path.name].cuts}
        yield name, reached, len(cuts ^ {shot.start for shot in done.analysis.shots[1:]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only clips whose names contain one of these")
    parser.add_argument("--only", default="", help="variants, with commas")
    parser.add_argument("--keep", type=Path, help="make the films in this folder, and keep them")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    args = parser.parse_args()
    only = {name.strip() for name in args.only.split(",") if name.strip()}
    rows = []
    print("| clip | variant | recall | precision | IDF1 | people | switches | wrong cuts |\n" + "|---" * 8 + "|")
    with tempfile.TemporaryDirectory(prefix="variants-") as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for path in (CLIPS / name for name in KNOWN):
            truth = known_truth(path)
            if truth is None or (args.names and not any(name in path.name for name in args.names)):
                continue
            for name, s, cuts in measure(path, truth, folder, only):
                people = f"{s.people}/{s.true_people}"
                scores = f"{s.recall:.3f} | {s.precision:.3f} | {s.idf1:.3f}"
                print(f"| {path.stem} | {name} | {scores} | {people} | {s.id_switches} | {cuts} |", flush=True)
                rows.append([path.stem, name, s.recall, s.precision, s.idf1, people, s.id_switches, cuts])
    if args.json:
        write_json(args.json, rows)


if __name__ == "__main__":
    main()
