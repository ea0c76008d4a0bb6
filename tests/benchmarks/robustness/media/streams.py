"""What ffmpeg says of a file, found out in a process of its own: some layouts end the one that looks at them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from core.media.ffmpeg_tool import find_ffmpeg

PACKETS = ("-c", "copy", "-f", "framecrc", "-")


def said_of(path: Path) -> str:
    """The lines that describe the streams."""
    done = subprocess.run(
        [find_ffmpeg(), "-hide_banner", "-i", str(path)], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return done.stderr.decode(errors="replace")


def channels_of(path: Path) -> str:
    """The layout of the first audio track in ffmpeg's words."""
    found = re.search(r"Audio: .*? \d+ Hz, ([^,]+),", said_of(path))
    return "" if found is None else found[1]


def packet_times(path: Path, stream: str) -> list[float]:
    """Presentation times of the packets of the first video ("v") or audio ("a") stream, seconds, as they are stored."""
    command = [find_ffmpeg(), "-v", "error", "-copyts", "-i", str(path), "-map", f"0:{stream}:0", *PACKETS]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    text = done.stdout.decode()
    base = re.search(r"#tb 0: (\d+)/(\d+)", text)
    assert base is not None, done.stderr.decode()
    tick_s = int(base[1]) / int(base[2])
    rows = [line.split(",") for line in text.splitlines() if not line.startswith("#")]
    # MPEG program streams do not tell every packet's time.
    return [int(row[2]) * tick_s for row in rows if abs(int(row[2])) < 2**60]


def frame_sizes(path: Path) -> list[str]:
    """Size of each decoded frame: "320x240"."""
    command = [find_ffmpeg(), "-hide_banner", "-i", str(path), "-noautoscale", "-map", "0:v:0", "-vf", "showinfo"]
    command += ["-fps_mode", "passthrough", "-f", "null", "-"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return re.findall(r"sar:\S+ s:(\S+) ", done.stderr.decode(errors="replace"))
