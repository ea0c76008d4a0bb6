from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.known_clips import SAME_SIGNER
from config import Settings
from core.media.video_probe import probe_video
from core.model_manager import ModelManager
from core.models.embedder_spec import link_curves_of
from processors.face_analyzer import FaceAnalyzer
from processors.id_timeline_generator import IdTimelineGenerator
from processors.known_people.gallery import Gallery
from processors.known_people.gallery_types import EmbedderKey, VideoKey
from processors.known_people.known_faces import KnownFaces
from processors.known_people.naming_case import case_of
from processors.known_people.reference_photos import read_reference_photos
from processors.known_people.video_names import PersonName, names_from_gallery
from utils.fingerprints import fingerprint

pytestmark = [pytest.mark.clips, pytest.mark.slow]


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery(tmp_path / "gallery.sqlite") as opened:
        yield opened


def record(path: Path, gallery: Gallery, settings: Settings, models: ModelManager) -> list[PersonName]:
    analysis = FaceAnalyzer(settings, models).analyze(probe_video(path))
    timeline = IdTimelineGenerator(settings.identity, settings.clip).generate(analysis)
    known = KnownFaces(embedder(models), link_curves_of(models.embedder.name))
    key = VideoKey(fingerprint(path), "0" * 64, path.name, path.stem)
    return names_from_gallery(gallery, known, case_of(key, known.embedder, analysis, timeline))


def embedder(models: ModelManager) -> EmbedderKey:
    return EmbedderKey(models.embedder.name, models.describe()["embedder"]["sha256"])


def test_the_nine_signers_are_four_people(
    clips: Path, gallery: Gallery, model_settings: Settings, models: ModelManager
) -> None:
    found = {}
    for word in (word for words in SAME_SIGNER for word in words):
        path = clips / "people" / f"intel_asl_{word}.mkv"
        found[word] = [person.id for person in record(path, gallery, model_settings, models)]
    assert found == {word: [f"P000{n}"] for n, words in enumerate(SAME_SIGNER, 1) for word in words}


def test_a_photo_names_its_person_and_nobody_else(
    shared: Path, gallery: Gallery, model_settings: Settings, models: ModelManager
) -> None:
    photos = read_reference_photos(shared / "photos", models)
    assert [photo.name for photo in photos.photos] == ["alex-lacamoire", "biden", "lin-manuel-miranda", "obama"]
    gallery.keep_photos(photos.photos, "photos", embedder(models))
    found = record(shared / "clips" / "hamilton_short.mp4", gallery, model_settings, models)
    # The other two are 34 px high and in profile: dlib's network does not know them, and nobody guesses.
    assert [one.name for one in found if one.name] == ["lin-manuel-miranda"]
    named = next(one for one in found if one.name)
    assert named.match.source == "photo" and named.match.similarity > 0.7
