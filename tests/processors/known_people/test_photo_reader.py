from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import PhotoError
from processors.known_people import photo_reader
from processors.known_people.photo_reader import read_photo
from tests.processors.known_people.photos import jpeg, random_image, save


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.gif"])
def test_reads_the_common_formats(tmp_path: Path, name: str) -> None:
    photo = read_photo(save(tmp_path / name, random_image()))
    assert photo.pixels.shape == (240, 320, 3)
    assert photo.pixels.dtype == np.uint8 and photo.pixels.flags.c_contiguous
    assert (photo.width, photo.height) == (320, 240)
    assert np.abs(photo.pixels.astype(int) - random_image()).mean() < 12  # a GIF has 256 colours


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(tmp_path: Path, orientation: int) -> None:
    upright = random_image()
    undo = {1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud,
            5: lambda a: np.swapaxes(a, 0, 1), 6: lambda a: np.rot90(a, 1),
            7: lambda a: np.rot90(np.swapaxes(a, 0, 1), 2), 8: lambda a: np.rot90(a, -1)}  # fmt: skip
    stored = np.ascontiguousarray(undo[orientation](upright))
    photo = read_photo(save(tmp_path / "a.png", stored, orientation=orientation))
    assert (photo.width, photo.height) == (320, 240)
    assert np.array_equal(photo.pixels, upright)


def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_reader, "WORKING_SIDE_PX", 200)
    photo = read_photo(save(tmp_path / "a.jpg", random_image(1000, 700), orientation=6))
    assert (photo.width, photo.height) == (700, 1000)
    assert photo.pixels.shape == (200, 140, 3)
    assert photo.scale == pytest.approx([5.0, 5.0])


def test_the_name_does_not_decide(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    save(tmp_path / "b.png", random_image()).rename(path)
    assert read_photo(path).pixels.shape == (240, 320, 3)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"dear diary\n" * 20, "is text"),
        (b"<html><body>not found</body></html>", "is text"),
        (b"\0\0\0\x20ftypisom" + bytes(200), "is a video"),
        (b"\x1aE\xdf\xa3" + bytes(200), "is a video"),
        (b"\0\0\0\x20ftypheic" + bytes(200), "HEIC"),
        (bytes(range(256)), "of an unknown kind"),
        (b"\xff\xd8\xff" + bytes(300), "is a damaged JPEG image"),
        (b"\x89PNG\r\n\x1a\n" + bytes(300), "damaged"),
        (b"%PDF-1.7\n", "PDF"),
    ],
)
def test_what_is_not_a_photo_is_named(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    with pytest.raises(PhotoError, match=said) as caught:
        read_photo(path)
    assert str(caught.value).startswith("a.jpg: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_truncated(tmp_path: Path, name: str, share: float) -> None:
    path = save(tmp_path / name, random_image(640, 480))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(PhotoError, match=r"damaged|cut off"):
        read_photo(path)


def test_too_many_pixels_are_refused_before_decoding(tmp_path: Path) -> None:
    # 10 000 x 10 000 of one colour: 100 KB on disk, 300 MB in memory.
    path = tmp_path / "bomb.png"
    Image.new("L", (10_000, 10_000)).save(path)
    with pytest.raises(PhotoError, match=r"100 megapixels.*make it smaller"):
        read_photo(path)


def test_a_progressive_jpeg_counts_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_reader, "MAX_PIXELS", 50_000)
    assert read_photo(save(tmp_path / "a.jpg", random_image())).width == 320
    with pytest.raises(PhotoError, match="megapixels"):
        read_photo(save(tmp_path / "b.jpg", random_image(), progressive=True))


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_animations_are_refused(tmp_path: Path, name: str) -> None:
    frames = [Image.fromarray(random_image(64, 48, seed)) for seed in range(3)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    with pytest.raises(PhotoError, match="animation of 3 frames"):
        read_photo(tmp_path / name)


def test_other_modes(tmp_path: Path) -> None:
    Image.fromarray(np.full((40, 60), 40_000, np.uint16)).save(tmp_path / "deep.png")
    assert read_photo(tmp_path / "deep.png").pixels[0, 0].tolist() == [155, 155, 155]
    Image.new("RGBA", (60, 40), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert read_photo(tmp_path / "clear.png").pixels[0, 0].tolist() == [255, 255, 255]
    Image.new("CMYK", (60, 40)).save(tmp_path / "print.jpg")
    assert read_photo(tmp_path / "print.jpg").pixels.shape == (40, 60, 3)
    Image.new("L", (60, 40), 7).save(tmp_path / "grey.jpg")
    assert read_photo(tmp_path / "grey.jpg").pixels[5, 5].tolist() == [7, 7, 7]


def test_damaged_exif_is_no_obstacle(tmp_path: Path) -> None:
    data = save(tmp_path / "a.jpg", random_image(), orientation=6).read_bytes()
    at = data.index(b"Exif")
    (tmp_path / "b.jpg").write_bytes(data[: at + 6] + bytes(8) + data[at + 14 :])
    assert read_photo(tmp_path / "b.jpg").width == 320


def test_what_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="No such file"):
        read_photo(tmp_path / "a.jpg")
    with pytest.raises(PhotoError, match=r"cannot be read|is not a file"):
        read_photo(tmp_path)
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(PhotoError, match="is not a file"):
        read_photo(tmp_path / "pipe.jpg")


def test_too_large_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_reader, "MAX_FILE_BYTES", 2**10)
    (tmp_path / "a.jpg").write_bytes(jpeg(random_image()))
    with pytest.raises(PhotoError, match="make it smaller"):
        read_photo(tmp_path / "a.jpg")


def test_heic_without_its_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_reader, "HEIF_PLUGIN", "a_plugin_that_is_not_here")
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x20ftypheic" + bytes(200))
    with without_heif_opener(), pytest.raises(PhotoError) as raised:
        read_photo(tmp_path / "a.heic")
    assert str(raised.value) == (
        "a.heic: is a HEIC image, which needs a plugin (pip install pillow-heif, or export it as JPEG)"
    )


