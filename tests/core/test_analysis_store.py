"""Analyses come back as they were stored, and damaged or hostile files are never read as one."""

from __future__ import annotations

import dataclasses
import io
import logging
import os
import pickle
import threading
import time
import zipfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.analysis_file import STORE_SCHEMA, AnalysisRecord, read_record, write_record
from core.analysis_store import AnalysisStore
from core.types import AudioInfo, ColorInfo, FaceAnalysis, Shot, Tracklet, VideoInfo

KEY, OTHER = "ab" * 32, "cd" * 32
INFO = VideoInfo(
    Path("/films/a b.mp4"), "mov,mp4", 0, "h264", "yuv420p", 64, 48, 64, 48, 90, Fraction(4, 3), Fraction(1, 90000),
    Fraction(30000, 1001), -3, 0.1 + 0.2, 10, False, ColorInfo("bt709"), (AudioInfo(1, "aac", 48000, 2, 0.25, "de"),),
    2**40,
)  # fmt: skip


def tracklet(
    number: int, start: int, end: int, samples: int, *, shot: int = 0, width: int = 128, signals: Sequence[str] = ()
) -> Tracklet:
    rng, n = np.random.default_rng(number), end - start
    return Tracklet(
        id=number,
        shot=shot,
        frames=np.arange(start, end),
        boxes=rng.random((n, 4), np.float32),
        scores=rng.random(n, np.float32),
        landmarks=rng.random((n, 5, 2), np.float32),
        sharpness=rng.random(n, np.float32),
        sample_frames=np.arange(start, start + samples),
        sample_quality=rng.random(samples, np.float32),
        embeddings=rng.random((samples, width), np.float32),
        face_jpeg=bytes(rng.integers(0, 256, 50, np.uint8)) if samples else b"",
        look_frames=np.arange(start, start + samples)[:2],
        clothes=rng.integers(0, 256, (min(samples, 2), 8), np.uint8),
        views=rng.integers(0, 256, (min(samples, 2), 6), np.uint8),
        is_replacement=number == 2,
        signals={name: rng.random(n, np.float32) for name in signals},
    )


def record(key: str = KEY, tracklets: int = 3) -> AnalysisRecord:
    made = [
        tracklet(7, 0, 5, 3, signals=("speaking", "gaze")),
        tracklet(2, 1, 3, 0, width=0),
        tracklet(3, 5, 10, 1, shot=1, signals=("speaking",)),
    ]
    analysis = FaceAnalysis(
        video=INFO,
        frame_pts=2**53 + 1 + 3 * np.arange(10),
        shots=(Shot(0, 0, 5, "start"), Shot(1, 5, 10, "dissolve")),
        tracklets=tuple(made[:tracklets]),
        embedder="dlib",
        decode_failures=4,
        statistics={"looks": np.int64(3), "share": 1 / 3, "odd": float("nan")},
        clock_shifts=(np.int64(90_000), -7),
    )
    return AnalysisRecord(key, analysis, {"device": "cpu", "sha": {"a": "b"}}, ("a substitute is used",))


@pytest.fixture
def store(tmp_path) -> AnalysisStore:
    return AnalysisStore(tmp_path / "cache", 10**9)


def path_of(store: AnalysisStore, key: str = KEY) -> Path:
    return store.folder / f"{key}.npz"


def assert_equal(found: FaceAnalysis, wanted: FaceAnalysis) -> None:
    assert (found.video, found.shots, found.embedder) == (wanted.video, wanted.shots, wanted.embedder)
    assert (found.decode_failures, found.clock_shifts) == (wanted.decode_failures, wanted.clock_shifts)
    assert list(found.statistics) == list(wanted.statistics)
    np.testing.assert_equal(list(found.statistics.values()), list(wanted.statistics.values()))
    np.testing.assert_array_equal(found.frame_pts, wanted.frame_pts)
    assert len(found.tracklets) == len(wanted.tracklets)
    for a, b in zip(found.tracklets, wanted.tracklets, strict=True):
        assert (a.id, a.shot, bytes(a.face_jpeg)) == (b.id, b.shot, bytes(b.face_jpeg))
        assert a.is_replacement is b.is_replacement
        for name in ("frames", "boxes", "scores", "landmarks", "sharpness", "sample_frames", "sample_quality"):
            one, two = getattr(a, name), getattr(b, name)
            np.testing.assert_array_equal(one, two, strict=True)
            assert one.flags.writeable
        assert a.signals.keys() == b.signals.keys()
        for name in b.signals:
            np.testing.assert_array_equal(a.signals[name], b.signals[name], strict=True)
        assert len(a.embeddings) == len(b.embeddings)
        assert not len(b.embeddings) or np.array_equal(a.embeddings, b.embeddings)


