import numpy as np
import pytest

from tests.material.allocated_memory import allocated_memory
from utils.numbers.clustering import group_similarity, merge_clusters
from utils.numbers.pair_matrix import PairMatrix

PRECISION = 1.3e-5
"""a little more than half of the largest step between two stored similarities"""
NO_PAIRS = np.zeros((0, 2), np.int64)


def blocks(sizes, inside=0.9, outside=0.1):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return np.where(labels[:, None] == labels, inside, outside), labels


def merged(similarity, threshold, *, apart=(), **options):
    pairs = np.array(apart, np.int64).reshape(-1, 2)
    return merge_clusters(np.array(similarity, np.float32), pairs, threshold, **options).tolist()


def test_blocks_are_found_and_numbered_by_their_first_item():
    similarity, labels = blocks([3, 4, 2])
    order = np.array([7, 0, 3, 8, 1, 2, 4, 5, 6])
    shuffled = similarity[np.ix_(order, order)]
    found = merged(shuffled, 0.5)
    assert found == [0, 1, 2, 0, 1, 1, 2, 2, 2]
    assert len({(a, b) for a, b in zip(found, labels[order], strict=True)}) == 3


def test_threshold_is_inclusive():
    similarity = np.array([[1.0, 0.5], [0.5, 1.0]])
    assert merged(similarity, 0.5) == [0, 0]
    assert merged(similarity, 0.5001) == [0, 1]


def test_cannot_link_holds_for_whole_clusters():
    similarity = np.full((4, 4), 0.9)
    similarity[0, 1] = similarity[1, 0] = 0.95
    similarity[2, 3] = similarity[3, 2] = 0.95
    # 1 and 2 may be together, but each is first joined to a partner that must stay apart from the other's.
    assert merged(similarity, 0.5, apart=[(0, 3)]) == merged(similarity, 0.5, apart=[(3, 0)]) == [0, 0, 1, 1]


def test_average_linkage_weighs_its_items_and_closeness_draws_to_the_nearest():
    # 2 is close to 0 and far from 1: mean 0.45 alone, 0.75 where 0 weighs five times as much.
    similarity = np.array([[1, 0.95, 0.9], [0.95, 1, 0.0], [0.9, 0.0, 1]])
    assert merged(similarity, 0.5) == [0, 0, 1]
    assert merged(similarity, 0.5, weights=np.array([5.0, 1.0, 1.0])) == [0, 0, 0]
    assert merged(similarity, 0.5, closeness=1.0) == [0, 0, 0]


def test_equals_average_linkage_of_scipy():
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    rng = np.random.default_rng(5)
    points = rng.random((60, 3))
    distance = np.linalg.norm(points[:, None] - points, axis=2)
    for threshold in (0.2, 0.4, 0.6):
        expected = fcluster(linkage(squareform(distance, checks=False), "average"), threshold, "distance")
        found = merged(-distance, -threshold)
        assert len(set(zip(found, expected, strict=True))) == len(set(found)) == len(set(expected))


def test_nothing_and_one():
    assert merged(np.zeros((0, 0)), 0.5) == []
    assert merged(np.ones((1, 1)), 0.5) == [0]


@pytest.mark.parametrize(
    ("similarity", "weights"),
    [
        (np.zeros((2, 3), np.float32), None),
        (np.full((2, 2), np.nan, np.float32), None),
        (np.array([[0, 1], [2, 0]], np.float32), None),
        (np.zeros((2, 2)), None),
        (np.zeros((2, 2), np.float32), np.array([1.0, 0.0])),
    ],
)
def test_bad_input_is_refused(similarity, weights):
    with pytest.raises(ValueError, match="similarit"):
        merge_clusters(similarity, NO_PAIRS, 0.5, weights)


@pytest.mark.slow
def test_two_thousand_items():
    rng = np.random.default_rng(1)
    truth = np.sort(rng.integers(0, 40, 2000))
    noise = rng.normal(0, 0.1, (2000, 2000))
    similarity = np.clip(np.where(truth[:, None] == truth, 0.8, 0.2) + (noise + noise.T) / 2, 0, 1)
    found = merged(similarity, 0.5)
    assert len(set(zip(found, truth, strict=True))) == len(set(truth)) == len(set(found))


def plain_group_similarity(similarity, labels, weights, closeness):
    """As `group_similarity` is defined, pair by pair."""
    groups = range(int(labels.max(initial=-1)) + 1)
    found = np.zeros((len(groups), len(groups)))
    for a in groups:
        for b in groups:
            pairs = similarity[np.ix_(labels == a, labels == b)]
            mean = np.average(pairs, weights=np.outer(weights[labels == a], weights[labels == b]))
            found[a, b] = mean + closeness * (pairs.max() - mean)
    return found


def test_group_similarity_is_the_weighted_mean_drawn_to_the_best_pair():
    similarity = PairMatrix.of(np.array([[1, 0.5, 0.2], [0.5, 1, 0.8], [0.2, 0.8, 1]]))
    labels, weights = np.array([1, 1, 0]), np.array([3.0, 1.0, 2.0])
    assert group_similarity(similarity, labels, weights)[0, 1] == pytest.approx((3 * 0.2 + 0.8) / 4, abs=PRECISION)
    assert group_similarity(similarity, labels, weights, closeness=1.0)[0, 1] == pytest.approx(0.8, abs=PRECISION)
    assert group_similarity(PairMatrix.of(np.zeros((0, 0))), labels[:0], weights[:0]).shape == (0, 0)


@pytest.mark.parametrize("n", [40, 600])
def test_group_similarity_of_many_blocks_and_of_items_without_a_group(n):
    rng = np.random.default_rng(n)
    matrix = rng.random((n, n)).astype(np.float32)
    matrix = (matrix + matrix.T) / 2
    labels = rng.permutation([*range(7), *rng.integers(-1, 3, n - 7)])
    weights = rng.uniform(0.1, 2, n)
    found = group_similarity(PairMatrix.of(matrix), labels, weights, closeness=0.3)
    assert found == pytest.approx(plain_group_similarity(matrix, labels, weights, 0.3), abs=PRECISION)
    assert np.array_equal(found, found.T)


def test_it_works_in_the_matrix_that_it_is_given() -> None:
    """A person of a long film has thousands of tracklets."""
    n = 1500
    rng = np.random.default_rng(0)
    similarity = rng.random((n, n), np.float32)
    similarity = np.maximum(similarity, similarity.T)
    given = iter([similarity.copy() for _ in range(3)])
    assert allocated_memory(lambda: merge_clusters(next(given), NO_PAIRS, 0.9)).peak < 0.3 * similarity.nbytes
