"""Tone mapping against the figures of the recommendations."""

import numpy as np
import pytest

from utils.images.tone_map import HdrTransfer, hlg_to_nits, nits_to_pq, pq_to_nits, roll_off, sdr_table, to_sdr

PQ: HdrTransfer = "smpte2084"
HLG: HdrTransfer = "arib-std-b67"
TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
"""ITU-R BT.2087, linear BT.709 to linear BT.2020"""


def grey(value):
    return np.full((1, 3), value)


@pytest.mark.parametrize(
    ("signal", "nits"), [(0.0, 0.0), (0.3800, 26.0), (0.5807, 203.0), (0.7518, 1000.0), (1.0, 10000.0)]
)
def test_pq_as_in_bt2408(signal, nits):
    assert pq_to_nits(np.array(signal)) == pytest.approx(nits, rel=2e-3)
    assert nits_to_pq(np.array(nits)) == pytest.approx(signal, abs=2e-4)


@pytest.mark.parametrize(("signal", "nits"), [(0.0, 0.0), (0.38, 26.0), (0.75, 203.0), (1.0, 1000.0)])
def test_hlg_as_in_bt2408(signal, nits):
    assert hlg_to_nits(grey(signal))[0] == pytest.approx([nits] * 3, rel=0.02)


def test_roll_off_as_in_bt2390():
    peak, white = 0.75183, 0.58069  # PQ of 1000 and 203 cd/m2
    knee_nits = float(pq_to_nits(np.array((1.5 * white / peak - 0.5) * peak)))
    assert 80 < knee_nits < 95
    below = np.linspace(0, knee_nits, 50)
    assert np.allclose(roll_off(below, 1000), below)
    above = roll_off(np.linspace(knee_nits, 1000, 200), 1000)
    assert (np.diff(above) > -1e-9).all() and above[-1] == pytest.approx(203, rel=1e-3)
    assert roll_off(np.array([4000.0]), 1000)[0] == pytest.approx(203, rel=1e-3)
    assert roll_off(np.array([150.0, 300.0]), 203) == pytest.approx([150, 203])


@pytest.mark.parametrize(("transfer", "signal"), [(PQ, 0.38), (HLG, 0.38)])
def test_mid_grey_stays_mid_grey(transfer, signal):
    """An 18 % grey card is at 38 % in both (BT.2408), and at 42 % on an ordinary screen."""
    assert to_sdr(grey(signal), transfer)[0] == pytest.approx([0.425] * 3, abs=0.01)


def test_greys_stay_grey_and_in_order():
    for transfer in (PQ, HLG):
        values = to_sdr(np.linspace(0, 1, 101)[:, None].repeat(3, 1), transfer)
        assert np.ptp(values, axis=1).max() < 2e-3
        assert (np.diff(values[:, 0]) > -1e-6).all()
        assert values[0, 0] == 0 and values[-1, 0] == pytest.approx(1, abs=1e-3)


def test_colours_of_bt709_below_the_knee_come_out_as_they_were():
    rng = np.random.default_rng(0)
    wanted = rng.uniform(0.1, 0.65, (200, 3))
    light = (wanted**2.4 * 203) @ TO_2020.T
    assert np.abs(to_sdr(nits_to_pq(light), PQ) - wanted).max() < 0.004


def test_bright_colours_keep_their_hue():
    orange = np.array([[1.0, 0.5, 0.2]])
    dim, bright = (to_sdr(nits_to_pq(orange * n @ TO_2020.T), PQ)[0] ** 2.4 for n in (50, 800))
    assert bright.max() > 0.95
    # Paler, because red cannot be brighter, but no yellower and no redder.
    hues = [(c[1] - c[2]) / (c[0] - c[2]) for c in (dim, bright)]
    assert hues[1] == pytest.approx(hues[0], abs=0.01)


def test_colours_that_bt709_has_not_are_drawn_in_not_cut_off():
    pure_green = np.array([[0.0, 200.0, 0.0]])  # BT.2020's own
    r, g, b = to_sdr(nits_to_pq(pure_green), PQ)[0]
    assert 0 <= min(r, b) < 0.05 and 0.8 < g <= 1
    assert np.isfinite(sdr_table(PQ, 9)).all() and np.isfinite(sdr_table(HLG, 9)).all()


def test_the_table_is_indexed_blue_green_red():
    table = sdr_table(PQ, 5)
    assert table.shape == (5, 5, 5, 3)
    assert table[1, 2, 3] == pytest.approx(to_sdr(np.array([0.75, 0.5, 0.25]), PQ))