@pytest.mark.parametrize("tracklets", [0, 1, 2, 3])
def test_what_is_stored_comes_back_bit_by_bit(store, tracklets):
    wanted = record(tracklets=tracklets)
    store.save(wanted)
    found = store.load(KEY, INFO)
    assert found is not None and found.cached and not wanted.cached
    assert (found.key, found.models, found.warnings) == (KEY, wanted.models, wanted.warnings)
    assert_equal(found.analysis, wanted.analysis)


def test_another_audio_stream_needs_no_new_analysis(store):
    store.save(record())
    other = dataclasses.replace(INFO, chosen_audio=2)
    found = store.load(KEY, other)
    assert found is not None and found.analysis.video.chosen_audio == 2


def test_the_origin_of_a_part_comes_back(store):
    part = dataclasses.replace(record().analysis, origin_pts=-9000)
    store.save(dataclasses.replace(record(), analysis=part))
    found = store.load(KEY, INFO)
    assert found is not None and found.analysis.origin_pts == -9000


def test_the_turn_of_the_image_comes_back(store):
    """Probing does not know it either."""
    for turn, comes_back in ((90, True), (180, True), (45, False)):
        video = INFO.turned(turn) if comes_back else dataclasses.replace(INFO, turn=turn)
        store.save(dataclasses.replace(record(), analysis=dataclasses.replace(record().analysis, video=video)))
        found = store.load(KEY, INFO)
        assert (found is not None) == comes_back
        assert found is None or found.analysis.video == video


def test_the_rate_of_all_frames_comes_back_and_no_other(store):
    """Probing, which sees the beginning, does not know it."""
    pts = np.concatenate([np.arange(700) * 18_000, 700 * 18_000 + np.arange(700) * 3_000])
    slow = dataclasses.replace(INFO, frame_rate=Fraction(5))
    analysis = dataclasses.replace(record(tracklets=0).analysis, frame_pts=pts, shots=(Shot(0, 0, 1400, "start"),))
    for rate, comes_back in ((30, True), (15, False), (5, False)):
        video = dataclasses.replace(slow, frame_rate=Fraction(rate), frame_interval=18_000)
        store.save(dataclasses.replace(record(tracklets=0), analysis=dataclasses.replace(analysis, video=video)))
        found = store.load(KEY, slow)
        assert (found is not None) == comes_back
        assert found is None or found.analysis.video == video


def test_numpy_reads_it_without_pickle(store):
    store.save(record())
    with np.load(path_of(store), allow_pickle=False) as archive:
        assert len(archive["boxes"]) == 12


def test_the_same_analysis_gives_the_same_bytes(store):
    store.save(record())
    before = path_of(store).read_bytes()
    store.save(record())
    assert path_of(store).read_bytes() == before


def test_only_its_owner_may_look(store):
    store.save(record())
    assert store.folder.stat().st_mode & 0o077 == 0


def test_nothing_stored_is_a_silent_miss(store, caplog):
    assert store.load(KEY, INFO) is None
    store.save(record())
    assert store.load(OTHER, INFO) is None
    assert caplog.records == []


def test_a_moved_video_is_the_same_video(store):
    store.save(record())
    moved = dataclasses.replace(INFO, path=Path("/elsewhere/b.mp4"))
    found = store.load(KEY, moved)
    assert found is not None and found.analysis.video is moved
    assert store.video_path(KEY) == INFO.path


def test_odd_file_names_survive(store):
    odd = dataclasses.replace(INFO, path=Path(os.fsdecode(b"/films/%41\xff\n\xc3\xa4.mp4")))
    store.save(dataclasses.replace(record(), analysis=dataclasses.replace(record().analysis, video=odd)))
    assert store.video_path(KEY) == odd.path


def test_a_video_that_is_read_differently_now_is_a_miss(store, caplog):
    store.save(record())
    assert store.load(KEY, dataclasses.replace(INFO, time_base=Fraction(1, 1000))) is None
    assert "decoded differently" in caplog.text


class Evil:
    def __reduce__(self):
        return (os.system, ("touch /tmp/evil-analysis",))


def rewritten(store: AnalysisStore, change, **options) -> None:
    """The stored file with its columns changed by `change`."""
    with np.load(path_of(store)) as archive:
        columns = dict(archive)
    change(columns)
    buffer = io.BytesIO()
    (np.savez_compressed if options.get("compressed") else np.savez)(buffer, **columns)
    path_of(store).write_bytes(buffer.getvalue())


