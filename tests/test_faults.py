"""A bounded part of the damage campaign (`python -m benchmarks.robustness.faults` is the whole), and inputs that want
more."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from benchmarks.robustness.faults import MEMORY_LIMIT_MB, Case, Outcome, make_cases, run_cases, table
from config import Settings
from processors.batch.batch_inputs import BatchInput, find_inputs
from processors.batch.batch_inspection import inspect_input
from processors.batch.folder_claims import FolderClaims
from tests.material.damage import ANYWHERE
from tests.material.real_models import models_cache, net_files
from tests.material.small_videos import gray_ramp, make_video

__all__ = ["models_cache", "net_files"]

EVERY = 3
"""one of so many cases of a campaign that is small already"""


@pytest.mark.slow
def test_damaged_videos_end_in_a_line_or_in_a_result(tmp_path: Path, models_cache: Path, net_files: object) -> None:
    assert net_files  # converted once for all tests
    cases = list(make_cases(tmp_path, seed=2, share=0.02, heavy=False))[::EVERY]
    assert len(cases) >= 35
    outcomes = list(run_cases(iter(cases), tmp_path, models_cache))
    assert [f"{o.case.name}: {o.lost}, {o.detail}" for o in outcomes if o.failed] == []
    assert {o.outcome for o in outcomes} == {"done", "refused"}


@pytest.mark.parametrize(
    ("outcome", "detail", "peak_mb", "leaks", "lost"),
    [
        ("done", "", 100.0, (), ""),
        ("refused", "x.mp4: is empty", 100.0, (), ""),
        ("refused", "two\nlines", 100.0, (), "more than one line"),
        ("traceback", "KeyError", 100.0, (), "traceback"),
        ("hang", "", 0.0, (), "hang"),
        ("crash", "", 0.0, (), "crash"),
        ("done", "", MEMORY_LIMIT_MB + 1, (), "3001 MB"),
        ("refused", "x", 100.0, ("thread render",), "leak (thread render)"),
    ],
)
def test_what_counts_as_lost(outcome: str, detail: str, peak_mb: float, leaks: tuple[str, ...], lost: str) -> None:
    found = Outcome(Case("c", "n", Path("x")), outcome, detail, 30, 1.0, peak_mb, leaks)
    assert found.lost == lost
    assert found.failed == bool(lost)
    assert table([found])[-1].split("|")[6].strip() == str(int(bool(lost)))


@pytest.mark.parametrize(
    ("campaign", "frames", "detail", "unreported", "failed"),
    [
        ("truncated", 17, "1 clips; ", False, False),
        ("truncated", 16, "1 clips; nobody is visible", True, True),
        ("truncated", 16, "1 clips; the video ends 0.6 s before the length that the file claims", False, False),
        ("block lost", 16, "1 clips; ", True, False),
    ],
)
def test_what_counts_as_unreported(campaign: str, frames: int, detail: str, unreported: bool, failed: bool) -> None:
    found = Outcome(Case(campaign, "n", Path("x"), 30), "done", detail, frames, 1.0, 1.0, ())
    assert (found.unreported, found.failed) == (unreported, failed)
    assert table([found])[-1].split("|")[4].strip() == str(int(unreported))


@pytest.mark.parametrize("name", ANYWHERE)
def test_damage_is_damage_and_always_the_same(name: str) -> None:
    data = random.Random(1).randbytes(9000)
    damaged = [bytes(ANYWHERE[name][0](bytearray(data), random.Random(7))) for _ in range(2)]
    assert damaged[0] == damaged[1] != data


@pytest.fixture
def port() -> Iterator[tuple[int, list[str]]]:
    """A local port with a listener, and the list of connections to it."""
    calls: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                connection, _ = server.accept()
                with connection:
                    calls.append("call")
                    if connection.recv(16) == b"end":
                        return

        thread = threading.Thread(target=listen, name="listener", daemon=True)
        thread.start()
        number: int = server.getsockname()[1]
        yield number, calls
        with socket.create_connection(("127.0.0.1", number)) as last:
            last.sendall(b"end")
        thread.join()


LURES = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n#EXTINF:9,\n{canary}\n#EXT-X-ENDLIST\n",
    "m3u8 with a key": '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{url}"\n#EXTINF:9,\n{canary}\n#EXT-X-ENDLIST\n',
    "ffconcat": "ffconcat version 1.0\nfile '{canary}'\nfile '{url}'\n",
    "concat": "file '{canary}'\nfile '{url}'\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{url}</BaseURL></MPD>',
    "smil": '<smil><body><video src="{url}"/></body></smil>',
    "asx": '<asx version="3.0"><entry><ref href="{url}"/></entry></asx>',
}  # fmt: skip


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A video that must not be read; its access time is set to before its last change, so that a read shows."""
    path = make_video(tmp_path / "canary.mp4", gray_ramp(4, 64, 48))
    os.utime(path, (1, path.stat().st_mtime))
    return path


