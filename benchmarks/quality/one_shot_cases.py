"""Cases of a single shot: what must not be taken for a cut or a gradual transition."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.quality.shot_case import Case, ShotSource
from benchmarks.quality.shot_footage import HEIGHT, WIDTH, camera, stills


def flash(source: ShotSource) -> Case:
    (frames,) = source.shots(50)
    length = int(source.rng.integers(1, 4))
    first = int(source.rng.integers(12, 35))
    gain, lift = source.rng.uniform(1.2, 4), source.rng.uniform(40, 200)
    for i in range(length):
        decay = 1.0 if i == 0 else 0.6**i
        lit = frames[first + i] * (1 + (gain - 1) * decay) + lift * decay
        frames[first + i] = np.clip(lit, 0, 255).astype(np.uint8)
    return Case("flash", f"{length} at {first}", frames)


def brightness(source: ShotSource) -> Case:
    """The light goes up or down at once, everywhere or as a spot, for good."""
    rng = source.rng
    (frames,) = source.shots(50)
    low = rng.uniform(0.15, 0.6)
    before, after = (low, 1.0) if rng.random() < 0.5 else (1.0, low)
    gamma = rng.uniform(0.8, 1.3)
    spot = np.ones((HEIGHT, WIDTH, 1))
    if rng.random() < 0.4:
        ys, xs = np.mgrid[:HEIGHT, :WIDTH]
        cx, cy = rng.uniform(0.2, 0.8, 2)
        distance = np.hypot(xs / WIDTH - cx, ys / HEIGHT - cy)
        spot = np.clip(1.3 - 1.2 * distance, 0.2, 1)[..., None]
    result = []
    for i, frame in enumerate(frames):
        value = (frame / 255.0) ** (gamma if i >= 25 else 1.0) * (after if i >= 25 else before)
        value = value * (spot if (i >= 25) == (after < 1) else 1.0)
        result.append(np.clip(value * 255, 0, 255).astype(np.uint8))
    return Case("brightness", f"{before:.2f} -> {after:.2f}", result)


def slow_light(source: ShotSource) -> Case:
    """The light of a whole scene goes down to a third and up again."""
    (frames,) = source.shots(50)
    gains = 1 - 0.67 * np.sin(np.linspace(0, np.pi, 50)) ** 2
    return Case("slow light", "", [cv2.convertScaleAbs(f, alpha=float(g)) for f, g in zip(frames, gains, strict=True)])


def whip_pan(source: ShotSource) -> Case:
    """Still, a pan by one frame width in 4-12 frames with motion blur, still."""
    rng = source.rng
    which = int(rng.integers(6))
    length = int(rng.integers(4, 13))
    zoom = rng.uniform(2.0, 2.8)
    ease = (1 - np.cos(np.linspace(0, np.pi, length * 8))) / 2 if rng.random() < 0.7 else np.linspace(0, 1, length * 8)
    path = np.concatenate([np.zeros(160), ease, np.ones(160)])
    x = 0.25 + 0.5 * path
    fine = camera(stills()[which], x, np.full(len(x), 0.5), np.full(len(x), zoom), 0.0, rng)
    frames = [np.mean(fine[i : i + 8 : 2], axis=0).astype(np.uint8) for i in range(0, len(fine) - 7, 8)]
    return Case("whip pan", f"{length}", frames)


def shake(source: ShotSource) -> Case:
    """A hand-held camera that jerks now and then."""
    rng = source.rng
    which = int(rng.integers(6))
    jerk = rng.normal(0, 0.012, (60, 2)) * (rng.random((60, 1)) < 0.5)
    x, y = 0.5 + jerk[:, 0], 0.5 + jerk[:, 1]
    return Case("shake", "", camera(stills()[which], x, y, np.full(60, 1.8), 2.0, rng))


def passer_by(source: ShotSource) -> Case:
    """A large object near the camera crosses the frame in 6-14 frames and hides up to all of it."""
    rng = source.rng
    (frames,) = source.shots(50)
    length = int(rng.integers(6, 15))
    wide = int(WIDTH * rng.uniform(0.5, 1.2))
    tall = int(HEIGHT * rng.uniform(0.7, 1.0))
    texture = cv2.resize(stills()[int(rng.integers(6))], (wide, tall))
    texture = cv2.GaussianBlur(cv2.convertScaleAbs(texture, alpha=float(rng.uniform(0.2, 0.8))), (0, 0), 4)
    for i in range(length):
        left = int(-wide + (WIDTH + wide) * (i + 0.5) / length)
        a, b = max(left, 0), min(left + wide, WIDTH)
        if b > a:
            frame = frames[15 + i].copy()
            frame[HEIGHT - tall :, a:b] = texture[:, a - left : b - left]
            frames[15 + i] = frame
    return Case("passer-by", f"{length} frames, {wide / WIDTH:.2f} wide", frames)


def caption(source: ShotSource) -> Case:
    """A lower third or a picture-in-picture appears at once; a caption changes."""
    rng = source.rng
    (frames,) = source.shots(50)
    share = rng.uniform(0.15, 0.4)
    box = cv2.resize(stills()[int(rng.integers(6))], (int(WIDTH * 0.9), int(HEIGHT * share)))
    for i in range(25, 50):
        frame = frames[i].copy()
        frame[HEIGHT - 10 - box.shape[0] : HEIGHT - 10, 20 : 20 + box.shape[1]] = box
        frames[i] = frame
    return Case("caption", f"{share:.2f} high", frames)


def stutter(source: ShotSource) -> Case:
    """Every frame shown 2-4 times, as after a change of frame rate."""
    (frames,) = source.shots(50)
    repeat = int(source.rng.integers(2, 5))
    shown = [frames[i] for i in range(0, 50, repeat) for _ in range(repeat)]
    return Case("stutter", f"x{repeat}", shown)


def stall(source: ShotSource) -> Case:
    """A stream stands still for 3-25 frames and goes on where the scene has got to meanwhile."""
    (frames,) = source.shots(60)
    length = int(source.rng.integers(3, 26))
    return Case("stall", f"{length}", [*frames[:25], *[frames[24]] * length, *frames[25 + length :]])
