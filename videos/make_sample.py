"""Makes `videos/input/sample.mp4`: `python -m videos.make_sample` in the project's folder (needs requirements-dev.txt).

Two people in four shots. What is known about the film (`tests.material.synthetic.truth.film_truth(SAMPLE)`) does not
depend on the file: the end-to-end test scores the program against it.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

from tests.material.synthetic.portraits import COLLINS, HOPPER
from tests.material.synthetic.render import render_video
from tests.material.synthetic.scenes import Actor, Film, Key, Motion, Scene

SAMPLE_FILE = Path(__file__).parent / "input" / "sample.mp4"

SAMPLE = Film(
    width=960,
    height=540,
    frame_rate=Fraction(25),
    audio=True,
    crf=25,
    preset="slow",
    scenes=(
        # One alone; the camera goes nearer.
        Scene(
            length=85,
            background="studio",
            seed=3,
            pan=(0.08, 0.02),
            zoom=1.08,
            grain=1.2,
            voice_hz=205,
            actors=(Actor(COLLINS, Motion(keys=(Key(0, 0.40, 0.40, 0.20), Key(84, 0.46, 0.38, 0.30)), sway=0.05)),),
        ),
        # Both at a table.
        Scene(
            length=85,
            background="library",
            seed=5,
            pan=(-0.10, 0.0),
            desk=0.78,
            grain=1.2,
            voice_hz=165,
            actors=(
                Actor(COLLINS, Motion(keys=(Key(0, 0.27, 0.42, 0.19), Key(84, 0.30, 0.41, 0.21)), sway=0.06)),
                Actor(HOPPER, Motion(keys=(Key(0, 0.73, 0.46, 0.24), Key(84, 0.68, 0.45, 0.25, -4)), sway=0.04)),
            ),
        ),
        # The other one, close, with a turn of the head.
        Scene(
            length=65,
            background="night",
            seed=11,
            pan=(0.10, 0.0),
            zoom=1.05,
            grain=1.2,
            voice_hz=130,
            actors=(
                Actor(
                    HOPPER,
                    Motion(
                        keys=(
                            Key(0, 0.56, 0.48, 0.36, 5),
                            Key(40, 0.50, 0.50, 0.48, -7),
                            Key(64, 0.49, 0.50, 0.50, -3),
                        ),
                        sway=0.03,
                    ),
                ),
            ),
        ),
        # The first one comes back, small and walking; the other one joins from the right.
        Scene(
            length=85,
            background="garden",
            seed=8,
            pan=(0.16, 0.0),
            desk=0.86,
            grain=1.2,
            voice_hz=215,
            actors=(
                Actor(
                    COLLINS,
                    Motion(keys=(Key(0, 0.18, 0.47, 0.115), Key(84, 0.42, 0.44, 0.16)), ease=False, sway=0.07),
                    mirrored=True,
                ),
                Actor(
                    HOPPER, Motion(keys=(Key(35, 1.12, 0.50, 0.22, 3), Key(70, 0.76, 0.50, 0.22)), sway=0.03), start=35
                ),
            ),
        ),
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", nargs="?", type=Path, default=SAMPLE_FILE)
    parser.add_argument("--truth", type=Path, help="also write frame,person,x1,y1,x2,y2 to this file")
    args = parser.parse_args()
    truth = render_video(args.output, SAMPLE)
    if args.truth:
        truth.write_csv(args.truth)


if __name__ == "__main__":
    main()
