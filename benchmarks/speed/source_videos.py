"""Videos for the benchmarks, with several people and cuts, of any length. Generated once and kept.

A block of 20 s is drawn and encoded (about a minute at 720p, two at 1080p); longer videos repeat it without encoding.
The generator has two people, so the third and fourth face of a frame are the same two again, mirrored.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg

from tests.material.synthetic.portraits import COLLINS, HOPPER
from tests.material.synthetic.render import render_video
from tests.material.synthetic.scenes import Actor, Background, Film, Key, Motion, Scene

LOCAL = Path(__file__).resolve().parent.parent / "results" / "local"
"""where generated videos are kept, not in the repository"""

BLOCK_S = 20
RATE = 25


def crowd_film(width: int, height: int) -> Film:
    """20 s in five shots with 2, 3, 1, 4 and 2 people; some of them walk."""
    shots: tuple[tuple[tuple[Background, int], tuple[Actor, ...]], ...] = (
        (("studio", 3), (_face(0, 0.30, 0.22), _face(1, 0.68, 0.26))),
        (("garden", 8), (_face(0, 0.20, 0.15), _face(1, 0.48, 0.17, to=0.60), _face(2, 0.82, 0.14))),
        (("night", 11), (_face(1, 0.50, 0.42),)),
        (("library", 5), (_face(0, 0.14, 0.13), _face(1, 0.38, 0.15), _face(2, 0.62, 0.14), _face(3, 0.86, 0.16))),
        (("garden", 9), (_face(0, 0.25, 0.20, to=0.40), _face(1, 0.75, 0.24))),
    )
    scenes = tuple(
        Scene(
            length=RATE * BLOCK_S // len(shots),
            background=background,
            seed=seed,
            pan=(0.05, 0.0),
            grain=1.2,
            voice_hz=150 + 10 * number,
            actors=actors,
        )
        for number, ((background, seed), actors) in enumerate(shots)
    )
    return Film(scenes=scenes, width=width, height=height, audio=True)


def faces_film(width: int, height: int, faces: int, seconds: int) -> Film:
    """One shot with up to 16 people in one frame: rows of four, the same size whatever their number."""
    actors = tuple(_face(n % 4, 0.14 + 0.24 * (n % 4), 0.11, y=0.16 + 0.23 * (n // 4)) for n in range(faces))
    scene = Scene(length=RATE * seconds, background="studio", seed=3, grain=1.2, actors=actors)
    return Film(scenes=(scene,), width=width, height=height)


def _face(person: int, x: float, height: float, *, y: float = 0.42, to: float | None = None) -> Actor:
    keys = (Key(0, x, y, height),) if to is None else (Key(0, x, y, height), Key(90, to, y, height))
    return Actor((COLLINS, HOPPER)[person % 2], Motion(keys=keys, sway=0.05), mirrored=person >= 2)


def kept(name: str, film: Film) -> Path:
    """The video file, generated if it does not exist. A changed video needs another name."""
    path = LOCAL / name
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"partial-{name}")
        render_video(partial, film)
        partial.replace(path)
    return path


def crowd(width: int, height: int, seconds: int) -> Path:
    """`crowd_film`, repeated to `seconds`, a multiple of 20."""
    block = kept(f"crowd-{height}p-{BLOCK_S}s.mp4", crowd_film(width, height))
    path = LOCAL / f"crowd-{height}p-{seconds}s.mp4"
    if not path.is_file():
        partial = path.with_name(f"partial-{path.name}")
        _ffmpeg("-stream_loop", str(seconds // BLOCK_S - 1), "-i", f"file:{block}", "-c", "copy", f"file:{partial}")
        partial.replace(path)
    return path


def stretch(video: Path, frames: int, folder: Path) -> Path:
    """The first `frames` frames of a video, without encoding and without audio."""
    path = folder / f"{video.stem}-{frames}{video.suffix}"
    _ffmpeg("-i", f"file:{video}", "-map", "0:v:0", "-frames:v", str(frames), "-c", "copy", f"file:{path}")
    return path


def _ffmpeg(*arguments: str) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *arguments]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
