"""The process that decodes photos, with decoders that crash or hang over files that ask for it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from processors.known_people.photo_process import serve
from processors.known_people.photo_reader import Photo, read_photo

CRASH, HANG, TALK = b"crash\n", b"hang\n", b"talk\n"


def read_or_crash(path: Path) -> Photo:
    data = path.read_bytes()
    if data == CRASH:
        os.kill(os.getpid(), signal.SIGABRT)
    if data == HANG:
        time.sleep(600)
    if data == TALK:
        os.write(1, b"libwhatever: oh dear\n")
    return read_photo(path)


if __name__ == "__main__":
    serve(read_or_crash)
