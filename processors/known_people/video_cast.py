"""From the timeline of a video to what the gallery takes: people with their best faces, and who was seen with whom."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.types import FaceAnalysis, Timeline, Tracklet
from processors.known_people.gallery_types import GalleryFace, PersonOfVideo
from processors.people.tracklet_evidence import seen_together
from utils.images.rgb_images import decode_jpeg, encode_jpeg, fit_within

FACES_KEPT = 12
"""of one person in one video, the best of all tracklets in turn"""
THUMBNAIL_PX, THUMBNAIL_QUALITY = 160, 85


def people_of_video(
    analysis: FaceAnalysis, timeline: Timeline, clips: Mapping[str, int]
) -> tuple[list[PersonOfVideo], frozenset[tuple[str, str]]]:
    """The people of `timeline`, and the pairs of them that are seen in one frame. clips: how many each has, by name."""
    by_id = {tracklet.id: tracklet for tracklet in analysis.tracklets}
    owners = [(person.name, by_id[number]) for person in timeline.people for number in person.tracklets]
    size = (analysis.video.width, analysis.video.height)
    together = seen_together([tracklet for _, tracklet in owners], size)
    pairs = {
        (min(a, b), max(a, b)) for (a, b) in ((owners[i][0], owners[j][0]) for i, j in together.tolist()) if a != b
    }
    people = []
    for person in timeline.people:
        tracklets = [by_id[number] for number in person.tracklets]
        people.append(
            PersonOfVideo(
                person.name,
                person.tracklets,
                round(analysis.on_screen_s(person.tracklets), 3),
                clips.get(person.name, 0),
                tuple(_best_faces(tracklets)),
            )
        )
    return people, frozenset(pairs)


def _best_faces(tracklets: list[Tracklet]) -> list[GalleryFace]:
    """The best face of each tracklet, then the second best, ...: views from all over the video."""
    ranked = sorted(
        (rank, -float(t.sample_quality[row]), t.id, row, t)
        for t in tracklets
        for rank, row in enumerate(np.argsort(-t.sample_quality, kind="stable").tolist())
    )
    return [
        GalleryFace(t.embeddings[row], float(t.sample_quality[row]), _thumbnail(t) if rank == 0 else b"", t.id)
        for rank, _, _, row, t in ranked[:FACES_KEPT]
    ]


def _thumbnail(tracklet: Tracklet) -> bytes:
    pixels = decode_jpeg(bytes(tracklet.face_jpeg))
    return b"" if pixels is None else encode_jpeg(fit_within(pixels, THUMBNAIL_PX), THUMBNAIL_QUALITY)
