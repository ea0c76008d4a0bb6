"""What the user can do about a disk, a quota or a limit of file sizes that is reached."""

from __future__ import annotations

import errno
from pathlib import Path

from utils.console.printable_text import ascii_safe
from utils.files import PARTIAL_PREFIX

FULL_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def full_disk_hint(number: int | None, file: Path) -> str:
    """The hint of an error in writing `file` that names where there is no room; "" if that is not the reason.

    number: `errno` of the error. Temporary folders of ours are gone when the user reads this, so the one that holds
    them is named.
    """
    if number not in FULL_DISK_ERRORS:
        return ""
    above = file.parents
    ours = [place for place, folder in enumerate(above) if folder.name.startswith(PARTIAL_PREFIX)]
    folder = above[ours[-1] + 1 if ours else 0]
    return ascii_safe(f"make room in {folder}, or allow larger files")