def meta(old: str, new: str):
    def change(columns) -> None:
        text = columns["meta"].tobytes().decode()
        assert old in text
        columns["meta"] = np.frombuffer(text.replace(old, new).encode(), np.uint8)

    return change


def setting(name: str, value):
    return lambda columns: columns.update({name: value(columns[name])})


WRONG = {
    "objects": setting("boxes", lambda old: np.array([Evil()], object)),
    "another type": setting("scores", lambda old: old.astype(np.float64)),
    "another shape": setting("landmarks", lambda old: old.reshape(-1, 10)),
    "too few rows": setting("frames", lambda old: old[:-1]),
    "too many rows": setting("faces", lambda old: np.append(old, np.uint8(1))),
    "negative counts": setting("frame_counts", lambda old: old * [1, -1, 1]),
    "too many looks": setting("look_counts", lambda old: old + 1),
    "huge counts": setting("sample_counts", lambda old: old + 2**62),
    "no frames": setting("frame_counts", lambda old: np.array([5, 0, 7])),
    "frames outside the shot": setting("frames", lambda old: old + 1),
    "no such shot": setting("tracklet_shots", lambda old: old + 7),
    "one number twice": setting("tracklet_ids", lambda old: old * 0),
    "falling times": setting("frame_pts", lambda old: old[::-1].copy()),
    "no number": setting("boxes", lambda old: old * np.float32(np.nan)),
    "a column less": lambda columns: columns.pop("sharpness"),
    "a column more": lambda columns: columns.update(more=np.zeros(3)),
    "a signal of too few values": setting("signal_values", lambda old: old[:-1]),
    "a signal of no tracklet": meta('["speaking",[0,2]]', '["speaking",[0,3]]'),
    "a signal twice": meta('["gaze",[0]]', '["speaking",[0]]'),
    "another key": meta(KEY, OTHER),
    "another schema": meta(f'"schema":{STORE_SCHEMA}', '"schema":1'),
    "an active picture beyond the frame": meta('"active":null', '"active":[0,2,1000000,40]'),
    "an active picture without area": meta('"active":null', '"active":[0,40,10,40]'),
    "a seam beyond any frame": meta('"seams_x":[]', '"seams_x":[[5,1000000]]'),
    "shots that overlap": meta('"start":5', '"start":4'),
    "unknown fields": meta('"embedder"', '"exec":1,"embedder"'),
    "a wrong field": meta('"decode_failures":4', '"decode_failures":"4"'),
    "a fraction by nought": meta('"4/3"', '"4/0"'),
    "no fraction": meta('"4/3"', '"x"'),
    "no JSON": meta("{", "["),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_file_with_wrong_contents_is_a_miss_said_once_and_replaced(store, caplog, what):
    store.save(record())
    rewritten(store, WRONG[what])
    with caplog.at_level(logging.INFO):
        assert store.load(KEY, INFO) is None
    (said,) = caplog.records
    assert said.levelno == logging.WARNING and "analysed again" in said.getMessage() and "a b.mp4" in said.getMessage()
    store.save(record())
    assert store.load(KEY, INFO) is not None
    assert not Path("/tmp/evil-analysis").exists()


def npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def archive_with(store: AnalysisStore, name: str, member: bytes) -> None:
    with zipfile.ZipFile(path_of(store)) as old:
        members = {m: old.read(m) for m in old.namelist()}
    members[f"{name}.npy"] = member
    with zipfile.ZipFile(path_of(store), "w") as new:
        for member_name, data in members.items():
            new.writestr(member_name, data)


@pytest.mark.parametrize(
    "member",
    [
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 4), }"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 4), }", bytes(16)),
        npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 4), }", bytes(32)),
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (1, 4), }", pickle.dumps([Evil()])),
        npy("__import__('os').system('touch /tmp/evil-analysis')"),
        npy("{'descr': '<f4'"),
        b"\x93NUMPY\x09\x00",
        b"",
    ],
)
def test_hostile_columns_are_refused_before_memory_is_taken(store, member):
    store.save(record())
    archive_with(store, "boxes", member)
    assert store.load(KEY, INFO) is None
    assert not Path("/tmp/evil-analysis").exists()


