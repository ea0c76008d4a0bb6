"""Text of the page of `main.py photos`."""

from __future__ import annotations

import html
import re

from processors.known_people.photo_sorter import SortedFace, SortedPhoto
from processors.pages.html_page import data_uri
from processors.pages.photos_page import photos_html

JPEG = b"\xff\xd8\xff\xe0jpeg"
ANNA = SortedFace(box=(0, 0, 9, 9), person="Anna <i>", similarity=0.83)
SOMEBODY = SortedFace(box=(9, 0, 18, 9), person=None, similarity=0.1)


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)).split())


def photo(file: str, *faces: SortedFace, sharpness: float = 0.7) -> SortedPhoto:
    return SortedPhoto(file=file, sharp=sharpness >= 0.5, sharpness=sharpness, faces=faces)


def test_who_is_in_the_photos_and_whether_they_are_sharp():
    broken = SortedPhoto(file="broken.jpg", sharp=None, sharpness=None, faces=(), error="is empty")
    photos = [photo("a.jpg", ANNA, SOMEBODY), photo("b.jpg", sharpness=0.2), broken]
    page = photos_html(photos, [JPEG, JPEG, b""])
    text = text_of(page)
    assert "3 photos 1 known person 1 blurred 1 cannot be read Anna <i>: 1" in text
    assert "a.jpg sharp (0.70), Anna <i> 0.83, unknown person" in text
    assert "b.jpg blurred (0.20), no face" in text and "broken.jpg is empty" in text
    assert "<i>" not in page and page.count(f'src="{data_uri(JPEG)}"') == 2


def test_several_known_people_and_nothing_amiss():
    berta = SortedFace(box=(0, 0, 9, 9), person="Berta", similarity=0.9)
    text = text_of(photos_html([photo("a.jpg", ANNA, berta), photo("b.jpg", SOMEBODY, SOMEBODY, ANNA)], [JPEG, JPEG]))
    assert "b.jpg sharp (0.70), Anna <i> 0.83, 2 unknown people" in text
    assert "2 photos 2 known people 0 blurred Anna <i>: 2 Berta: 1" in text
    assert "cannot be read" not in text
