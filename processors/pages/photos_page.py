"""The page of `main.py photos`: who is in each photo, and whether it is sharp."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from processors.known_people.photo_sorter import SortedPhoto
from processors.pages.html_page import data_uri, render_page


def photos_html(photos: Sequence[SortedPhoto], thumbnails: Sequence[bytes]) -> str:
    """The page. thumbnails: a small JPEG of each photo, b"" if it could not be read."""
    people = Counter(name for photo in photos for name in {face.person for face in photo.faces} if name is not None)
    values = {
        "photos": [
            {
                "file": photo.file,
                "image": data_uri(jpeg) if jpeg else "",
                "sharp": photo.sharp,
                "sharpness": photo.sharpness,
                "error": photo.error,
                "faces": [{"person": face.person, "similarity": face.similarity} for face in photo.faces],
            }
            for photo, jpeg in zip(photos, thumbnails, strict=True)
        ],
        "people": sorted(people.items(), key=lambda entry: (-entry[1], entry[0])),
        "blurred": sum(photo.sharp is False for photo in photos),
        "unreadable": sum(bool(photo.error) for photo in photos),
    }
    return render_page("photos.html.j2", ("page.css", "photos.css"), (), values)
