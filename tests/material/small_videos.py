"""Small videos with known content, made by ffmpeg, for the tests of probing and decoding."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np

CORNERS = {"top left": (255, 0, 0), "top right": (0, 255, 0), "bottom left": (0, 0, 255), "bottom right": (255,) * 3}


def run_ffmpeg(*arguments: str, data: bytes | None = None) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *arguments]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def quadrants(width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8 RGB with a different colour in each quadrant, see CORNERS."""
    image = np.zeros((height, width, 3), np.uint8)
    half_y, half_x = height // 2, width // 2
    image[:half_y, :half_x] = CORNERS["top left"]
    image[:half_y, half_x:] = CORNERS["top right"]
    image[half_y:, :half_x] = CORNERS["bottom left"]
    image[half_y:, half_x:] = CORNERS["bottom right"]
    return image


def gray_ramp(count: int, width: int, height: int) -> list[np.ndarray]:
    """Images of a single grey level each (20, 28, 36, ...), so that an image identifies its number."""
    return [np.full((height, width, 3), 20 + 8 * number, np.uint8) for number in range(count)]


def number_in_ramp(luma: np.ndarray) -> int:
    """The number of an image of `gray_ramp`, from its luma plane (limited range)."""
    return round(((float(luma.mean()) - 16) * 255 / 219 - 20) / 8)


def make_video(path: Path, images: list[np.ndarray], *options: str, rate: str = "25") -> Path:
    """Encode RGB images of one size; default: H.264 4:2:0, nearly lossless, untagged BT.601."""
    height, width, _ = images[0].shape
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", rate, "-i", "-"]
    default = () if "-c:v" in options else ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "4")
    pixel_format = () if "-pix_fmt" in options else ("-pix_fmt", "yuv420p")
    data = b"".join(p.tobytes() for p in images)
    run_ffmpeg(*source, *default, *pixel_format, *options, str(path), data=data)
    return path


def corner_colours(rgb: np.ndarray) -> dict[str, tuple[int, ...]]:
    """The colour in the centre of each quadrant."""
    height, width, _ = rgb.shape
    rows = {"top": height // 4, "bottom": height * 3 // 4}
    columns = {"left": width // 4, "right": width * 3 // 4}
    return {f"{r} {c}": tuple(int(v) for v in rgb[rows[r], columns[c]]) for r in rows for c in columns}


def assert_upright(rgb: np.ndarray, tolerance: int = 12) -> None:
    found = corner_colours(rgb)
    for corner, colour in CORNERS.items():
        assert np.abs(np.subtract(found[corner], colour)).max() <= tolerance, f"{corner}: {found}"
