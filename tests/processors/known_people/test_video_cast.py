from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from core.types import ColorInfo, FaceAnalysis, Identity, Shot, Timeline, Tracklet, VideoInfo
from processors.known_people.video_cast import FACES_KEPT, people_of_video
from tests.processors.known_people.people import vector
from tests.processors.known_people.photos import jpeg, random_image
from utils.images.rgb_images import decode_jpeg

INFO = VideoInfo(
    path=Path("a.mp4"), container="mov", stream_index=0, codec="h264", pixel_format="yuv420p", coded_width=640,
    coded_height=480, width=640, height=480, rotation=0, sample_aspect_ratio=Fraction(1), time_base=Fraction(1, 25),
    frame_rate=Fraction(25), start_pts=0, duration_s=4.0, frame_count=100, interlaced=False, color=ColorInfo(),
    audio=(), size_bytes=1,
)  # fmt: skip


def tracklet(number: int, person: int, start: int, end: int, x: float, samples: int = 8) -> Tracklet:
    count = end - start
    return Tracklet(
        id=number,
        shot=0,
        frames=np.arange(start, end),
        boxes=np.tile(np.array([x, 0, x + 50, 60], np.float32), (count, 1)),
        scores=np.ones(count, np.float32),
        landmarks=np.zeros((count, 5, 2), np.float32),
        sharpness=np.ones(count, np.float32),
        sample_frames=np.arange(start, start + samples),
        sample_quality=np.linspace(0.9, 0.5, samples).astype(np.float32),
        embeddings=np.stack([vector(person, 10 * number + k) for k in range(samples)])
        if samples
        else np.zeros((0, 128), np.float32),
        face_jpeg=jpeg(random_image(300, 300)),
    )


def test_people_with_their_best_faces_and_company() -> None:
    tracklets = (
        tracklet(0, 1, 0, 50, 0),
        tracklet(1, 2, 25, 75, 200),
        tracklet(2, 1, 60, 90, 400),
        tracklet(3, 3, 95, 100, 0, 0),
    )
    analysis = FaceAnalysis(INFO, np.arange(100), (Shot(0, 0, 100, "start"),), tracklets, "dlib", 0)
    timeline = Timeline(
        (Identity("person_01", (0, 2), ()), Identity("person_02", (1,), ()), Identity("person_03", (3,), ()))
    )
    people, together = people_of_video(analysis, timeline, {"person_01": 3})
    assert [(p.label, p.tracklets, p.on_screen_s, p.clips) for p in people] == [
        ("person_01", (0, 2), 3.2, 3), ("person_02", (1,), 2.0, 0), ("person_03", (3,), 0.2, 0),
    ]  # fmt: skip
    assert together == {("person_01", "person_02")}
    faces = people[0].faces
    assert len(faces) == FACES_KEPT and [face.tracklet for face in faces[:4]] == [0, 2, 0, 2]
    assert [bool(face.thumbnail) for face in faces[:4]] == [True, True, False, False]
    thumbnail = decode_jpeg(faces[0].thumbnail)
    assert thumbnail is not None and thumbnail.shape == (160, 160, 3)
    assert people[2].faces == ()
    assert people_of_video(replace(analysis, tracklets=()), Timeline(()), {}) == ([], frozenset())
