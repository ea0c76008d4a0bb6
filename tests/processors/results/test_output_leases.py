"""Who works on what in an output folder: names of leases, copies of one video, the pages, and what the dead leave."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from core.errors import LeaseHeldError, OutputError
from core.lease import LeaseTaker
from core.lease_file import read_record
from processors.results import output_leases
from processors.results.output_folder import remove_leftovers
from processors.results.output_leases import (
    OutputLeases,
    folder_lease,
    gallery_lease,
    lease_path,
    lies_in,
    mark_output_folder,
)
from tests.material.other_machine import of_another_machine
from utils.fingerprints import Fingerprint

VIDEO = Fingerprint(10, "aa" * 32)


def leave_dead(path: Path, work: str = "a.mp4", *, subject: str = "", elsewhere: bool = False) -> None:
    """The lease of a process that has ended: of this machine, or of another one where nobody can tell."""
    with LeaseTaker().take(path, work=work, subject=subject):
        record = read_record(path)
    assert record is not None
    # No process of this machine began at the tick 1 after the start of the system.
    changed = msgspec.structs.replace(record, started="1", machine="another boot" if elsewhere else record.machine)
    path.write_bytes(msgspec.json.encode(changed))


def leases_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(".lease-*"))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("a", ".lease-a"),
        ("2024/may/a", ".lease-2024%2Fmay%2Fa"),
        ("2024%2Fmay%2Fa", ".lease-2024%252Fmay%252Fa"),
        ("index", ".lease-index"),
        ("ä b", ".lease-ä b"),
    ],
)
def test_every_folder_has_a_lease_of_its_own(tmp_path: Path, name: str, wanted: str) -> None:
    assert lease_path(tmp_path / name, tmp_path) == tmp_path / wanted


def test_long_names_have_short_leases(tmp_path: Path) -> None:
    names = ["/".join(["é" * 60] * 4), "/".join(["é" * 60] * 3 + ["e" * 60])]
    paths = {lease_path(tmp_path / name, tmp_path) for name in names}
    assert len(paths) == 2
    assert all(len(path.name.encode()) < 255 for path in paths)


def test_one_video_is_not_processed_under_two_names(tmp_path: Path) -> None:
    first, second = OutputLeases(tmp_path), OutputLeases(tmp_path)
    with first.take_video(tmp_path / "a", VIDEO):
        for name in ("a", "copy"):
            with pytest.raises(LeaseHeldError, match=f"{name}: another run"):
                second.take_video(tmp_path / name, VIDEO)
        with second.take_video(tmp_path / "b", Fingerprint(10, "bb" * 32)):
            assert leases_in(tmp_path) == [".lease-a", ".lease-b"]
    with second.take_video(tmp_path / "copy", VIDEO):
        assert leases_in(tmp_path) == [".lease-copy"]


def test_the_dead_are_named_once_and_those_elsewhere_are_left_to_be_watched(tmp_path: Path) -> None:
    leave_dead(tmp_path / ".lease-a", "a.mp4")
    leave_dead(tmp_path / ".lease-b", "b.mp4", elsewhere=True)
    (tmp_path / ".lease-c").write_text("damaged")
    with OutputLeases(tmp_path) as leases, OutputLeases(tmp_path) as others:
        others.take_video(tmp_path / "d", work="d.mp4")
        assert leases.remove_dead() == ["a.mp4"]
        assert leases.remove_dead() == []
    assert leases_in(tmp_path) == [".lease-b", ".lease-c"]


def test_pages_are_written_by_one_at_a_time(tmp_path: Path) -> None:
    inside, most = [0], [0]

    def write() -> None:
        with OutputLeases(tmp_path).pages():
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            threading.Event().wait(0.05)
            inside[0] -= 1

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert leases_in(tmp_path) == []


def test_pages_that_somebody_does_not_end_writing_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output_leases, "PAGES_WAIT_S", 0.2)
    expected = pytest.raises(OutputError, match=r"main\.py index rebuilds it")
    with OutputLeases(tmp_path).pages(), expected, OutputLeases(tmp_path).pages():
        raise AssertionError("two at once")


def test_calls_of_one_machine_share_the_gallery_and_tell_their_terms(tmp_path: Path) -> None:
    with OutputLeases(tmp_path) as leases, OutputLeases(tmp_path) as command, OutputLeases(tmp_path) as third:
        assert leases.join({"version": "1"}, uses_gallery=True) == []
        assert [other.terms for other in command.join({}, uses_gallery=True)] == [{"version": "1"}]
        assert [other.terms for other in third.join({"version": "2"}, uses_gallery=True)] == [{"version": "1"}]
    assert leases_in(tmp_path) == []


@pytest.fixture
def gallery_elsewhere(tmp_path: Path) -> Iterator[Path]:
    """The lease of a living call of another machine that uses the gallery."""
    with OutputLeases(tmp_path, LeaseTaker(heartbeat_s=0.05)) as leases:
        leases.join({"version": "1"}, uses_gallery=True)
        (path,) = tmp_path.glob(".lease-*")
        of_another_machine(path)
        yield path


def test_one_machine_at_a_time_uses_the_gallery(tmp_path: Path, gallery_elsewhere: Path) -> None:
    with OutputLeases(tmp_path) as leases:
        assert len(leases.join({}, uses_gallery=False)) == 1
        with pytest.raises(OutputError, match=r"machines cannot share \(--no-gallery on all"):
            leases.join({}, uses_gallery=True)
        assert len(leases_in(tmp_path)) == 2
    assert leases_in(tmp_path) == [gallery_elsewhere.name]


def test_a_command_waits_for_the_gallery_of_its_output_folder_only(tmp_path: Path, gallery_elsewhere: Path) -> None:
    refused = pytest.raises(OutputError, match=r"machines cannot share \(wait until it has ended")
    with refused, gallery_lease(tmp_path / "x" / ".." / "people.db", tmp_path):
        raise AssertionError("two machines at once")
    for other in (None, tmp_path / "elsewhere" / "people.db"):
        with gallery_lease(other, tmp_path):
            assert leases_in(tmp_path) == [gallery_elsewhere.name]


def test_a_gallery_of_the_folder_is_one_however_its_path_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "out")
    for gallery in (Path("out/people.db"), tmp_path / "out" / "people.db", Path("link/people.db")):
        assert lies_in(gallery, Path("out"))
    assert not lies_in(Path("people.db"), Path("out"))
    assert not lies_in(None, Path("out"))


def test_a_machine_that_died_with_the_gallery_is_no_obstacle(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    leave_dead(tmp_path / ".lease-.call-0", subject="gallery", elsewhere=True)
    with caplog.at_level("INFO"), OutputLeases(tmp_path, LeaseTaker(0.05, stale_after_s=0.3)) as leases:
        leases.join({}, uses_gallery=True)
        assert len(leases_in(tmp_path)) == 1 and ".lease-.call-0" not in leases_in(tmp_path)
    assert "is working there or has died" in caplog.text


def test_leftovers_go_only_when_their_owner_is_dead(tmp_path: Path) -> None:
    for name in ("living", "dead"):
        (tmp_path / f".partial-{name}.aa-10.0123abcd").mkdir()
        (tmp_path / name).mkdir()
        (tmp_path / name / ".partial-0123456789abcdef.json").write_text("a journal")
    (tmp_path / ".partial-0123456789abcdef.html").write_text("a page")
    (tmp_path / ".stale-lease-0123456789abcdef").write_text("")
    leave_dead(tmp_path / ".lease-dead")
    with OutputLeases(tmp_path).take_video(tmp_path / "living"):
        remove_leftovers(tmp_path)
        # Nobody knows whose the page is.
        assert sorted(path.name for path in tmp_path.rglob(".[ps]*")) == [
            ".partial-0123456789abcdef.html",
            ".partial-0123456789abcdef.json",
            ".partial-living.aa-10.0123abcd",
            ".stale-lease-0123456789abcdef",
        ]
        assert list((tmp_path / "dead").iterdir()) == []
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dead", "living"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file: cannot write to the output folder: a file has its name \(.*-o"):
        mark_output_folder(tmp_path / "file")


def test_a_command_about_a_folder_holds_its_lease(tmp_path: Path) -> None:
    mark_output_folder(tmp_path)
    (tmp_path / "2024" / "a").mkdir(parents=True)
    with folder_lease(tmp_path / "2024" / "a") as lease:
        lease.ticket.require_held()
        assert leases_in(tmp_path) == [".lease-2024%2Fa"]
        with pytest.raises(LeaseHeldError, match="a: another run"), folder_lease(tmp_path / "2024" / "a"):
            raise AssertionError("two at once")
    assert leases_in(tmp_path) == []
