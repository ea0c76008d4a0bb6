"""Where an image differs from an earlier one."""

import numpy as np

from processors.tracking.change_detector import Cells, ChangeDetector
from tests.material.scripted_faces import KnownImage

WIDTH_PX, HEIGHT_PX = 960, 540


def grey(level=100):
    return np.full((HEIGHT_PX, WIDTH_PX, 3), level, np.uint8)


def with_square(x, y, side, level=200):
    image = grey()
    image[y : y + side, x : x + side] = level
    return image


def cells(image):
    return Cells(KnownImage(image))


def remembering(image):
    detector = ChangeDetector()
    detector.remember(cells(image))
    return detector


def boxes(*rows):
    return np.array(rows, np.float32)


def test_everything_has_changed_as_long_as_nothing_is_remembered():
    changes = ChangeDetector().compare(cells(grey()))
    assert changes.outside([])
    assert changes.within(boxes((0, 0, WIDTH_PX, HEIGHT_PX)))[0] == 96 * 54


def test_cells_that_differ_are_counted_where_they_are():
    changes = remembering(grey()).compare(cells(with_square(300, 200, 50)))
    at_it, beside, partly = changes.within(boxes((300, 200, 350, 250), (500, 200, 550, 250), (340, 240, 400, 300)))
    assert (at_it, beside, partly) == (25, 0, 1)


def test_changes_in_known_faces_are_ignored():
    changes = remembering(grey()).compare(cells(with_square(300, 200, 50)))
    assert not changes.outside(list(boxes((290, 190, 360, 260))))
    assert changes.outside(list(boxes((290, 190, 330, 260))))


def test_noise_is_not_a_change_but_a_change_of_light_is():
    noise = np.random.default_rng(5).normal(0, 8, (HEIGHT_PX, WIDTH_PX, 3))
    noisy = np.clip(grey() + noise, 0, 255).astype(np.uint8)
    assert not remembering(grey()).compare(cells(noisy)).outside([])
    assert remembering(grey()).compare(cells(grey(108))).outside([])