def test_what_is_compressed_is_refused_unread(store, caplog):
    """A bomb is compressed; no file of ours is."""
    store.save(record())
    rewritten(store, setting("faces", lambda old: np.zeros(10**7, np.uint8)), compressed=True)
    assert path_of(store).stat().st_size < 10**5
    assert store.load(KEY, INFO) is None
    assert "compressed" in caplog.text


def test_a_long_table_of_contents_is_refused_unread(store, monkeypatch):
    store.save(record())
    with zipfile.ZipFile(path_of(store), "a") as archive:
        for number in range(2000):
            archive.writestr(f"{number}", b"")
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(ValueError, match="unknown columns"):
        read_record(path_of(store), KEY)


@pytest.mark.slow
def test_no_damage_gets_through(store):
    """Cut off or flipped anywhere, it is a miss or, where zip has redundant fields, the very same analysis."""
    store.save(record())
    intact = path_of(store).read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(intact), 300):
        for data in (intact[:place], intact[:place] + bytes([intact[place] ^ 0xFF]) + intact[place + 1 :]):
            path_of(store).write_bytes(data)
            found = store.load(KEY, INFO)
            if found is not None:
                assert_equal(found.analysis, record().analysis)


@pytest.mark.parametrize("kind", ["folder", "empty", "text", "unreadable"])
def test_things_that_are_no_files_of_ours(store, kind):
    store.folder.mkdir(parents=True)
    path = path_of(store)
    if kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"" if kind == "empty" else b"hello" * 100)
    if kind == "unreadable":
        path.chmod(0)
    assert store.load(KEY, INFO) is None
    assert store.video_path(KEY) is None


def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path, caplog):
    (tmp_path / "cache").write_text("a file")
    store = AnalysisStore(tmp_path / "cache", 10**9)
    store.save(record())
    assert "cannot be stored" in caplog.text
    assert store.load(KEY, INFO) is None
    assert store.entries() == []


def keys(count: int) -> list[str]:
    return [f"{number:064x}" for number in range(count)]


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_what_was_not_used_for_longest_goes_first(store):
    store.save(record())
    size = path_of(store).stat().st_size
    for number, key in enumerate(keys(3)):
        store.save(record(key))
        age(path_of(store, key), 1000 - number)
    age(path_of(store), 2000)
    store.limit_bytes = 3 * size + 10
    assert store.load(keys(3)[0], INFO) is not None  # used just now
    (store.folder / "notes.txt").write_bytes(bytes(size))
    store.save(record(OTHER))
    assert {e.path.stem for e in store.entries()} == {OTHER, keys(3)[0], keys(3)[2]}
    assert (store.folder / "notes.txt").exists()


def test_the_newest_stays_even_where_it_alone_is_too_large(store):
    store.limit_bytes = 1
    store.save(record())
    store.save(record(OTHER))
    assert [e.path.stem for e in store.entries()] == [OTHER]


def test_leftovers_of_killed_writers_go_when_nobody_can_be_writing_them(store):
    store.save(record())
    for name, seconds in ((".partial-old.npz", 100_000), (".partial-new.npz", 10)):
        (store.folder / name).write_bytes(b"x")
        age(store.folder / name, seconds)
    store.save(record(OTHER))
    assert not (store.folder / ".partial-old.npz").exists()
    assert (store.folder / ".partial-new.npz").exists()


@pytest.mark.slow
def test_readers_and_writers_do_not_disturb_each_other(store):
    """A reader sees a whole entry or none, whatever others write and remove."""
    store.save(record())
    deadline, found = time.monotonic() + 1.0, []

    def write() -> None:
        while time.monotonic() < deadline:
            write_record(path_of(store), record())
            store.remove(store.entries()[0])

    writers = [threading.Thread(target=write) for _ in range(1)]
    for writer in writers:
        writer.start()
    while time.monotonic() < deadline:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("core.analysis_store.logger.warning", lambda *a: pytest.fail(str(a)))
            found.append(store.load(KEY, INFO) is not None)
    for writer in writers:
        writer.join()
    assert any(found)


def test_the_order_of_the_axes_in_memory_does_not_matter(store):
    """An array that is a transposed view is stored and read like any other."""
    plain = record()
    tracklets = tuple(dataclasses.replace(t, boxes=np.asfortranarray(t.boxes)) for t in plain.analysis.tracklets)
    store.save(dataclasses.replace(plain, analysis=dataclasses.replace(plain.analysis, tracklets=tracklets)))
    loaded = store.load(KEY, INFO)
    assert loaded is not None
    for one, other in zip(loaded.analysis.tracklets, plain.analysis.tracklets, strict=True):
        assert np.array_equal(one.boxes, other.boxes)
