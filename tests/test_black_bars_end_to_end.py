"""The real program on films with black bars, a blurred copy around the picture, and a split screen: a clip shows the
person's own picture only.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.material.small_videos import run_ffmpeg
from tests.material.synthetic.portraits import COLLINS, HOPPER
from tests.material.synthetic.render import render_video
from tests.material.synthetic.scenes import Actor, Film, Key, Motion, Scene

PROJECT = Path(__file__).resolve().parent.parent
LENGTH = 32
BLACK = 40
"""luma below which a line of pixels at the edge of a clip counts as bar: the background is much brighter"""

# Faces so close to the upper and lower edges that a window around them reaches into the bars.
HIGH, LOW = Motion(keys=(Key(0, 0.3, 0.2, 0.3),), sway=0.02), Motion(keys=(Key(0, 0.7, 0.75, 0.3),), sway=0.02)

pytestmark = pytest.mark.slow


def film(width: int, height: int, **changes: Any) -> Film:
    scene: dict[str, Any] = {"background": "garden", "actors": (Actor(COLLINS, HIGH), Actor(HOPPER, LOW)), **changes}
    return Film(width=width, height=height, scenes=(Scene(length=LENGTH, seed=3, **scene),))


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program's results for five films."""
    folder = tmp_path_factory.mktemp("films")
    plain, upright, square = (folder / f"{name}.mkv" for name in ("plain", "upright", "square"))
    render_video(plain, film(640, 272))
    render_video(upright, film(272, 480))
    # Faces that the enlarged copy shows as well, beside the picture.
    beside = (
        Actor(COLLINS, Motion(keys=(Key(0, 0.13, 0.4, 0.2),))),
        Actor(HOPPER, Motion(keys=(Key(0, 0.87, 0.6, 0.2),))),
    )
    render_video(square, film(480, 480, actors=beside))
    encode = ("-c:v", "libx264", "-crf", "20", "-preset", "veryfast", "-an")
    inputs = {name: folder / f"{name}.mp4" for name in ("letterbox", "blurred", "dark", "turned", "split")}
    run_ffmpeg("-i", str(plain), "-vf", "pad=640:360:0:44", *encode, str(inputs["letterbox"]))
    copy = "split[a][b];[a]scale=854:-2,crop=854:480,gblur=sigma=6[c];[c][b]overlay=187:0"
    run_ffmpeg("-i", str(square), "-vf", copy, *encode, str(inputs["blurred"]))
    render_video(folder / "night.mkv", film(640, 360, background="night"))
    run_ffmpeg("-i", str(folder / "night.mkv"), "-vf", "lutyuv=y=16+(val-16)*0.5", *encode, str(inputs["dark"]))
    # A phone that is turned: the second half is upright.
    turned = folder / "turned.ts"
    parts = []
    for number, path in enumerate((plain, upright)):
        part = folder / f"{number}.ts"
        offset = str(LENGTH / 25 * number)
        run_ffmpeg("-i", str(path), *encode, "-bsf:v", "dump_extra", "-output_ts_offset", offset, str(part))
        parts.append(part.read_bytes())
    turned.write_bytes(b"".join(parts))
    run_ffmpeg("-i", str(turned), "-c", "copy", str(inputs["turned"]))
    # Two people side by side, close to the seam: a bluish picture and a brownish one.
    halves, filters = [], ""
    for number, (portrait, x, blue) in enumerate(((COLLINS, 0.8, 30), (HOPPER, 0.2, -30))):
        half = folder / f"half{number}.mkv"
        actors = (Actor(portrait, Motion(keys=(Key(0, x, 0.5, 0.3),), sway=0.02)),)
        render_video(half, film(320, 360, background=("studio", "garden")[number], actors=actors))
        halves += ["-i", str(half)]
        tint = f"lutyuv=u=val+{blue}" if blue > 0 else f"lutyuv=u=val{blue}"
        filters += f"[{number}:v]{tint}[h{number}];"
    run_ffmpeg(*halves, "-filter_complex", f"{filters}[h0][h1]hstack", *encode, str(inputs["split"]))
    results = folder / "output"
    command = [sys.executable, str(PROJECT / "main.py"), *map(str, inputs.values()), "-o", str(results)]
    done = subprocess.run(
        [*command, "--offline", "--no-cache", "--no-gallery", "--size", "128"],
        cwd=folder, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return results


def manifest(output: Path, name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((output / name / "manifest.json").read_text(encoding="utf-8"))
    return value


def darkest_edge(luma: NDArray[np.uint8]) -> float:
    """Of the four lines of pixels at the edges, the brightest part of the darkest one."""
    lines = (luma[0], luma[-1], luma[:, 0], luma[:, -1])
    return min(float(max(part.mean() for part in np.array_split(line, 8))) for line in lines)


def clip_edges(path: Path) -> list[float]:
    """`darkest_edge` of every frame."""
    with av.open(str(path)) as container:
        return [darkest_edge(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]


@pytest.mark.parametrize(
    ("name", "pictures"),
    [
        ("letterbox", [(0, 46, 640, 314)]),
        ("blurred", [(188, 0, 666, 480)]),
        ("turned", [(0, 0, 640, 272), (244, 0, 396, 272)]),
        ("dark", [(0, 0, 640, 360)]),
    ],
)
def test_the_active_picture_of_each_shot_is_found(output: Path, name: str, pictures: list[tuple[int, ...]]) -> None:
    found = [tuple(shot["active"]) for shot in manifest(output, name)["shots"]]
    assert len(found) == len(pictures)
    assert np.abs(np.subtract(found, pictures)).max() <= 2


@pytest.mark.parametrize("name", ["letterbox", "turned"])
def test_no_clip_shows_a_bar(output: Path, name: str) -> None:
    clips = manifest(output, name)["clips"]
    assert len(clips) >= 2
    for clip in clips:
        assert min(clip_edges(output / name / clip["file"])) > BLACK, clip["file"]


def test_faces_of_a_blurred_copy_are_not_people(output: Path) -> None:
    assert len(manifest(output, "blurred")["clips"]) == 2


def test_no_best_face_shows_a_bar(output: Path) -> None:
    faces = sorted((output / "letterbox").glob("person_*/face.jpg"))
    assert len(faces) == 2
    for face in faces:
        image = cv2.imread(str(face), cv2.IMREAD_GRAYSCALE)
        assert image is not None and darkest_edge(np.asarray(image, np.uint8)) > BLACK, face


def test_no_clip_of_a_split_screen_shows_the_neighbour(output: Path) -> None:
    clips = manifest(output, "split")["clips"]
    assert len(clips) == 2
    sides = []
    for clip in clips:
        with av.open(str(output / "split" / clip["file"])) as container:
            frames = [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]
        size = clip["width"]
        bluish = np.array([frame[size : size + size // 4].reshape(size // 2, size // 2).mean(0) for frame in frames])
        # Both backgrounds are far from the threshold.
        is_left = bool(bluish.mean() > 128)
        sides.append(is_left)
        assert ((bluish > 128) == is_left).all(), clip["file"]
    assert sorted(sides) == [False, True]
