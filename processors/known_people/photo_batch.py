"""Many photos, one after the other: decoded ahead in other processes, looked at in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import LifoQueue

from core.errors import PhotoError
from core.model_manager import ModelManager
from processors.known_people.photo_faces import PhotoFace, find_faces
from processors.known_people.photo_process import PhotoProcess
from processors.known_people.photo_reader import Photo
from utils.processes.helper_threads import submit

_DECODERS = 2
"""processes that decode; a thread waits for each"""
READ_AHEAD = 4
"""photos decoded while another one is looked at; each takes up to 30 MB"""


@dataclass(frozen=True, slots=True, eq=False)
class SeenPhoto:
    """A photo with its faces, the largest first; or the error that kept it from being read."""

    path: Path
    photo: Photo | None = None
    faces: tuple[PhotoFace, ...] = ()
    error: PhotoError | None = None


def see_photos(paths: Iterable[Path], models: ModelManager) -> Generator[SeenPhoto, None, None]:
    """Photos and their faces in the order of `paths`; bad ones come with their error.

    Raises:
        ModelError: a network cannot be had.
    """
    with ExitStack() as stack:
        # Whichever is free, the one used last first: few photos start few processes.
        free: LifoQueue[PhotoProcess] = LifoQueue()
        for _ in range(_DECODERS):
            free.put(stack.enter_context(PhotoProcess()))
        pool = stack.enter_context(ThreadPoolExecutor(_DECODERS, thread_name_prefix="photos"))
        pending: deque[Future[SeenPhoto]] = deque()
        try:
            for path in paths:
                pending.append(submit(pool, _read, path, free))
                if len(pending) > READ_AHEAD:
                    yield _seen(pending.popleft().result(), models)
            while pending:
                yield _seen(pending.popleft().result(), models)
        finally:
            for future in pending:
                future.cancel()


def _read(path: Path, free: LifoQueue[PhotoProcess]) -> SeenPhoto:
    process = free.get()
    try:
        return SeenPhoto(path, process.read(path))
    except PhotoError as error:
        return SeenPhoto(path, error=error)
    finally:
        free.put(process)


def _seen(read: SeenPhoto, models: ModelManager) -> SeenPhoto:
    if read.photo is None:
        return read
    return SeenPhoto(read.path, read.photo, tuple(find_faces(read.photo, models)))
