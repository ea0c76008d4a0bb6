"""Cases with gradual transitions, and the same effects within one shot."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.quality.shot_case import Case, ShotSource
from benchmarks.quality.shot_footage import WIDTH, Frames


def dissolve(source: ShotSource) -> Case:
    length = int(source.rng.integers(8, 31))
    a, b = source.shots(50, 50) if source.rng.random() < 0.7 else (source.still_shot(50, 0), source.still_shot(50, 1))
    return Case("dissolve", f"{length}", mix(a, b, length), gradual=((50 - length, 50),))


def short_dissolve(source: ShotSource) -> Case:
    length = int(source.rng.integers(2, 8))
    a, b = source.shots(40, 40)
    return Case("short dissolve", f"{length}", mix(a, b, length), gradual=((40 - length, 40),))


def wipe(source: ShotSource) -> Case:
    """The new shot is pushed over the old one from the left, 8-25 frames."""
    length = int(source.rng.integers(8, 26))
    a, b = source.shots(50, 50)
    frames = mix(a, b, length)
    for i in range(length):
        edge = round(WIDTH * (i + 1) / (length + 1))
        frames[50 - length + i] = np.concatenate([b[i][:, :edge], a[50 - length + i][:, edge:]], axis=1)
    return Case("wipe", f"{length}", frames, gradual=((50 - length, 50),))


def fade(source: ShotSource) -> Case:
    """Out to black and in again after a hold."""
    out, into, hold = (int(v) for v in source.rng.integers((8, 8, 5), (31, 31, 30)))
    a, b = source.shots(50, 50)
    black = [np.full_like(a[0], int(source.rng.choice([0, 16])))] * (out + hold + into)
    frames = mix(mix(a, black, out), b, into)
    fades = ((50 - out, 50), (50 + hold, 50 + hold + into))
    return Case("fade", f"{out} {hold} {into}", frames, gradual=fades, begins=(50, 50 + hold))


def dip(source: ShotSource) -> Case:
    """Quickly out to a flat colour and in again with another shot."""
    out, into, colour = _dip_lengths(source)
    a, b = source.shots(50, 50)
    frames = dipped(a, colour, out, 0) + dipped(b, colour, 0, into)
    return Case("dip", f"{out} {into} {colour}", frames, gradual=((50 - out, 50 + into),))


def blink(source: ShotSource) -> Case:
    """A dip within one shot, which goes on behind it."""
    out, into, colour = _dip_lengths(source)
    (frames,) = source.shots(80)
    faded = dipped(frames[:40], colour, out, 0) + dipped(frames[40:], colour, 0, into)
    return Case("blink", f"{out} {into} {colour}", faded)


def _dip_lengths(source: ShotSource) -> tuple[int, int, tuple[int, ...]]:
    """Frames out and in, and an RGB colour: black, white or any."""
    out, into = (int(v) for v in source.rng.integers((2, 2), (9, 11)))
    colours = ((0, 0, 0), (255, 255, 255), tuple(int(v) for v in source.rng.integers(0, 256, 3)))
    return out, into, colours[int(source.rng.integers(3))]


def mix(a: Frames, b: Frames, length: int) -> Frames:
    """a, then b, overlapping by `length` frames."""
    middle = []
    for i, (x, y) in enumerate(zip(a[len(a) - length :], b[:length], strict=True)):
        alpha = (i + 1) / (length + 1)
        middle.append(cv2.addWeighted(x, 1 - alpha, y, alpha, 0))
    return a[: len(a) - length] + middle + b[length:]


def dipped(frames: Frames, colour: tuple[int, ...], out: int, into: int) -> Frames:
    """The last `out` frames fade to `colour`, or the first `into` ones, of which the first is flat, come out of it."""
    alphas = [1 - i / into for i in range(into)] + [0.0] * (len(frames) - into - out)
    alphas += [(i + 1) / (out + 1) for i in range(out)]
    flat = np.full_like(frames[0], colour)
    return [
        np.asarray(cv2.addWeighted(frame, 1 - alpha, flat, alpha, 0), np.uint8)
        for frame, alpha in zip(frames, alphas, strict=True)
    ]
