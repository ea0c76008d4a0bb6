"""What is known about the development clips beside their truth files. The program never imports this."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
CLIPS = PROJECT.parent / "shared" / "clips"

SAME_SIGNER = (("again", "help", "yes"), ("milk", "sorry"), ("book", "walk"), ("hungry", "want"))
"""words whose videos `people/intel_asl_WORD.mkv` show the same person"""


@dataclass(frozen=True, slots=True)
class Known:
    """Facts checked by eye.

    people: how many are shown, small ones included. cuts: first frames after hard cuts; nothing else is a transition.
    faceless: frames [start, end) without any face.
    """

    people: int
    cuts: tuple[int, ...] = ()
    faceless: tuple[tuple[int, int], ...] = ()


KNOWN: dict[str, Known] = {
    "hamilton_short.mp4": Known(6, cuts=(20, 82, 211)),
    "facenet_video.mp4": Known(7),
    "visualvoice_interview.mp4": Known(2),
    "avobjects_demo.mp4": Known(5),
    "avi_billhyland.mp4": Known(2),
    "retalk_1.mp4": Known(1),
    "pyfeat_noface_face.mov": Known(1, cuts=(96, 168), faceless=((0, 96), (168, 10_000))),
    "intel_car.mp4": Known(0, faceless=((0, 10_000),)),
    **{f"people/intel_asl_{word}.mkv": Known(1) for words in SAME_SIGNER for word in words},
}
"""by path below the folder of clips"""


@dataclass(frozen=True, slots=True)
class KnownFace:
    """Somebody's face in a frame. x, y: its middle, source px."""

    person: str
    frame: int
    x: float
    y: float


LOST_AND_REPLACED: dict[str, tuple[KnownFace, KnownFace]] = {
    "friends_26.mp4": (KnownFace("Ross", 40, 459, 78), KnownFace("Monica", 149, 393, 115)),
    "friends_34.mp4": (KnownFace("Ross", 59, 445, 71), KnownFace("Monica", 142, 376, 82)),
}
"""by name in `shared/who`: a face that is lost, and somebody else's that is found near to it soon after. The labels
there leave both out, since they are of tracks that were one person's."""
