"""Images of a finished video: each person's best face and contact sheet, and small ones for the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.media.thumbnails import Thumbnail, evenly_spaced
from core.types import Clip, FaceAnalysis, Timeline, Tracklet
from processors.clips.clip_thumbnails import MAX_TILES, ClipThumbnails
from processors.pages.report_writer import FaceImage, ReportImages
from processors.results.result_tree import FACE_FILE
from processors.video.contact_sheet import CONTACT_FILE, Thumbnails, contact_sheet
from utils.files import write_bytes
from utils.images.rgb_images import decode_jpeg, encode_jpeg, fit_within

_FACES_SHOWN = 7
_PORTRAIT_SIDE_PX, _FACE_SIDE_PX, _SMALL_QUALITY = 232, 96, 80
"""of the images in the report: twice their size on the page, for high-resolution screens"""
_FACE_FROM_CLIP_PX, _FACE_QUALITY = 320, 90
"""of a face.jpg made from a clip; portraits have at most this size, too"""


def write_images(
    folder: Path, analysis: FaceAnalysis, timeline: Timeline, clips: Sequence[Clip], thumbnails: ClipThumbnails
) -> tuple[list[str], ReportImages]:
    """Write face.jpg and contact.jpg of all people who have a clip; `folder` holds the clips.

    Returns the files, relative to `folder`, and the images for the report, which also shows people without a clip
    and unknown tracklets.

    Raises:
        OSError: a file cannot be written.
    """
    ranked = _ranked(analysis, timeline)
    faces: dict[str, list[FaceImage]] = {}
    divided = {number for division in timeline.divisions for number in (division.tracklet, division.piece)}
    files = []
    posters: dict[str, bytes] = {}
    for person in timeline.people:
        own = [clip for clip in clips if clip.person == person.name]
        tiles, own_posters = _clip_images(own, thumbnails)
        posters |= own_posters
        best = _images(ranked[person.name][:_FACES_SHOWN])
        if not best and divided.intersection(person.tracklets) and any(tiles.values()):
            # The portrait of a divided tracklet may show either person; the clips show the right one.
            best = [FaceImage(person.tracklets[0], _face_from_clip(tiles))]
        images = {
            FACE_FILE: best[0].jpeg if best else b"",
            CONTACT_FILE: contact_sheet(own, tiles),
        }
        for name, jpeg in images.items():
            if own and jpeg:
                write_bytes(folder / person.name / name, jpeg)
                files.append(f"{person.name}/{name}")
        faces[person.name] = _small_faces(best)
    nobody = set(timeline.unknown)
    unknown = {t.id: _small(bytes(t.face_jpeg), _FACE_SIDE_PX) for t in analysis.tracklets if t.id in nobody}
    return files, ReportImages(faces, posters, unknown)


def _clip_images(clips: Sequence[Clip], thumbnails: ClipThumbnails) -> tuple[Thumbnails, dict[str, bytes]]:
    """By file of a clip: the thumbnails of those on the contact sheet, and a JPEG of the first one of each clip."""
    # An hour may have thousands of clips, so only the tiles of the contact sheet are kept as pixels.
    on_sheet = set(evenly_spaced(len(clips), MAX_TILES))
    tiles: dict[str, Sequence[Thumbnail]] = {}
    posters: dict[str, bytes] = {}
    for number, (clip, shots) in enumerate(thumbnails.take(clips)):
        if shots:
            posters[clip.file] = encode_jpeg(shots[0].pixels, _SMALL_QUALITY)
        if number in on_sheet:
            tiles[clip.file] = shots
    return tiles, posters


def _face_from_clip(tiles: Thumbnails) -> bytes:
    """A JPEG of the middle thumbnail of the first clip that has any."""
    shown = next(shots for shots in tiles.values() if shots)
    return encode_jpeg(fit_within(shown[len(shown) // 2].pixels, _FACE_FROM_CLIP_PX), _FACE_QUALITY)


def ranked_faces(analysis: FaceAnalysis, timeline: Timeline) -> dict[str, list[bytes]]:
    """By name of a person: a JPEG of the best face of its tracklets, best tracklet first; of a few of them."""
    ranked = _ranked(analysis, timeline)
    return {name: [face.jpeg for face in _images(tracklets[:_FACES_SHOWN])] for name, tracklets in ranked.items()}


def _ranked(analysis: FaceAnalysis, timeline: Timeline) -> dict[str, list[Tracklet]]:
    """The tracklets of each person that have a portrait, by name, the best first."""
    by_id = {tracklet.id: tracklet for tracklet in analysis.tracklets if tracklet.face_jpeg}
    return {
        person.name: sorted((by_id[i] for i in person.tracklets if i in by_id), key=_face_quality, reverse=True)
        for person in timeline.people
    }


def _images(tracklets: Sequence[Tracklet]) -> list[FaceImage]:
    return [FaceImage(tracklet.id, bytes(tracklet.face_jpeg)) for tracklet in tracklets]


def _face_quality(tracklet: Tracklet) -> tuple[float, int, int]:
    quality = float(tracklet.sample_quality.max()) if len(tracklet.sample_quality) else 0.0
    return quality, len(tracklet.frames), -tracklet.id


def _small_faces(faces: Sequence[FaceImage]) -> list[FaceImage]:
    sides = [_PORTRAIT_SIDE_PX] + [_FACE_SIDE_PX] * (_FACES_SHOWN - 1)
    small = [FaceImage(face.tracklet, _small(face.jpeg, side)) for face, side in zip(faces, sides, strict=False)]
    return [face for face in small if face.jpeg]


def _small(jpeg: bytes, side_px: int) -> bytes:
    pixels = decode_jpeg(jpeg)
    return b"" if pixels is None else encode_jpeg(fit_within(pixels, side_px), _SMALL_QUALITY)
