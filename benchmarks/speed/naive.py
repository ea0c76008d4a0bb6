"""How programs of this kind are usually written: python benchmarks/speed/naive.py VIDEO FOLDER

Every frame goes through facenet-pytorch's MTCNN with its defaults, every face through InceptionResnetV1, a CSRT
tracker follows each face from one frame to the next, and each of the four stages decodes the video again. The
recognition network has random weights (the published ones need a download); its speed is the same. No audio.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from facenet_pytorch import MTCNN, InceptionResnetV1

FACE_SIDE, CLIP_SIDE = 160, 512
SAME_FACE_IOU = 0.3
MIN_CLIP_FRAMES = 5


@dataclass
class Track:
    """One face from frame to frame."""

    tracker: Any
    boxes: dict[int, np.ndarray] = field(default_factory=dict)
    alive: bool = True


def frames(video: Path) -> Iterator[np.ndarray]:
    """(h, w, 3) uint8 RGB."""
    capture = cv2.VideoCapture(str(video))
    while True:
        there, image = capture.read()
        if not there:
            break
        yield cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    capture.release()


def detect(video: Path) -> list[np.ndarray]:
    mtcnn = MTCNN(keep_all=True)
    found = (mtcnn.detect(image)[0] for image in frames(video))
    return [np.zeros((0, 4)) if boxes is None else np.asarray(boxes) for boxes in found]


def embed(video: Path, detections: list[np.ndarray]) -> list[np.ndarray]:
    net = InceptionResnetV1(pretrained=None).eval()
    vectors = []
    for image, boxes in zip(frames(video), detections, strict=False):
        faces = [cv2.resize(crop(image, box), (FACE_SIDE, FACE_SIDE)) for box in boxes]
        if faces:
            batch = torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2).float()
            with torch.no_grad():
                vectors.append(net((batch - 127.5) / 128).numpy())
    return vectors


def track(video: Path, detections: list[np.ndarray]) -> list[Track]:
    tracks: list[Track] = []
    for number, (image, boxes) in enumerate(zip(frames(video), detections, strict=False)):
        free = list(boxes)
        for one in tracks:
            if not one.alive:
                continue
            held, (x, y, w, h) = one.tracker.update(image)
            here = np.array([x, y, x + w, y + h], float)
            best = max(range(len(free)), key=lambda i: iou(here, free[i]), default=None)
            if held and best is not None and iou(here, free[best]) >= SAME_FACE_IOU:
                one.boxes[number] = free.pop(best)
            else:
                one.alive = False
        for box in free:
            x1, y1, x2, y2 = (int(v) for v in box)
            tracker = cv2.TrackerCSRT.create()
            tracker.init(image, (max(x1, 0), max(y1, 0), max(x2 - x1, 4), max(y2 - y1, 4)))
            tracks.append(Track(tracker, {number: box}))
    return tracks


def write(video: Path, tracks: list[Track], folder: Path) -> None:
    capture = cv2.VideoCapture(str(video))
    rate = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    writers = {
        n: cv2.VideoWriter(
            str(folder / f"track_{n}.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), rate, (CLIP_SIDE, CLIP_SIDE)
        )
        for n, one in enumerate(tracks)
        if len(one.boxes) >= MIN_CLIP_FRAMES
    }
    for number, image in enumerate(frames(video)):
        for n, writer in writers.items():
            if number in tracks[n].boxes:
                x1, y1, x2, y2 = tracks[n].boxes[number]
                wide = np.array([1.5 * x1 - 0.5 * x2, 1.5 * y1 - 0.5 * y2, 1.5 * x2 - 0.5 * x1, 1.5 * y2 - 0.5 * y1])
                clip = cv2.resize(crop(image, wide), (CLIP_SIDE, CLIP_SIDE))
                writer.write(cv2.cvtColor(clip, cv2.COLOR_RGB2BGR))
    for writer in writers.values():
        writer.release()


def crop(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    x1, y1 = (int(v) for v in np.clip(box[:2], 0, [width - 2, height - 2]))
    x2, y2 = (int(v) for v in np.clip(box[2:], [x1 + 2, y1 + 2], [width, height]))
    return image[y1:y2, x1:x2]


def iou(a: np.ndarray, b: np.ndarray) -> float:
    shared = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    return float(shared / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - shared))


def main() -> None:
    video, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    detections = detect(video)
    vectors = embed(video, detections)
    tracks = track(video, detections)
    write(video, tracks, folder)
    print(f"{len(detections)} frames, {sum(map(len, detections))} faces, {len(vectors)} embedded, {len(tracks)} tracks")


if __name__ == "__main__":
    main()
