"""Cases of the shot benchmark: hard cuts, gradual transitions, and what must not be taken for either."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.known_clips import KNOWN
from benchmarks.quality.shot_footage import (
    HEIGHT,
    PIECES,
    SAME_SET,
    WIDTH,
    Frames,
    camera,
    decode,
    frame_rate,
    piece,
    stills,
)

RATE = 25.0


@dataclass(frozen=True)
class Case:
    """frames of one test, its hard cuts, and its gradual transitions as [first mixed frame, first pure frame)."""

    kind: str
    name: str
    frames: Frames
    rate: float = RATE
    cuts: tuple[int, ...] = ()
    gradual: tuple[tuple[int, int], ...] = ()


class Maker:
    """Draws cases of every kind from one random stream."""

    def __init__(self, clips: Path | None, seed: int) -> None:
        self.clips = clips
        self.rng = np.random.default_rng(seed)

    def still_shot(self, count: int, which: int | None = None) -> Frames:
        images = stills()
        rng = self.rng
        image = images[int(rng.integers(len(images))) if which is None else which]
        x0, y0 = rng.uniform(0.35, 0.65, 2)
        dx, dy = rng.uniform(-0.1, 0.1, 2) * rng.integers(0, 2)
        z0, z1 = rng.uniform(1.2, 2.0), rng.uniform(1.2, 2.0)
        if rng.random() < 0.5:
            z1 = z0
        t = np.linspace(0, 1, count)
        return camera(image, x0 + dx * t, y0 + dy * t, z0 + (z1 - z0) * t, float(rng.choice([0, 2, 5])), rng)

    def shots(self, *counts: int, same_set: bool = False) -> list[Frames]:
        """One run of frames per count, from different sources (or from the same set)."""
        rng = self.rng
        sources: list[tuple[str, int, int] | int]
        if same_set:
            sources = list(SAME_SET)
        else:
            sources = [0, 1, 2, 3, 4, 5]
            if self.clips is not None:
                sources += [*PIECES, SAME_SET[int(rng.integers(len(SAME_SET)))]]
        order = [int(i) for i in rng.permutation(len(sources))]
        result: list[Frames] = []
        used = set()
        while len(result) < len(counts):
            source = sources[order.pop(0)]
            count = counts[len(result)]
            if isinstance(source, int):
                result.append(self.still_shot(count, source))
                continue
            assert self.clips is not None
            frames = piece(self.clips, *source)
            if (source[0] in used and not same_set) or len(frames) < count:
                continue
            used.add(source[0])
            first = int(rng.integers(len(frames) - count + 1))
            result.append(list(frames[first : first + count]))
        return result

    def hard_cuts(self) -> Case:
        counts = [int(c) for c in self.rng.integers(5, 45, 4)]
        runs = self.shots(*counts)
        return Case(
            "hard cut", str(counts), list(itertools.chain(*runs)), cuts=tuple(int(c) for c in np.cumsum(counts)[:-1])
        )

    def dark_cuts(self) -> Case:
        counts = [int(c) for c in self.rng.integers(10, 45, 3)]
        gain = self.rng.uniform(0.08, 0.25)
        runs = self.shots(*counts)
        frames = [cv2.convertScaleAbs(f, alpha=gain) for f in list(itertools.chain(*runs))]
        return Case("dark cut", f"gain {gain:.2f}", frames, cuts=tuple(int(c) for c in np.cumsum(counts)[:-1]))

    def similar_cuts(self) -> Case:
        runs = self.shots(30, 30, 30, same_set=True)
        return Case("similar cut", "", list(itertools.chain(*runs)), cuts=(30, 60))

    def angle_cut(self) -> Case:
        """The same still from another place: half the window away, or a punch-in."""
        rng = self.rng
        which = int(rng.integers(6))
        noise = float(rng.choice([0, 2, 5]))
        z = rng.uniform(1.6, 2.2)
        x, y = rng.uniform(0.4, 0.6, 2)
        punch = rng.random() < 0.5
        z2 = z * 1.6 if punch else z
        x2 = x if punch else x + (0.5 / z) * (1 if x < 0.5 else -1)
        one = camera(stills()[which], np.full(30, x), np.full(30, y), np.full(30, z), noise, rng)
        two = camera(stills()[which], np.full(30, x2), np.full(30, y), np.full(30, z2), noise, rng)
        return Case("angle cut", "punch-in" if punch else "sideways", one + two, cuts=(30,))

    def moving_cut(self) -> Case:
        """A cut between two fast pans."""
        rng = self.rng
        runs = []
        for which in rng.permutation(6)[:2]:
            speed = rng.uniform(0.004, 0.012) * rng.choice([-1, 1])
            t = np.arange(25)
            runs.append(camera(stills()[which], 0.5 + speed * (t - 12), np.full(25, 0.5), np.full(25, 2.2), 2.0, rng))
        return Case("moving cut", "", runs[0] + runs[1], cuts=(25,))

    def dissolve(self) -> Case:
        length = int(self.rng.integers(8, 31))
        a, b = self.shots(50, 50) if self.rng.random() < 0.7 else (self.still_shot(50, 0), self.still_shot(50, 1))
        return Case("dissolve", f"{length}", mix(a, b, length), gradual=((50 - length, 50),))

    def short_dissolve(self) -> Case:
        length = int(self.rng.integers(2, 8))
        a, b = self.shots(40, 40)
        return Case("short dissolve", f"{length}", mix(a, b, length), gradual=((40 - length, 40),))

    def wipe(self) -> Case:
        """The new shot is pushed over the old one from the left, 8-25 frames."""
        length = int(self.rng.integers(8, 26))
        a, b = self.shots(50, 50)
        frames = mix(a, b, length)
        for i in range(length):
            edge = round(WIDTH * (i + 1) / (length + 1))
            frames[50 - length + i] = np.concatenate([b[i][:, :edge], a[50 - length + i][:, edge:]], axis=1)
        return Case("wipe", f"{length}", frames, gradual=((50 - length, 50),))

    def fade(self) -> Case:
        """Out to black and in again after a hold."""
        out, into, hold = (int(v) for v in self.rng.integers((8, 8, 5), (31, 31, 30)))
        a, b = self.shots(50, 50)
        black = [np.full_like(a[0], int(self.rng.choice([0, 16])))] * (out + hold + into)
        frames = mix(mix(a, black, out), b, into)
        return Case("fade", f"{out} {hold} {into}", frames, gradual=((50 - out, 50), (50 + hold, 50 + hold + into)))

    def dip(self) -> Case:
        """Quickly out to a flat colour and in again with another shot."""
        out, into, colour = self._dip_lengths()
        a, b = self.shots(50, 50)
        frames = dipped(a, colour, out, 0) + dipped(b, colour, 0, into)
        return Case("dip", f"{out} {into} {colour}", frames, gradual=((50 - out, 50 + into),))

    def blink(self) -> Case:
        """The same in one shot."""
        out, into, colour = self._dip_lengths()
        (frames,) = self.shots(80)
        faded = dipped(frames[:40], colour, out, 0) + dipped(frames[40:], colour, 0, into)
        return Case("blink", f"{out} {into} {colour}", faded)

    def _dip_lengths(self) -> tuple[int, int, tuple[int, ...]]:
        """Frames out and in, and an RGB colour: black, white or any."""
        out, into = (int(v) for v in self.rng.integers((2, 2), (9, 11)))
        colours = ((0, 0, 0), (255, 255, 255), tuple(int(v) for v in self.rng.integers(0, 256, 3)))
        return out, into, colours[int(self.rng.integers(3))]

    def flash(self) -> Case:
        (frames,) = self.shots(50)
        length = int(self.rng.integers(1, 4))
        first = int(self.rng.integers(12, 35))
        gain, lift = self.rng.uniform(1.2, 4), self.rng.uniform(40, 200)
        for i in range(length):
            decay = 1.0 if i == 0 else 0.6**i
            lit = frames[first + i] * (1 + (gain - 1) * decay) + lift * decay
            frames[first + i] = np.clip(lit, 0, 255).astype(np.uint8)
        return Case("flash", f"{length} at {first}", frames)

    def brightness(self) -> Case:
        """The light goes up or down at once, everywhere or as a spot, for good."""
        rng = self.rng
        (frames,) = self.shots(50)
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

    def slow_light(self) -> Case:
        """The light of a whole scene goes down to a third and up again."""
        (frames,) = self.shots(50)
        gains = 1 - 0.67 * np.sin(np.linspace(0, np.pi, 50)) ** 2
        return Case(
            "slow light", "", [cv2.convertScaleAbs(f, alpha=float(g)) for f, g in zip(frames, gains, strict=True)]
        )

    def whip_pan(self) -> Case:
        """Still, a pan by one frame width in 4-12 frames with motion blur, still."""
        rng = self.rng
        which = int(rng.integers(6))
        length = int(rng.integers(4, 13))
        zoom = rng.uniform(2.0, 2.8)
        ease = (
            (1 - np.cos(np.linspace(0, np.pi, length * 8))) / 2 if rng.random() < 0.7 else np.linspace(0, 1, length * 8)
        )
        path = np.concatenate([np.zeros(160), ease, np.ones(160)])
        x = 0.25 + 0.5 * path
        fine = camera(stills()[which], x, np.full(len(x), 0.5), np.full(len(x), zoom), 0.0, rng)
        frames = [np.mean(fine[i : i + 8 : 2], axis=0).astype(np.uint8) for i in range(0, len(fine) - 7, 8)]
        return Case("whip pan", f"{length}", frames)

    def shake(self) -> Case:
        """A hand-held camera that jerks now and then."""
        rng = self.rng
        which = int(rng.integers(6))
        jerk = rng.normal(0, 0.012, (60, 2)) * (rng.random((60, 1)) < 0.5)
        x, y = 0.5 + jerk[:, 0], 0.5 + jerk[:, 1]
        return Case("shake", "", camera(stills()[which], x, y, np.full(60, 1.8), 2.0, rng))

    def passer_by(self) -> Case:
        """A large object near the camera crosses the frame in 6-14 frames and hides up to all of it."""
        rng = self.rng
        (frames,) = self.shots(50)
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

    def caption(self) -> Case:
        """A lower third or a picture-in-picture appears at once; a caption changes."""
        rng = self.rng
        (frames,) = self.shots(50)
        share = rng.uniform(0.15, 0.4)
        box = cv2.resize(stills()[int(rng.integers(6))], (int(WIDTH * 0.9), int(HEIGHT * share)))
        for i in range(25, 50):
            frame = frames[i].copy()
            frame[HEIGHT - 10 - box.shape[0] : HEIGHT - 10, 20 : 20 + box.shape[1]] = box
            frames[i] = frame
        return Case("caption", f"{share:.2f} high", frames)

    def stutter(self) -> Case:
        """Every frame shown 2-4 times, as after a change of frame rate."""
        (frames,) = self.shots(50)
        repeat = int(self.rng.integers(2, 5))
        shown = [frames[i] for i in range(0, 50, repeat) for _ in range(repeat)]
        return Case("stutter", f"x{repeat}", shown)

    def stall(self) -> Case:
        """A stream stands still for 3-25 frames and goes on where the scene has got to meanwhile."""
        (frames,) = self.shots(60)
        length = int(self.rng.integers(3, 26))
        return Case("stall", f"{length}", [*frames[:25], *[frames[24]] * length, *frames[25 + length :]])

    def freeze_cut(self) -> Case:
        """A freeze frame of 3-25 frames, then another shot."""
        a, b = self.shots(30, 25)
        length = int(self.rng.integers(3, 26))
        return Case("freeze cut", f"{length}", [*a, *[a[-1]] * length, *b], cuts=(30 + length,))

    def blended_cut(self) -> Case:
        """A hard cut with one blended frame, as frame rate conversion leaves it; either neighbour is right."""
        a, b = self.shots(30, 30)
        share = self.rng.uniform(0.3, 0.7)
        blend = cv2.addWeighted(a[-1], float(share), b[0], float(1 - share), 0)
        return Case("blended cut", f"{share:.2f}", [*a[:-1], blend, *b], gradual=((29, 30),))


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


KINDS: dict[str, Callable[[Maker], Case]] = {
    "hard cut": Maker.hard_cuts,
    "dark cut": Maker.dark_cuts,
    "similar cut": Maker.similar_cuts,
    "angle cut": Maker.angle_cut,
    "moving cut": Maker.moving_cut,
    "blended cut": Maker.blended_cut,
    "dissolve": Maker.dissolve,
    "short dissolve": Maker.short_dissolve,
    "wipe": Maker.wipe,
    "fade": Maker.fade,
    "dip": Maker.dip,
    "blink": Maker.blink,
    "flash": Maker.flash,
    "brightness": Maker.brightness,
    "slow light": Maker.slow_light,
    "whip pan": Maker.whip_pan,
    "shake": Maker.shake,
    "passer-by": Maker.passer_by,
    "caption": Maker.caption,
    "stutter": Maker.stutter,
    "stall": Maker.stall,
    "freeze cut": Maker.freeze_cut,
}


def cases(clips: Path | None, seed: int, rounds: int, only: str) -> Iterator[Case]:
    maker = Maker(clips, seed)
    for kind, make in KINDS.items():
        if kind == "similar cut" and clips is None:
            continue
        maker.rng = np.random.default_rng((seed, sum(map(ord, kind))))
        if only in ("", kind):
            for _ in range(rounds):
                yield make(maker)
    if clips is not None and only in ("", "clip"):
        for name, known in KNOWN.items():
            yield Case("clip", name, list(decode(clips / name)), frame_rate(clips / name), known.cuts)
