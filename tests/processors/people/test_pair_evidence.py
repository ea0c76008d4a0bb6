"""All evidence together: whatever blocks a made-up film is divided into, and where faces alone are enough."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import utils.numbers.pair_matrix
from benchmarks.speed.made_up_film import made_up_film
from config import ClipSettings, IdentitySettings
from core.types import FaceAnalysis, Timeline
from processors.id_timeline_generator import IdTimelineGenerator
from processors.people.doubt import VideoDoubts, find_doubts
from processors.people.pair_evidence import ComparedTracklets, PairEvidence, combined, tracklet_similarity
from tests.material.factories import face_analysis, tracklet
from utils.images.lab_histogram import HISTOGRAM_SIZE


@pytest.fixture(scope="module")
def film() -> FaceAnalysis:
    """Some tracklets with fewer samples, one without looks and one without clothes; some lie on others' faces."""
    found = made_up_film(150, 12, seed=4)
    tracklets = [t.part(slice(None), slice(1 + k % 6), slice(None)) for k, t in enumerate(found.tracklets)]
    tracklets[3] = tracklets[3].part(slice(None), slice(None), slice(0))
    tracklets[7] = dataclasses.replace(tracklets[7], clothes=np.zeros_like(tracklets[7].clothes))
    return dataclasses.replace(found, tracklets=tuple(tracklets))


def test_a_pair_says_the_same_alone_and_in_the_matrix(film: FaceAnalysis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(utils.numbers.pair_matrix, "BLOCK_ITEMS", 32)
    matrix = tracklet_similarity(film.tracklets, film).rows(np.arange(150))
    evidence = PairEvidence(film.tracklets, film)
    for a, b in np.random.default_rng(0).integers(0, 150, (40, 2)).tolist():
        alone = evidence.similarity(slice(a, a + 1), slice(b, b + 1))
        assert matrix[max(a, b), min(a, b)] == pytest.approx(alone[0, 0], abs=3e-5)
    assert np.array_equal(matrix, matrix.T)


def test_who_is_who_does_not_depend_on_the_blocks(film: FaceAnalysis, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(items: int) -> tuple[Timeline, ComparedTracklets, VideoDoubts]:
        monkeypatch.setattr(utils.numbers.pair_matrix, "BLOCK_ITEMS", items)
        generator = IdTimelineGenerator(IdentitySettings(), ClipSettings())
        timeline, compared = generator.compare_and_generate(film)
        return timeline, compared, find_doubts(film, timeline, compared)

    (whole, _, whole_doubts), (parts, compared, part_doubts) = found(1000), found(13)
    assert parts == whole and len(whole.people) > 5 and whole.unknown
    assert sorted(compared.ids) == [t.id for t in film.tracklets]
    assert_same(part_doubts, whole_doubts)
    # A timeline that is read from a file is compared in the same way, so a second run writes the same manifest.
    assert find_doubts(film, parts) == part_doubts


def assert_same(found: VideoDoubts, expected: VideoDoubts) -> None:
    assert found.people.keys() == expected.people.keys() and found.unknown.keys() == expected.unknown.keys()
    for name, doubt in expected.people.items():
        assert found.people[name].part == doubt.part
        assert found.people[name].similarity == pytest.approx(doubt.similarity, abs=3e-5)
        assert found.people[name].nearest.name == doubt.nearest.name
    for number, nearest in expected.unknown.items():
        assert found.unknown[number].name == nearest.name
        assert found.unknown[number].similarity == pytest.approx(nearest.similarity, abs=3e-5)


def similarity_in_other_clothes(cosine: float, sharpness: float, quality: float = 1.0) -> float:
    """Of two tracklets in shots of their own."""
    clothes = np.eye(2, HISTOGRAM_SIZE, dtype=np.uint8) * 255
    faces = [
        dataclasses.replace(
            tracklet(
                k, range(50 * k, 50 * k + 25), shot=k, sharpness=sharpness, embeddings=[vector], sample_quality=quality
            ),
            look_frames=np.array([50 * k]),
            views=np.zeros((1, 0), np.uint8),
            clothes=clothes[k : k + 1],
        )
        for k, vector in enumerate(([1.0, 0.0], [cosine, np.sqrt(1 - cosine**2)]))
    ]
    film = face_analysis(faces, 100, cuts=[50], embedder="sface")
    return float(PairEvidence(faces, film).similarity(slice(1, 2), slice(0, 1))[0, 0])


def test_faces_in_focus_that_would_link_two_videos_are_one_persons_in_any_clothes() -> None:
    assert similarity_in_other_clothes(0.6, sharpness=60) > 0.8
    assert similarity_in_other_clothes(0.45, sharpness=60) < 0.3


def test_blurred_and_poor_faces_are_not_enough_alone() -> None:
    assert similarity_in_other_clothes(0.6, sharpness=20) < 0.3
    assert similarity_in_other_clothes(0.55, sharpness=60) > 0.6 > similarity_in_other_clothes(0.55, 60, quality=0.3)


def test_clothes_and_place_do_not_outvote_sharp_faces() -> None:
    """People in equal clothes take one seat after the other: the figures of a made film."""

    def alike(faces: float, clothes: float, place: float) -> float:
        """Log-odds."""
        evidence = {"faces": faces, "clothes": clothes, "place": place}
        return float(combined({kind: np.full((1, 1), value, np.float32) for kind, value in evidence.items()})[0, 0])

    assert alike(-4.5, 5.9, 3.7) < 0
    assert alike(0.0, 5.9, 3.7) > 0
    assert alike(-1.0, -2.0, 4.0) == pytest.approx(-1.0)
