"""How threads are divided."""

import cv2
import pytest

from core.thread_budget import CpuShares, available_cpus, thread_budget, use_one_opencv_thread


def test_one_cpu_is_left_to_the_decoder():
    assert thread_budget(2).inference == 1
    assert thread_budget(2).filter == 2
    assert thread_budget(1).inference == thread_budget(1).filter == 1
    assert thread_budget(16).inference == 8
    assert thread_budget(0).total == available_cpus()


def test_opencv_has_no_threads_of_its_own():
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(2)
        use_one_opencv_thread()
        assert cv2.getNumThreads() == 1
    finally:
        cv2.setNumThreads(before)


@pytest.mark.parametrize(
    ("cpus", "workers", "alone", "beside_one"), [(1, 1, 1, 1), (2, 1, 2, 1), (4, 2, 2, 1), (16, 1, 4, 4), (16, 4, 4, 3)]
)
def test_decoders_of_clips_share_the_cpus_with_analyses(cpus, workers, alone, beside_one):
    shares, budget = CpuShares(), thread_budget(cpus)
    assert shares.decoder_threads(budget, workers) == alone
    with shares.analysing():
        assert shares.decoder_threads(budget, workers) == beside_one
        with shares.analysing():
            assert shares.decoder_threads(budget, workers) <= beside_one
    assert shares.decoder_threads(budget, workers) == alone
