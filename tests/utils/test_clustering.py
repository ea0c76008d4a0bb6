import tracemalloc

import numpy as np
import pytest

from utils.clustering import group_similarity, merge_clusters


def blocks(sizes, inside=0.9, outside=0.1):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return np.where(labels[:, None] == labels, inside, outside), labels


def nothing_forbidden(n):
    return np.zeros((n, n), bool)


def test_blocks_are_found_and_numbered_by_their_first_item():
    similarity, labels = blocks([3, 4, 2])
    order = np.array([7, 0, 3, 8, 1, 2, 4, 5, 6])
    shuffled = similarity[np.ix_(order, order)]
    found = merge_clusters(shuffled, nothing_forbidden(9), 0.5)
    assert found.tolist() == [0, 1, 2, 0, 1, 1, 2, 2, 2]
    assert len({(a, b) for a, b in zip(found, labels[order], strict=True)}) == 3


def test_threshold_is_inclusive():
    similarity = np.array([[1.0, 0.5], [0.5, 1.0]])
    assert merge_clusters(similarity, nothing_forbidden(2), 0.5).tolist() == [0, 0]
    assert merge_clusters(similarity, nothing_forbidden(2), 0.5001).tolist() == [0, 1]


def test_cannot_link_holds_for_whole_clusters():
    similarity = np.full((4, 4), 0.9)
    similarity[0, 1] = similarity[1, 0] = 0.95
    similarity[2, 3] = similarity[3, 2] = 0.95
    apart = nothing_forbidden(4)
    apart[0, 3] = apart[3, 0] = True
    # 1 and 2 may be together, but each is first joined to a partner that must stay apart from the other's.
    assert merge_clusters(similarity, apart, 0.5).tolist() == [0, 0, 1, 1]


def test_average_linkage_weighs_its_items_and_closeness_draws_to_the_nearest():
    # 2 is close to 0 and far from 1: mean 0.45 alone, 0.75 where 0 weighs five times as much.
    similarity = np.array([[1, 0.95, 0.9], [0.95, 1, 0.0], [0.9, 0.0, 1]])
    free = nothing_forbidden(3)
    assert merge_clusters(similarity, free, 0.5).tolist() == [0, 0, 1]
    assert merge_clusters(similarity, free, 0.5, np.array([5.0, 1.0, 1.0])).tolist() == [0, 0, 0]
    assert merge_clusters(similarity, free, 0.5, closeness=1.0).tolist() == [0, 0, 0]


def test_equals_average_linkage_of_scipy():
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    rng = np.random.default_rng(5)
    points = rng.random((60, 3))
    distance = np.linalg.norm(points[:, None] - points, axis=2)
    for threshold in (0.2, 0.4, 0.6):
        expected = fcluster(linkage(squareform(distance, checks=False), "average"), threshold, "distance")
        found = merge_clusters(-distance, nothing_forbidden(60), -threshold)
        assert len(set(zip(found, expected, strict=True))) == len(set(found)) == len(set(expected))


def test_nothing_and_one():
    assert merge_clusters(np.zeros((0, 0)), nothing_forbidden(0), 0.5).shape == (0,)
    assert merge_clusters(np.ones((1, 1)), nothing_forbidden(1), 0.5).tolist() == [0]


@pytest.mark.parametrize(
    ("similarity", "weights"),
    [(np.zeros((2, 3)), None), (np.full((2, 2), np.nan), None), (np.zeros((2, 2)), np.array([1.0, 0.0]))],
)
def test_bad_input_is_refused(similarity, weights):
    with pytest.raises(ValueError, match="similarit"):
        merge_clusters(similarity, nothing_forbidden(2), 0.5, weights)


@pytest.mark.slow
def test_two_thousand_items():
    rng = np.random.default_rng(1)
    truth = np.sort(rng.integers(0, 40, 2000))
    noise = rng.normal(0, 0.1, (2000, 2000))
    similarity = np.clip(np.where(truth[:, None] == truth, 0.8, 0.2) + (noise + noise.T) / 2, 0, 1)
    found = merge_clusters(similarity, nothing_forbidden(2000), 0.5)
    assert len(set(zip(found, truth, strict=True))) == len(set(truth)) == len(set(found))


def test_group_similarity_is_the_weighted_mean_drawn_to_the_best_pair():
    similarity = np.array([[1, 0.5, 0.2], [0.5, 1, 0.8], [0.2, 0.8, 1]])
    labels, weights = np.array([1, 1, 0]), np.array([3.0, 1.0, 2.0])
    assert group_similarity(similarity, labels, weights)[0, 1] == pytest.approx((3 * 0.2 + 0.8) / 4)
    assert group_similarity(similarity, labels, weights, closeness=1.0)[0, 1] == pytest.approx(0.8)
    assert group_similarity(np.zeros((0, 0)), labels[:0], weights[:0]).shape == (0, 0)


def test_of_large_matrices_no_more_than_one_copy_is_made() -> None:
    """A video of an hour has thousands of items."""
    n = 1500
    similarity = np.zeros((n, n), np.float32)
    apart = np.zeros((n, n), bool)
    tracemalloc.start()
    merge_clusters(similarity, apart, 0.5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.6 * n * n * 8


@pytest.mark.parametrize("n", [1, 255, 257])
def test_a_matrix_that_is_not_symmetric_counts_as_its_mean_with_its_transpose(n: int) -> None:
    lopsided = np.random.default_rng(n).random((n, n))
    assert np.array_equal(
        merge_clusters(lopsided, np.zeros((n, n), bool), 0.6),
        merge_clusters((lopsided + lopsided.T) / 2, np.zeros((n, n), bool), 0.6),
    )
