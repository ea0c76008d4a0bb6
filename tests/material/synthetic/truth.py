"""Ground truth of a generated video: faces, cuts, transitions. Computed from the scenes without drawing a frame."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.material.synthetic.portraits import Portrait
from tests.material.synthetic.scenes import Actor, Film, Occluder, Pose, Scene

DO_NOT_CARE = "-"
"""person of a face that may be found but need not be"""

SEEN = 0.7
"""smallest visible share of a face that has to be found"""
HIDDEN = 0.1
"""visible share below which there is no face"""
BLINDING = 0.4
"""share of white or black blended into the frame above which no face has to be found"""

_GRID = 64  # cells across a face when its visible share is computed


@dataclass(frozen=True, slots=True)
class TruthFace:
    """One face in one frame; box xyxy in display pixels, clipped to the frame."""

    frame: int
    person: str
    box: tuple[float, float, float, float]
    visible: float


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """cuts: first frames after hard cuts. transitions: [start, end) of dissolves and fades."""

    frame_count: int
    frame_rate: Fraction
    time_base: Fraction
    pts: NDArray[np.int64]
    faces: tuple[TruthFace, ...]
    cuts: tuple[int, ...]
    transitions: tuple[tuple[int, int], ...]

    @property
    def people(self) -> tuple[str, ...]:
        """Names in the order of first appearance."""
        return tuple(dict.fromkeys(face.person for face in self.faces if face.person != DO_NOT_CARE))

    def track(self, person: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Frames (T,) and boxes (T, 4) of one person."""
        faces = [face for face in self.faces if face.person == person]
        return np.array([f.frame for f in faces], np.int64), np.array([f.box for f in faces], float).reshape(-1, 4)

    def write_csv(self, path: Path) -> None:
        """`frame,person,x1,y1,x2,y2`; a frame without faces has one row with empty columns."""
        seen = {face.frame for face in self.faces}
        rows = [(f.frame, [f.person, *(f"{v:.2f}" for v in f.box)]) for f in self.faces]
        rows += [(frame, [""] * 5) for frame in range(self.frame_count) if frame not in seen]
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("frame", "person", "x1", "y1", "x2", "y2"))
            writer.writerows([frame, *row] for frame, row in sorted(rows, key=lambda row: row[0]))


def portrait_matrix(portrait: Portrait, pose: Pose, mirrored: bool) -> NDArray[np.float64]:
    """(2, 3) float64: pixels of the photograph to display pixels (the corner of the first pixel is 0, 0)."""
    cx, cy = portrait.centre
    scale = pose.height / portrait.face_height
    c, s = scale * np.cos(np.radians(pose.angle)), scale * np.sin(np.radians(pose.angle))
    turn = np.array([[c, -s], [s, c]]) @ np.diag([-1.0 if mirrored else 1.0, 1.0])
    return np.column_stack([turn, np.array([pose.x, pose.y]) - turn @ (cx, cy)])


def board_corners(board: Occluder, pose: Pose) -> NDArray[np.float64]:
    """(4, 2) float64: corners of an occluder in display pixels."""
    half = np.array([pose.height * board.aspect, pose.height]) / 2
    c, s = np.cos(np.radians(pose.angle)), np.sin(np.radians(pose.angle))
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    return np.asarray(corners @ np.array([[c, s], [-s, c]]) + (pose.x, pose.y))


def face_box(portrait: Portrait, pose: Pose) -> NDArray[np.float64]:
    """(4,) float64 xyxy: the box of a rotated face is that of the rotated ellipse that fills its upright box."""
    half_w = pose.height * portrait.face_width / portrait.face_height / 2
    half_h = pose.height / 2
    c, s = np.cos(np.radians(pose.angle)), np.sin(np.radians(pose.angle))
    dx, dy = np.hypot(half_w * c, half_h * s), np.hypot(half_w * s, half_h * c)
    return np.array([pose.x - dx, pose.y - dy, pose.x + dx, pose.y + dy])


