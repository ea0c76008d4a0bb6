"""Short videos with one difficulty each: entering and leaving, occlusion, motion, changes of light.

All are 640x360 at 25 Hz and 2 to 4 s long; `truth` computes what is true about them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.material.synthetic.portraits import COLLINS, HOPPER, Portrait
from tests.material.synthetic.scenes import Actor, Background, Film, Flash, Key, Motion, Occluder, Scene

CASES: dict[str, Callable[[], Film]] = {}
"""videos by name"""

SCALES = (0.05, 0.07, 0.1, 0.2, 0.4, 0.8)
ANGLES = (-30, -20, -10, 10, 20, 30)


def _case(make: Callable[[], Film]) -> Callable[[], Film]:
    CASES[make.__name__] = make
    return make


def _film(*scenes: Scene) -> Film:
    return Film(scenes=scenes)


def _stay(x: float, y: float, height: float, *, sway: float = 0.04, angle: float = 0.0) -> Motion:
    return Motion(keys=(Key(0, x, y, height, angle),), sway=sway)


def _walk(
    length: int, start: tuple[float, float], end: tuple[float, float], height: float, *, begin: int = 0
) -> Motion:
    return Motion(keys=(Key(begin, *start, height), Key(begin + length - 1, *end, height)), ease=False, sway=0.02)


@_case
def enters_and_leaves_over_the_edge() -> Film:
    """One crosses the whole frame from right to left, another one follows more slowly."""
    return _film(
        Scene(
            length=90,
            seed=3,
            grain=1.2,
            actors=(
                Actor(HOPPER, _walk(75, (1.15, 0.45), (-0.15, 0.45), 0.3)),
                Actor(COLLINS, _walk(50, (1.12, 0.5), (0.6, 0.5), 0.22, begin=40), start=40),
            ),
        )
    )


@_case
def appears_and_vanishes() -> Film:
    """From one frame to the next, in front of a background full of things like faces."""
    return _film(
        Scene(
            length=80,
            background="library",
            seed=5,
            grain=1.2,
            actors=(
                Actor(COLLINS, _stay(0.3, 0.45, 0.28), start=7, end=41),
                Actor(HOPPER, _stay(0.7, 0.5, 0.33), start=19, end=66),
            ),
        )
    )


@_case
def vanishes_in_motion() -> Film:
    """A walking face is gone from one frame to the next: nothing may take its place."""
    scenes = []
    backgrounds: Sequence[Background] = ("library", "garden", "night")
    for seed, background in enumerate(backgrounds):
        walk = _walk(50, (0.2, 0.45), (0.85, 0.5), 0.25)
        scenes.append(
            Scene(length=50, background=background, seed=seed + 5, grain=1.2, actors=(Actor(COLLINS, walk, end=30),))
        )
    return _film(*scenes)


@_case
def crossing() -> Film:
    """Two walk past each other, one in front of the other."""
    return _film(
        Scene(
            length=75,
            seed=8,
            background="garden",
            grain=1.2,
            actors=(
                Actor(COLLINS, _walk(75, (0.12, 0.46), (0.88, 0.46), 0.3)),
                Actor(HOPPER, _walk(75, (0.88, 0.5), (0.12, 0.5), 0.34)),
            ),
        )
    )


@_case
def embrace() -> Film:
    """Two meet, one head half behind the other, stay so for half a second and part again."""
    left = Motion(keys=(Key(0, 0.25, 0.45, 0.32), Key(25, 0.45, 0.45, 0.32), Key(40, 0.45, 0.45, 0.32),
                        Key(70, 0.2, 0.45, 0.32)))  # fmt: skip
    right = Motion(keys=(Key(0, 0.75, 0.5, 0.34), Key(25, 0.53, 0.5, 0.34), Key(40, 0.53, 0.5, 0.34),
                         Key(70, 0.8, 0.5, 0.34)))  # fmt: skip
    return _film(Scene(length=75, seed=3, grain=1.2, actors=(Actor(COLLINS, left), Actor(HOPPER, right))))


@_case
def swapping_places_behind_a_board() -> Film:
    """Two are hidden at the same time and come back the other way round: places say the wrong thing."""
    left = Motion(keys=(Key(0, 0.3, 0.45, 0.3), Key(30, 0.3, 0.45, 0.3), Key(42, 0.7, 0.45, 0.3)))
    right = Motion(keys=(Key(0, 0.7, 0.45, 0.3), Key(30, 0.7, 0.45, 0.3), Key(42, 0.3, 0.45, 0.3)))
    board = Occluder(Motion(keys=(Key(0, 0.5, -0.6, 1.0), Key(27, 0.5, 0.5, 1.0), Key(45, 0.5, 0.5, 1.0),
                                  Key(72, 0.5, 1.7, 1.0))), aspect=1.6)  # fmt: skip
    return _film(Scene(length=90, seed=3, actors=(Actor(COLLINS, left), Actor(HOPPER, right)), occluders=(board,)))


def _hidden(frames: int) -> Film:
    """A face that rests is hidden completely for about `frames` frames by a board that drops and rises."""
    down, up = 20, 20 + 8 + frames
    board = Occluder(Motion(keys=(Key(down, 0.4, -0.5, 0.8), Key(down + 8, 0.4, 0.4, 0.8), Key(up, 0.4, 0.4, 0.8),
                                  Key(up + 8, 0.4, -0.5, 0.8))))  # fmt: skip
    return _film(
        Scene(length=up + 40, seed=11, grain=1.2, actors=(Actor(HOPPER, _stay(0.4, 0.45, 0.3)),), occluders=(board,))
    )


@_case
def hidden_for_half_a_second() -> Film:
    return _hidden(9)


@_case
def hidden_for_just_under_a_second() -> Film:
    return _hidden(20)


@_case
def hidden_for_two_seconds() -> Film:
    return _hidden(50)


@_case
def walking_behind_a_post() -> Film:
    """A post as wide as the face, and the face goes on behind it."""
    post = Occluder(Motion(keys=(Key(0, 0.5, 0.5, 1.0),)), aspect=0.22)
    walk = _walk(75, (0.15, 0.45), (0.85, 0.45), 0.28)
    return _film(Scene(length=75, seed=11, grain=1.2, actors=(Actor(COLLINS, walk),), occluders=(post,)))


@_case
def cuts() -> Film:
    """Both come back in other shots, at other sizes; the first cut goes from a face to the other at the same place."""
    here = _stay(0.45, 0.45, 0.3)
    return _film(
        Scene(length=30, seed=3, actors=(Actor(COLLINS, here),)),
        Scene(length=30, background="garden", seed=8, actors=(Actor(HOPPER, here),)),
        Scene(length=30, background="night", seed=11, actors=(Actor(COLLINS, _stay(0.6, 0.5, 0.5), mirrored=True),)),
        Scene(length=30, background="library", seed=5, actors=(Actor(HOPPER, _stay(0.3, 0.4, 0.15)),)),
    )


@_case
def dissolve_and_fade() -> Film:
    """One dissolves into the other, who fades to black; the first one comes back."""
    return _film(
        Scene(length=35, seed=3, actors=(Actor(COLLINS, _stay(0.35, 0.45, 0.3)),)),
        Scene(
            length=40,
            background="night",
            seed=11,
            transition="dissolve",
            transition_frames=12,
            actors=(Actor(HOPPER, _stay(0.6, 0.5, 0.36)),),
        ),
        Scene(
            length=40,
            background="garden",
            seed=8,
            transition="fade",
            transition_frames=8,
            actors=(Actor(COLLINS, _stay(0.5, 0.45, 0.25)),),
        ),
    )


@_case
def flashes() -> Film:
    """Three camera flashes, and a dark moment."""
    return _film(
        Scene(
            length=75,
            seed=3,
            grain=1.2,
            flashes=(Flash(15), Flash(32, strength=0.7, length=1), Flash(50, strength=0.95, length=5)),
            actors=(Actor(COLLINS, _stay(0.35, 0.45, 0.3)), Actor(HOPPER, _stay(0.7, 0.5, 0.28))),
        )
    )


@_case
def brightness_steps() -> Film:
    """The light changes from one frame to the next."""
    return _film(
        Scene(
            length=90,
            seed=3,
            grain=1.2,
            exposure=((20, 0.5), (45, 1.0), (65, 1.5)),
            actors=(Actor(HOPPER, _stay(0.5, 0.5, 0.35)),),
        )
    )


def _scale(share: float, portrait: Portrait, background: Background) -> Scene:
    return Scene(
        length=40,
        background=background,
        seed=8,
        grain=1.0,
        actors=(Actor(portrait, _stay(0.5, 0.5, share, sway=0.03 if share > 0.5 else 0.06)),),
    )


@_case
def sizes() -> Film:
    """One after the other from 0.05 to 0.8 of the frame height."""
    backgrounds: Sequence[Background] = ("garden", "studio", "night")
    people = COLLINS, HOPPER
    return _film(*(_scale(share, people[i % 2], backgrounds[i % 3]) for i, share in enumerate(SCALES)))


@_case
def growing() -> Film:
    """Comes nearer, from 0.06 to 0.7 of the height."""
    motion = Motion(keys=(Key(0, 0.5, 0.4, 0.06), Key(80, 0.5, 0.55, 0.7)), sway=0.02)
    return _film(Scene(length=90, background="garden", seed=8, grain=1.0, actors=(Actor(HOPPER, motion),)))


@_case
def tilted_heads() -> Film:
    """In-plane rotation by up to 30 degrees, one shot each."""
    return _film(
        *(
            Scene(
                length=24,
                seed=n,
                background=("studio", "night")[n % 2],
                grain=1.0,
                actors=(Actor(COLLINS, _stay(0.5, 0.5, 0.35, sway=0.01, angle=angle)),),
            )
            for n, angle in enumerate(ANGLES)
        )
    )


@_case
def rocking_head() -> Film:
    """Turned to and fro by 30 degrees within a second."""
    keys = tuple(Key(12 * n, 0.5, 0.5, 0.35, (0, 30, 0, -30)[n % 4]) for n in range(8))
    return _film(Scene(length=90, seed=3, grain=1.0, actors=(Actor(HOPPER, Motion(keys=keys)),)))


def _to_and_fro(frames: int) -> Film:
    keys = tuple(Key(frames * n, (0.3, 0.7)[n % 2], 0.5, 0.3) for n in range(75 // frames + 1))
    actor = Actor(COLLINS, Motion(keys=keys), motion_blur=0.5)
    return _film(Scene(length=75, seed=3, grain=1.0, actors=(actor,)))


@_case
def motion_blur() -> Film:
    """To and fro, up to a fifth of the face's width a frame, with the shutter open for half of the time."""
    return _to_and_fro(25)


@_case
def strong_motion_blur() -> Film:
    """The same at up to half of the face's width a frame."""
    return _to_and_fro(10)
