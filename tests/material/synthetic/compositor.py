"""Draws the frames of a generated video. Deterministic: the same scenes give the same frames."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.material.synthetic.backgrounds import Image, background, wood
from tests.material.synthetic.portraits import cutout
from tests.material.synthetic.scenes import Actor, Film, Occluder, Scene
from tests.material.synthetic.truth import board_corners, portrait_matrix

BACKGROUND_MARGIN = 1.3
"""size of a background relative to the frame, so that the camera can move over it"""
BLUR_STEPS = 7


def compose(film: Film) -> Iterator[NDArray[np.uint8]]:
    """The displayed frames in order, (height, width, 3) uint8 RGB."""
    for frame in range(film.frame_count):
        yield compose_frame(film, frame)


def compose_frame(film: Film, frame: int) -> NDArray[np.uint8]:
    """One displayed frame, (height, width, 3) uint8 RGB."""
    index, local = film.locate(frame)
    scene = film.scenes[index]
    image = _draw(film, scene, local)
    if scene.transition != "cut" and local < scene.transition_frames:
        part = (local + 1) / (scene.transition_frames + 1)
        other = np.zeros_like(image)
        if scene.transition == "dissolve":
            previous = film.scenes[index - 1]
            other = _draw(film, previous, previous.length + local)
        image = image * part + other * (1 - part)
    following = film.scenes[index + 1] if index + 1 < len(film.scenes) else None
    if following and following.transition == "fade":
        left = scene.length - local
        image = image * min(left / (following.transition_frames + 1), 1.0)
    if scene.grain:
        shift = np.random.RandomState(frame).randint(0, 200, 2)
        image = image + scene.grain * np.roll(_noise(film.width, film.height), tuple(shift), (0, 1))[..., None]
    return np.asarray(np.clip(np.round(image), 0, 255), np.uint8)


def _draw(film: Film, scene: Scene, local: int) -> Image:
    """(height, width, 3) float32: a scene without its transitions."""
    image = _camera(film, scene, local)
    for actor in scene.actors:
        if actor.present(local):
            _paste_actor(image, actor, local)
    for board in scene.occluders:
        if board.present(local):
            _paste_board(image, board, local)
    if scene.desk is not None:
        top = round(scene.desk * film.height)
        image[top:] = wood(film.width, film.height - top, scene.seed)
    image *= scene.gain(local)
    white = scene.flash(local)
    np.clip(image, 0, 255, out=image)
    image += (255 - image) * np.float32(white)
    return image


def _camera(film: Film, scene: Scene, local: int) -> Image:
    """The part of the background that the camera shows, as a new array."""
    size = (round(film.width * BACKGROUND_MARGIN), round(film.height * BACKGROUND_MARGIN))
    painted = background(scene.background, *size, scene.seed)
    part = local / scene.length
    zoom = 1 + (scene.zoom - 1) * part
    x = size[0] / 2 + scene.pan[0] * film.width * (part - 0.5)
    y = size[1] / 2 + scene.pan[1] * film.height * (part - 0.5)
    matrix = np.array([[zoom, 0, film.width / 2 - zoom * x], [0, zoom, film.height / 2 - zoom * y]])
    return np.asarray(
        cv2.warpAffine(
            painted, matrix, (film.width, film.height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
    )


def _paste_actor(image: Image, actor: Actor, local: int) -> None:
    """Blend an actor into `image`, in place; motion blur is the mean of several moments."""
    height, width = image.shape[:2]
    moments = np.linspace(0, actor.motion_blur, BLUR_STEPS) if actor.motion_blur else np.zeros(1)
    poses = [actor.motion.at(local + float(moment), width, height) for moment in moments]
    matrices = [portrait_matrix(actor.portrait, pose, actor.mirrored) for pose in poses]
    corners = np.concatenate([actor.portrait.outline @ m[:, :2].T + m[:, 2] for m in matrices])
    x1, y1 = np.clip(np.floor(corners.min(0)) - 4, 0, (width, height)).astype(int)
    x2, y2 = np.clip(np.ceil(corners.max(0)) + 4, 0, (width, height)).astype(int)
    if x1 >= x2 or y1 >= y2:
        return
    scale = poses[0].height / actor.portrait.face_height
    halvings = max(0, math.floor(-math.log2(scale) + 0.25))
    source = cutout(actor.portrait, halvings)
    layer = np.zeros((y2 - y1, x2 - x1, 4), np.float32)
    for matrix in matrices:
        warp = _for_opencv(matrix, 2.0**halvings, x1, y1)
        layer += cv2.warpAffine(
            source, warp, (x2 - x1, y2 - y1), flags=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
        )
    layer = np.clip(layer / len(matrices), 0, 255)
    window = image[y1:y2, x1:x2]
    window *= 1 - layer[..., 3:] / 255
    window += layer[..., :3]


def _for_opencv(matrix: NDArray[np.float64], shrunk: float, x: int, y: int) -> NDArray[np.float64]:
    """`matrix` for a source that is `shrunk` times smaller and a target that begins at (x, y).

    OpenCV puts (0, 0) at the first pixel's centre, we at its corner.
    """
    turn = matrix[:, :2] * shrunk
    offset = matrix[:, 2] - (x, y) + turn @ (0.5, 0.5) - 0.5
    return np.column_stack([turn, offset])


def _paste_board(image: Image, board: Occluder, local: int) -> None:
    """Draw an occluder with soft edges, in place."""
    height, width = image.shape[:2]
    pose = board.motion.at(local, width, height)
    corners = board_corners(board, pose)
    mask = np.zeros((height, width), np.float32)
    # `shift` are the fractional bits of the coordinates: edges stay put between pixels.
    cv2.fillPoly(mask, [np.round((corners - 0.5) * 16).astype(np.int32)], 1.0, cv2.LINE_8, shift=4)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.8)[..., None]
    surface = background("library", width, height, 7) * 0.6
    image *= 1 - mask
    image += mask * surface


@functools.lru_cache(maxsize=4)
def _noise(width: int, height: int) -> Image:
    return np.random.RandomState(0).standard_normal((height, width)).astype(np.float32)