def film_truth(film: Film) -> Truth:
    """The ground truth of `film`."""
    faces: list[TruthFace] = []
    for index, (scene, start) in enumerate(zip(film.scenes, film.starts, strict=True)):
        following = film.scenes[index + 1] if index + 1 < len(film.scenes) else None
        fade_out = following.transition_frames if following and following.transition == "fade" else 0
        for local in range(scene.length):
            dark = local < scene.transition_frames or local >= scene.length - fade_out
            care = not dark and scene.flash(local) < BLINDING
            faces += _scene_faces(film, scene, local, start + local, care)
            if scene.transition == "dissolve" and local < scene.transition_frames:
                previous = film.scenes[index - 1]
                faces += _scene_faces(film, previous, previous.length + local, start + local, care=False)
    gradual = [
        (
            start - (scene.transition_frames if scene.transition == "fade" and start else 0),
            start + scene.transition_frames,
        )
        for scene, start in zip(film.scenes, film.starts, strict=True)
        if scene.transition != "cut"
    ]
    return Truth(
        frame_count=film.frame_count,
        frame_rate=film.frame_rate,
        time_base=film.time_base,
        pts=film.pts,
        faces=tuple(faces),
        cuts=tuple(n for scene, n in zip(film.scenes, film.starts, strict=True) if scene.transition == "cut" and n),
        transitions=tuple(gradual),
    )


def _scene_faces(film: Film, scene: Scene, local: int, frame: int, care: bool) -> list[TruthFace]:
    limits = np.array([film.width, film.height] * 2, float)
    faces = []
    for index, actor in enumerate(scene.actors):
        if not actor.present(local):
            continue
        box = face_box(actor.portrait, actor.motion.at(local, film.width, film.height))
        visible = _visible_share(film, scene, local, box, scene.actors[index + 1 :])
        if visible < HIDDEN:
            continue
        inside = np.clip(box, 0, limits)
        person = actor.portrait.name if care and visible >= SEEN else DO_NOT_CARE
        corners = (float(inside[0]), float(inside[1]), float(inside[2]), float(inside[3]))
        faces.append(TruthFace(frame, person, corners, visible))
    return faces


def _visible_share(
    film: Film, scene: Scene, local: int, box: NDArray[np.float64], in_front: tuple[Actor, ...]
) -> float:
    """Share of the face's ellipse that is inside the frame and not occluded."""
    scale = _GRID / (box[2:] - box[:2])

    def fill(points: NDArray[np.float64], value: int) -> None:
        cv2.fillPoly(face, [np.round((points - box[:2]) * scale - 0.5).astype(np.int32)], value)

    face = np.zeros((_GRID, _GRID), np.uint8)
    cv2.ellipse(face, (_GRID // 2, _GRID // 2), (_GRID // 2, _GRID // 2), 0, 0, 360, 1, cv2.FILLED)
    total = int(face.sum())
    image = np.zeros_like(face)
    x1, y1 = np.clip(np.round(-box[:2] * scale), 0, _GRID).astype(int)
    x2, y2 = np.clip(np.round((np.array([film.width, film.height]) - box[:2]) * scale), 0, _GRID).astype(int)
    image[y1:y2, x1:x2] = 1
    face *= image
    for actor in in_front:
        if actor.present(local):
            matrix = portrait_matrix(actor.portrait, actor.motion.at(local, film.width, film.height), actor.mirrored)
            fill(actor.portrait.outline @ matrix[:, :2].T + matrix[:, 2], 0)
    for board in scene.occluders:
        if board.present(local):
            fill(board_corners(board, board.motion.at(local, film.width, film.height)), 0)
    if scene.desk is not None:
        top = scene.desk * film.height
        fill(
            np.array([[box[0], top], [box[2], top], [box[2], top + 2 * film.height], [box[0], top + 2 * film.height]]),
            0,
        )
    return float(face.sum()) / total