def test_heic_with_a_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin of this test takes a HEIC file to be a header before a PNG."""
    plugin = """
import io
from PIL import Image, PngImagePlugin

def open_heif(file, name):
    return PngImagePlugin.PngImageFile(io.BytesIO(file.read()[32:]))

def register_heif_opener():
    Image.register_open("HEIF", open_heif)
"""
    (tmp_path / "plugin_for_heif.py").write_text(plugin)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(photo_reader, "HEIF_PLUGIN", "plugin_for_heif")
    header = b"\0\0\0\x20ftypheic" + bytes(20)
    png = save(tmp_path / "a.png", random_image(), orientation=6).read_bytes()
    (tmp_path / "a.heic").write_bytes(header + png)
    (tmp_path / "cut.heic").write_bytes(header + png[: len(png) // 2])
    with without_heif_opener():
        photo = read_photo(tmp_path / "a.heic")
        assert (photo.width, photo.height) == (240, 320)
        assert np.array_equal(photo.pixels, np.rot90(random_image(), -1))
        with pytest.raises(PhotoError, match="is damaged or cut off"):
            read_photo(tmp_path / "cut.heic")


def test_heic_with_the_real_plugin(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="missing on this machine: pillow-heif")
    pillow_heif.from_pillow(Image.fromarray(random_image())).save(tmp_path / "a.heic", quality=90)
    with without_heif_opener():
        photo = read_photo(tmp_path / "a.heic")
        assert np.abs(photo.pixels.astype(int) - random_image()).mean() < 12
        data = (tmp_path / "a.heic").read_bytes()
        (tmp_path / "cut.heic").write_bytes(data[: len(data) // 2])
        with pytest.raises(PhotoError, match="damaged"):
            read_photo(tmp_path / "cut.heic")


@contextlib.contextmanager
def without_heif_opener() -> Iterator[None]:
    """Pillow knows no HEIF before and after."""
    photo_reader.register_heif.cache_clear()
    before = Image.OPEN.pop("HEIF", None)
    try:
        yield
    finally:
        Image.OPEN.pop("HEIF", None)
        if before is not None:
            Image.OPEN["HEIF"] = before
        photo_reader.register_heif.cache_clear()
