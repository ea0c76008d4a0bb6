"""How threads are divided."""

import cv2

from core.thread_budget import available_cpus, thread_budget, use_one_opencv_thread


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