def was_read(path: Path) -> bool:
    return path.stat().st_atime > 1


@pytest.mark.parametrize("name", LURES)
def test_playlists_under_a_videos_name_open_nothing_else(
    name: str, tmp_path: Path, canary: Path, port: tuple[int, list[str]]
) -> None:
    number, calls = port
    lure = LURES[name].format(url=f"http://127.0.0.1:{number}/x.mp4", canary=canary, port=number)
    for extension in ("mp4", "avi", "m3u8", "ffconcat", "sdp", "rm", "h264", "obu", "nut", "mjpg", "dav"):
        path = tmp_path / f"lure.{extension}"
        path.write_text(lure)
        source = BatchInput(path, "lure")
        inspection = inspect_input(source, FolderClaims(tmp_path / "out", [source]), Settings())
        assert inspection.job is None
        assert inspection.reason
    assert calls == []
    assert not was_read(canary)
    assert not (tmp_path / "out").exists()


def test_the_canary_and_the_port_would_tell(canary: Path, port: tuple[int, list[str]], tmp_path: Path) -> None:
    number, calls = port
    path = tmp_path / "lure.m3u8"
    path.write_text(LURES["m3u8"].format(url=f"http://127.0.0.1:{number}/x.mp4", canary=canary))
    with contextlib.suppress(av.FFmpegError, OSError):
        av.open(
            str(path), timeout=5, options={"allowed_extensions": "ALL", "protocol_whitelist": "file,http,tcp"}
        ).close()
    assert calls
    canary.read_bytes()
    if not was_read(canary):
        pytest.skip("this file system keeps no access times")


def test_names_that_differ_little_neither_collide_nor_escape(tmp_path: Path) -> None:
    stems = [
        "a b",
        'it\'s "x"',
        "two\nlines",
        "-rf",
        "--output",
        "😀",
        "\uc601\uc0c1",
        "\u110b\u1167\u11bc\u1109\u1161\u11bc",
        "x" * 251,
    ]
    stems += ["$(touch pwned)", "`id`", ";ls", "%s%n", "a/../b".replace("/", "\\"), "CON", "\u202egpj"]
    folder = tmp_path / "in"
    folder.mkdir()
    for stem in stems:
        for extension in ("mp4", "MP4", "mkv"):
            # Equal files would be one video.
            (folder / f"{stem}.{extension}").write_bytes(f"no video {stem}.{extension}".encode())
    inputs = find_inputs([str(folder)], tmp_path / "out")
    assert len(inputs) == 3 * len(stems)
    keys = {unicodedata.normalize("NFC", i.name).casefold() for i in inputs}
    assert len(keys) == len(inputs)
    claims = FolderClaims(tmp_path / "out", inputs)
    for source in inputs:
        target = tmp_path / "out" / source.name
        assert target.resolve().parent == (tmp_path / "out").resolve()
        target.mkdir(parents=True)
        reason = inspect_input(source, claims, Settings()).reason
        assert "not a video" in reason
        assert (source.label + reason).isprintable()
