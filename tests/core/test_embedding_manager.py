import numpy as np
import pytest

from core.embedding_manager import SmartEmbeddingManager
from core.models.embedder_spec import Calibration
from core.models.similarity import Similarity

SIMILARITY = Similarity(Calibration(0.6, 14.0))
DIMENSIONS = 128


def people(count, seed=0, dimensions=DIMENSIONS):
    vectors = np.random.default_rng(seed).standard_normal((count, dimensions)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def at_cosine(vector, cosine, seed=999):
    """A unit vector at exactly this cosine from `vector`."""
    other = np.random.default_rng(seed).standard_normal(len(vector))
    other -= (other @ vector) * vector
    other /= np.linalg.norm(other)
    return np.asarray(cosine * vector + np.sqrt(1 - cosine**2) * other, np.float32)


def manager(**options):
    return SmartEmbeddingManager(SIMILARITY, **options)


def test_strangers_get_numbers_in_order_and_are_known_again():
    m = manager()
    faces = people(4)
    assert [m.assign(f, 0.0) for f in faces] == [0, 1, 2, 3]
    assert [m.assign(at_cosine(f, 0.8), 1.0) for f in faces[::-1]] == [3, 2, 1, 0]
    assert m.statistics == {
        "lookups": 8,
        "active_hits": 4,
        "archive_hits": 0,
        "evictions": 0,
        "expirations": 0,
        "new_identities": 4,
        "hit_rate": 0.5,
    }


def test_threshold_decides_on_the_calibrated_similarity():
    face = people(1)[0]
    m = manager(threshold=0.5)
    m.assign(face, 0.0)
    assert m.assign(at_cosine(face, 0.59), 0.0) == 1
    m = manager(threshold=0.5)
    m.assign(face, 0.0)
    assert m.assign(at_cosine(face, 0.61), 0.0) == 0


def test_who_comes_back_after_minutes_is_revived():
    m = manager(ttl_s=30)
    a, b = people(2)
    m.assign(a, 0.0)
    m.assign(b, 31.0)
    assert m.active == (1,)
    assert m.statistics["expirations"] == 1
    assert m.assign(at_cosine(a, 0.8), 400.0) == 0
    assert m.active == (0,)
    assert m.statistics["archive_hits"] == 1
    assert m.statistics["expirations"] == 2


def test_time_to_live_counts_from_the_last_sighting_and_is_inclusive():
    m = manager(ttl_s=30)
    a, b, c = people(3)
    m.assign(a, 0.0)
    m.mark_seen(0, 20.0)
    m.mark_seen(0, 5.0)
    m.assign(b, 50.0)
    assert m.active == (0, 1)
    m.assign(c, 50.1)
    assert m.active == (1, 2)


def test_least_recent_is_evicted_but_the_often_seen_is_spared():
    m = manager(active_limit=3)
    star, b, c, d = people(4)
    for second in range(5):
        m.assign(star, float(second))
    m.assign(b, 5.0)
    m.assign(c, 6.0)
    m.assign(d, 7.0)
    # star is the least recent, but b of the older half (star, b) was seen once only
    assert m.active == (0, 2, 3)
    assert m.statistics["evictions"] == 1
    assert m.assign(b, 8.0) == 1
    assert m.statistics["archive_hits"] == 1


def test_plain_least_recently_used_among_equals():
    m = manager(active_limit=2)
    a, b, c = people(3)
    m.assign(a, 0.0)
    m.assign(b, 1.0)
    m.assign(a, 2.0)
    m.assign(c, 3.0)
    assert m.active == (0, 2)


def test_limit_of_one():
    m = manager(active_limit=1)
    a, b = people(2)
    assert [m.assign(x, 0.0) for x in (a, b, a, b)] == [0, 1, 0, 1]
    assert len(m.active) == 1


def test_two_faces_of_one_frame_are_two_people():
    m = manager()
    face = people(1)[0]
    first = m.assign(face, 0.0)
    assert m.assign(face, 0.0, forbidden=[first]) == 1
    # both fit perfectly: the lowest number wins
    assert m.assign(face, 1.0) == 0


def test_forbidden_in_the_archive_too():
    m = manager(ttl_s=1)
    face = people(1)[0]
    m.assign(face, 0.0)
    assert m.assign(face, 10.0, forbidden={0}) == 1


def test_a_clearly_better_archived_person_beats_a_doubtful_active_one():
    m = manager(ttl_s=30)
    a = people(1)[0]
    m.assign(a, 0.0)
    m.assign(at_cosine(a, 0.5), 40.0)
    assert m.active == (1,)
    assert m.assign(a, 41.0) == 0


def test_other_evidence_tips_the_balance():
    face = people(1)[0]
    doubtful = at_cosine(face, 0.5)
    m = manager()
    m.assign(face, 0.0)
    assert m.assign(doubtful, 0.0, log_odds={0: 2.0}) == 0
    m = manager()
    m.assign(face, 0.0)
    assert m.assign(at_cosine(face, 0.1), 0.0, log_odds={0: 2.0}) == 1


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("cosine", "identity"), [(0.601, 0), (0.599, 1)])
def test_a_face_is_compared_with_the_weighted_mean_of_earlier_ones(cosine, identity, side):
    a = np.array([1, 0], np.float32)
    b = np.array([0.8, 0.6], np.float32)
    m = manager(threshold=0.5)
    m.assign(a, 0.0, weight=1.0)
    m.assign(b, 0.0, weight=3.0)
    x, y = (a + 3 * b) / np.linalg.norm(a + 3 * b)
    across = side * np.array([-y, x])
    face = np.asarray(cosine * np.array([x, y]) + np.sqrt(1 - cosine**2) * across, np.float32)
    assert m.assign(face, 0.0) == identity


@pytest.mark.slow
def test_ten_thousand_archived_people_keep_their_numbers():
    m = SmartEmbeddingManager(Similarity(Calibration(0.9, 100.0)), ttl_s=5)
    faces = people(10_000, dimensions=64)
    for second, face in enumerate(faces):
        assert m.assign(face, float(second)) == second
    assert m.statistics["new_identities"] == 10_000
    for k in (0, 4_711, 9_990):
        assert m.assign(at_cosine(faces[k], 0.95), 20_000.0) == k
    assert m.statistics["archive_hits"] == 3


def test_same_input_same_answer():
    rng = np.random.default_rng(3)
    faces = people(30, 3)[rng.integers(0, 30, 200)] + rng.normal(0, 0.06, (200, DIMENSIONS)).astype(np.float32)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    runs = [[m.assign(f, 3.0 * k) for k, f in enumerate(faces)] for m in (manager(), manager())]
    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    ("embedding", "weight"),
    [
        (np.ones(4, np.float32), 1.0),
        (np.zeros(4, np.float32), 1.0),
        (np.full(4, np.nan, np.float32), 1.0),
        (np.eye(4, dtype=np.float32), 1.0),
        (np.eye(4, dtype=np.float32)[0], 0.0),
        (np.eye(3, dtype=np.float32)[0], 1.0),
    ],
)
def test_bad_faces_are_refused(embedding, weight):
    m = manager()
    m.assign(np.eye(4, dtype=np.float32)[1], 0.0)
    with pytest.raises(ValueError, match="embedding"):
        m.assign(embedding, 0.0, weight=weight)


def test_bad_options_are_refused():
    for options in ({"active_limit": 0}, {"ttl_s": 0.0}, {"threshold": 1.0}):
        with pytest.raises(ValueError, match="active_limit"):
            manager(**options)
