"""Photos off the disk: a file of unknown origin to upright RGB pixels, or one line that says why not.

The format is decided by the file's first bytes, never by its name, and only the readers for these formats are
ever called. Size limits are checked before pixels are decoded.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import io
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from core.errors import PhotoError
from core.types import ByteArray, FloatArray
from utils.images.rgb_images import fit_within

PHOTO_EXTENSIONS = frozenset({"jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "heic", "heif"})
"""what is picked up from a folder; a file named on the command line is tried whatever its extension"""

WORKING_SIDE_PX = 3000
"""longer photos are reduced to this; a face of a twentieth of it still has the pixels that the networks take"""

MAX_FILE_BYTES = 256 * 2**20
MAX_PIXELS = 64_000_000
"""of an image that must be decoded as a whole: four bytes each, a quarter of a gigabyte"""
MAX_REDUCED_PIXELS = 256_000_000
"""of a baseline JPEG, which can be decoded at an eighth of its size; phones take photos of 200 megapixels"""
MAX_SIDE_PX = 65_500

_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""what makes a photo upright, by the orientation that its EXIF data names"""

_SIDEWAYS = frozenset(_TURNS[number] for number in (5, 6, 7, 8))

HEIF_PLUGIN = "pillow_heif"
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevm", b"mif1", b"msf1")
_OTHER_KINDS = (
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"BM", "a BMP image"),
    (b"%PDF", "a PDF document"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"RIFF", "a video or audio file"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A decoded photo.

    pixels: (h, w, 3) uint8 RGB, C-contiguous, upright, at most `WORKING_SIDE_PX` on its longer side.
    width, height: of the upright original, px. sha256: of the file.
    """

    path: Path
    pixels: ByteArray
    width: int
    height: int
    sha256: str

    @property
    def scale(self) -> FloatArray:
        """(2,) float32: pixels of the original per pixel of `pixels`, x and y."""
        return np.array([self.width / self.pixels.shape[1], self.height / self.pixels.shape[0]], np.float32)


def read_photo(path: Path) -> Photo:
    """Read the photo at `path`.

    Raises:
        PhotoError: it cannot be read, is no photo, is damaged, animated or too large; says what to do.
    """
    data = _read(path)
    kind = photo_kind(data)
    opener = _OPENERS.get(kind)
    if opener is None:
        raise _error(path, f"is {kind}, not a photo that can be read", "save it as JPEG, PNG or WebP")
    try:
        image = opener(data)
    except PhotoError as error:
        raise _error(path, error.message, error.hint) from error
    except Exception as error:  # whatever a decoder makes of hostile bytes
        raise _error(path, f"is a damaged {kind}: {_reason(error)}", "copy or save it again") from error
    with image:
        _check_size(path, image)
        try:
            turned, size = _upright(image)
            pixels = fit_within(_rgb(turned), WORKING_SIDE_PX)
        except MemoryError as error:
            raise _error(path, "does not fit into memory", "make it smaller") from error
        except Exception as error:
            raise _error(path, f"is damaged or cut off: {_reason(error)}", "copy or save it again") from error
    return Photo(path, np.ascontiguousarray(pixels), *size, hashlib.sha256(data).hexdigest())


def photo_kind(data: bytes) -> str:
    """What a file that begins with `data` is, in words: "JPEG image" or the like."""
    if data[:3] == b"\xff\xd8\xff":
        return "JPEG image"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG image"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP image"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF image"
    if data[4:8] == b"ftyp":
        if data[8:12] in _HEIF_BRANDS:
            return "HEIC image"
        return "an AVIF image" if data[8:12] in (b"avif", b"avis") else "a video"
    for start, kind in _OTHER_KINDS:
        if data.startswith(start):
            return kind
    return "empty" if not data else "text" if _is_text(data[:1024]) else "of an unknown kind"


def _read(path: Path) -> bytes:
    # Opened without waiting: a pipe under the name of a photo would hold up the run for ever.
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise _error(path, "is not a file", "")
            if facts.st_size > MAX_FILE_BYTES:
                limit = f"{MAX_FILE_BYTES // 2**20} MB"
                raise _error(path, f"has {facts.st_size // 2**20} MB; at most {limit} are read", "make it smaller")
            return file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise _error(path, f"cannot be read: {error.strerror}", "") from error


def _open_jpeg(data: bytes) -> Image.Image:
    return JpegImagePlugin.JpegImageFile(io.BytesIO(data))


def _open_still(opener: Callable[[io.BytesIO], Image.Image]) -> Callable[[bytes], Image.Image]:
    def open_still(data: bytes) -> Image.Image:
        image = opener(io.BytesIO(data))
        frames = int(getattr(image, "n_frames", 1)) if getattr(image, "is_animated", False) else 1
        if frames > 1:
            raise PhotoError(f"is an animation of {frames} frames", hint="save one of its frames as an image")
        return image

    return open_still


def _open_heif(data: bytes) -> Image.Image:
    if not register_heif():
        raise PhotoError("is a HEIC image, which needs a plugin", hint="pip install pillow-heif, or export it as JPEG")
    return Image.open(io.BytesIO(data), formats=("HEIF",))


@lru_cache(maxsize=1)
def register_heif() -> bool:
    """Let Pillow read HEIC with its plugin; whether the plugin is installed."""
    if importlib.util.find_spec(HEIF_PLUGIN) is None:
        return False
    importlib.import_module(HEIF_PLUGIN).register_heif_opener()
    return True


# The readers are called by name and not through Image.open: that tries every format Pillow knows, and its check of
# sizes warns and fails by numbers that belong to the whole process.
_OPENERS: dict[str, Callable[[bytes], Image.Image]] = {
    "JPEG image": _open_jpeg,
    "PNG image": _open_still(PngImagePlugin.PngImageFile),
    "WebP image": _open_still(WebPImagePlugin.WebPImageFile),
    "GIF image": _open_still(GifImagePlugin.GifImageFile),
    "HEIC image": _open_heif,
}


def _check_size(path: Path, image: Image.Image) -> None:
    width, height = image.size
    baseline = isinstance(image, JpegImagePlugin.JpegImageFile) and not image.info.get("progressive")
    limit = MAX_REDUCED_PIXELS if baseline else MAX_PIXELS
    if width * height > limit or max(width, height) > MAX_SIDE_PX:
        raise _error(
            path,
            f"has {width}x{height} px, {width * height / 1e6:.0f} megapixels; at most {limit // 1_000_000} are read",
            "make it smaller",
        )


def _upright(image: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    """The image as it is to be seen, and the size of the original seen so."""
    width, height = image.size
    factor = max(width, height) // WORKING_SIDE_PX
    if factor >= 2 and isinstance(image, JpegImagePlugin.JpegImageFile):
        # The decoder leaves out what would be averaged away.
        image.draft("RGB", (width // factor, height // factor))
    image.load()
    turn = _TURNS.get(_orientation(image))
    if turn is None:
        return image, (width, height)
    return image.transpose(turn), (height, width) if turn in _SIDEWAYS else (width, height)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # EXIF data are as hostile as the rest, and the photo is good without them
        return 1


def _rgb(image: Image.Image) -> ByteArray:
    if image.mode.startswith(("I", "F")):
        deep = np.asarray(image, np.float32)
        top = 255.0 if deep.max(initial=0) <= 255 else 65535.0
        grey = np.clip(deep / top * 255, 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        seen = image.convert("RGBA")
        ground = Image.new("RGBA", seen.size, (255, 255, 255, 255))
        image = Image.alpha_composite(ground, seen)
    return np.asarray(image.convert("RGB"), np.uint8)


def _is_text(data: bytes) -> bool:
    return not any(byte < 9 or 13 < byte < 27 for byte in data)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def _error(path: Path, message: str, hint: str) -> PhotoError:
    return PhotoError(message, path=path, stage="photo", hint=hint)
