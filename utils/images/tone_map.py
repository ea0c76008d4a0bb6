"""Tone mapping of HDR colours (PQ or HLG) to BT.709.

Highlights are rolled off as in ITU-R BT.2390 (a Hermite spline in PQ's perceptual scale); below the knee nothing
changes. The curve is applied to the largest component and all three are scaled alike, which keeps the hue. SDR white is
HDR's reference white of 203 cd/m2 (BT.2408), so faces keep their brightness.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

HdrTransfer = Literal["smpte2084", "arib-std-b67"]
"""PQ and HLG, as ffmpeg names them"""

Values = NDArray[np.float64]

SDR_WHITE_NITS = 203.0
PEAK_NITS = 1000.0
"""of PQ video without metadata, and of the display that HLG is mapped for"""

_PQ_MAX_NITS = 10000.0
_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_HLG_A, _HLG_B, _HLG_C = 0.17883277, 0.28466892, 0.55991073
_HLG_GAMMA = 1.2
_SCREEN_GAMMA = 2.4  # BT.1886

_LUMA_2020 = np.array([0.2627, 0.6780, 0.0593])
_LUMA_709 = np.array([0.2126, 0.7152, 0.0722])
# the inverse of ITU-R BT.2087
_TO_709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])


def pq_to_nits(signal: Values) -> Values:
    """SMPTE ST 2084: signal in [0, 1] to light in cd/m2, any shape."""
    power = np.maximum(signal, 0) ** (1 / _M2)
    return np.asarray(_PQ_MAX_NITS * (np.maximum(power - _C1, 0) / (_C2 - _C3 * power)) ** (1 / _M1))


def nits_to_pq(nits: Values) -> Values:
    """The inverse of `pq_to_nits`."""
    power = (np.clip(nits, 0, _PQ_MAX_NITS) / _PQ_MAX_NITS) ** _M1
    return np.asarray(((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2)


def hlg_to_nits(signal: Values) -> Values:
    """ARIB STD-B67: signal (..., 3) in [0, 1] to light in cd/m2 on a display of `PEAK_NITS`."""
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - _HLG_C) / _HLG_A) + _HLG_B) / 12)
    luminance = (scene @ _LUMA_2020)[..., None]
    return np.asarray(PEAK_NITS * luminance ** (_HLG_GAMMA - 1) * scene)


def roll_off(nits: Values, peak_nits: float) -> Values:
    """Compress light up to `peak_nits` to `SDR_WHITE_NITS` by the EETF of BT.2390, any shape."""
    peak = float(nits_to_pq(np.array(peak_nits)))
    top = float(nits_to_pq(np.array(SDR_WHITE_NITS))) / peak
    if top >= 1:
        return np.minimum(nits, SDR_WHITE_NITS)
    knee = 1.5 * top - 0.5
    e = np.minimum(nits_to_pq(nits) / peak, 1)
    t = (e - knee) / (1 - knee)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * top
    return np.where(e < knee, nits, pq_to_nits(spline * peak))


def to_sdr(signal: Values, transfer: HdrTransfer, peak_nits: float = PEAK_NITS) -> Values:
    """BT.2020 signal (..., 3) R'G'B' in [0, 1] to BT.709 signal (..., 3) R'G'B' in [0, 1].

    peak_nits: brightest light in PQ video; brighter light is clipped. Colours outside BT.709 are moved towards grey of
    the same luminance until they are inside.
    """
    light = pq_to_nits(signal) if transfer == "smpte2084" else hlg_to_nits(signal)
    brightest = np.maximum(light.max(-1, keepdims=True), 1e-6)
    peak = peak_nits if transfer == "smpte2084" else PEAK_NITS
    linear = light * (roll_off(brightest, peak) / brightest / SDR_WHITE_NITS) @ _TO_709.T
    grey = np.clip(linear @ _LUMA_709, 0, 1)[..., None]
    away = linear - grey
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(away < 0, -grey / away, np.where(away > 0, (1 - grey) / away, np.inf))
    inside = grey + away * np.clip(room.min(-1, keepdims=True), 0, 1)
    return np.asarray(np.clip(inside, 0, 1) ** (1 / _SCREEN_GAMMA))


def sdr_table(transfer: HdrTransfer, size: int, peak_nits: float = PEAK_NITS) -> Values:
    """`to_sdr` of a grid of colours: (size, size, size, 3), indexed blue, green, red."""
    axis = np.linspace(0, 1, size)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    return to_sdr(np.stack([red, green, blue], -1), transfer, peak_nits)
