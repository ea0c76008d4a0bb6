"""In which order the tasks of a pool are begun, and what waits for what."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from config import Settings
from core.errors import DecodeError
from core.settings_file import load_settings
from processors.batch.executor import JobOutcome
from processors.batch.input_result import finished
from processors.known_people.people_namer import VideoNames
from processors.video.video_draft import SharedClips
from processors.workers.job_host import SetAside
from processors.workers.pool_tasks import PoolTask, PoolVideo
from processors.workers.render_work import Analysed, RenderWork, ShareMade
from processors.workers.work_queue import WorkQueue
from processors.workers.worker_source import WorkerKind
from tests.processors.workers.job_material import video_job

VIDEOS, CLIPS = WorkerKind.VIDEOS, WorkerKind.CLIPS


class FakeNaming:
    """A `NamingService` that is told whose turn it is. order: the videos that it expects. asked: answers to give."""

    def __init__(self) -> None:
        self.order: list[Any] = []
        self.may_name = False
        self.asked: list[Future[VideoNames]] = []

    def expect(self, video: Any) -> None:
        self.order.append(video)

    def leave(self, video: Any) -> None:
        self.order.remove(video)

    def is_turn(self, video: Any) -> bool:
        return self.may_name

    def ask(self, question: Any) -> Future[VideoNames]:
        self.asked.append(Future())
        return self.asked[-1]


class Queue(WorkQueue):
    """With up to `videos` and `clips` workers."""

    def __init__(self, folder: Path, videos: int = 2, clips: int = 2) -> None:
        self.folder = folder
        self.naming = FakeNaming()
        self.counts = {VIDEOS: videos, CLIPS: clips}
        super().__init__(cast(Any, self.naming), self.counts.__getitem__)

    def added(self, name: str, settings: Settings | None = None) -> PoolVideo:
        video = PoolVideo(video_job(self.folder, name, settings))
        self.add(video)
        return video

    def taken(self, kind: WorkerKind) -> PoolTask:
        task = self.next(kind)
        assert task is not None
        return task


def analysed(shares: int = 1, case: Any = None) -> Analysed:
    draft: Any = SimpleNamespace(shared=SharedClips(Path("clips"), shares) if shares > 1 else None)
    return Analysed(2.0, False, "key", draft, case)


def share_of(task: PoolTask) -> int | None:
    assert isinstance(task.work, RenderWork)
    return task.work.share


def test_videos_are_begun_in_their_order_and_what_is_given_back_comes_first(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    a, b = queue.added("a"), queue.added("b")
    first = queue.taken(VIDEOS)
    assert (first.video, first.work) == (a, a.job)
    assert queue.begun == [], "one at work is no longer here, the other is not begun"
    first.losses += 1
    queue.put_first(first)
    assert queue.begun == [a]
    assert [queue.taken(VIDEOS).video, queue.taken(VIDEOS).video] == [a, b]
    assert queue.is_empty and queue.next(VIDEOS) is None and queue.next(CLIPS) is None


def test_one_that_was_set_aside_is_begun_when_its_turn_comes(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    a, b = queue.added("a"), queue.added("b")
    task = queue.taken(VIDEOS)
    queue.go_on(task, SetAside(3.0, analysis_cached=False))
    assert queue.begun == [a] and not queue.is_empty
    assert queue.taken(VIDEOS).video is b
    assert queue.next(VIDEOS) is None and queue.next(CLIPS) is None
    queue.naming.may_name = True
    assert queue.next(CLIPS) is None and queue.taken(VIDEOS) is task
    queue.go_on(task, SetAside(0.1, analysis_cached=True))
    assert a.before == SetAside(3.0, analysis_cached=False), "the analysis was made in this run"


def test_clips_wait_for_names_and_the_rest_of_a_long_video_for_all_its_shares(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    long, short = queue.added("long"), queue.added("short")
    queue.go_on(queue.taken(VIDEOS), analysed(shares=2, case=object()))
    queue.go_on(queue.taken(VIDEOS), analysed())
    assert queue.take_named() == [], "nobody has to be named in the second one"
    only = queue.taken(CLIPS)
    assert (only.video, share_of(only), only.is_share, only.stage) == (short, None, False, "finish")
    assert queue.next(CLIPS) is None and queue.begun == [long]
    queue.naming.asked[0].set_result(names := VideoNames())
    assert queue.take_named() == []
    shares = [queue.taken(CLIPS), queue.taken(CLIPS)]
    assert [(share_of(task), task.is_share) for task in shares] == [(0, True), (1, True)]
    queue.go_on(shares[1], ShareMade(5.0))
    assert queue.next(CLIPS) is None
    queue.go_on(shares[0], ShareMade(6.0))
    rest = queue.taken(CLIPS)
    assert (rest.video, share_of(rest), rest.is_share) == (long, None, False)
    assert isinstance(rest.work, RenderWork) and rest.work.names is names
    assert (long.analysis_key, long.shares_s) == ("key", 11.0)
    assert queue.is_empty


def test_a_video_whose_people_cannot_be_named_has_failed(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    video = queue.added("a")
    queue.go_on(queue.taken(VIDEOS), analysed(case=object()))
    queue.naming.asked[0].set_exception(error := DecodeError("no photo can be read"))
    assert queue.take_named() == [(video, error)]
    assert queue.is_empty and queue.next(CLIPS) is None


def test_what_is_left_of_a_video_is_forgotten_with_it(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    bad, good = queue.added("bad"), queue.added("good")
    for shares in (3, 1):
        queue.go_on(queue.taken(VIDEOS), analysed(shares))
    queue.take_named()
    queue.taken(CLIPS)
    queue.leave(bad)
    assert queue.naming.order == [good.job.fingerprint]
    assert queue.taken(CLIPS).video is good and queue.is_empty


def test_room_is_for_what_would_be_begun_at_once(tmp_path: Path) -> None:
    queue = Queue(tmp_path, videos=2, clips=1)
    busy = {VIDEOS: 0, CLIPS: 0}
    assert queue.has_capacity(busy.__getitem__)
    queue.added("a")
    busy[VIDEOS] = 1
    assert not queue.has_capacity(busy.__getitem__)
    for name in ("b", "c"):
        queue.added(name)
    for _ in "ab":
        queue.go_on(queue.taken(VIDEOS), analysed())
    queue.take_named()
    busy[VIDEOS] = 0
    assert not queue.has_capacity(busy.__getitem__) and queue.next(VIDEOS) is None, "enough is analysed: clips first"
    queue.taken(CLIPS)
    assert queue.taken(VIDEOS).video.job.source.name == "c"
    assert queue.has_capacity(busy.__getitem__)


@pytest.mark.parametrize(("cache", "order"), [(True, "abc"), (False, "bca")])
def test_with_fewer_workers_nobody_waits_for_a_video_that_cannot_be_set_aside(
    tmp_path: Path, cache: bool, order: str
) -> None:
    queue = Queue(tmp_path)
    settings = load_settings(None, {"run": {"cache": cache}})
    videos = {queue.added(name, settings).job.fingerprint: name for name in "abc"}
    task = queue.taken(VIDEOS)
    queue.put_first_with_fewer(task)
    assert [videos[fingerprint] for fingerprint in queue.naming.order] == list(order)
    assert queue.taken(VIDEOS) is task


def test_clips_are_begun_with_fewer_workers_in_the_same_order(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    settings = load_settings(None, {"run": {"cache": False}})
    names = [queue.added(name, settings).job.fingerprint for name in "ab"]
    queue.go_on(queue.taken(VIDEOS), analysed())
    queue.take_named()
    queue.put_first_with_fewer(queue.taken(CLIPS))
    assert queue.naming.order == names, "its people are named already"


def test_the_time_of_a_video_is_that_of_all_its_workers(tmp_path: Path) -> None:
    job = video_job(tmp_path, "a")
    manifest: Any = SimpleNamespace(people=(), clips=(), video=SimpleNamespace(duration_s=2.0))
    result = finished(job.source, job.folder, "done", manifest, 1.0, analysis_cached=True)
    video = PoolVideo(job, before=SetAside(4.0, analysis_cached=False), shares_s=0.5)
    video.end(JobOutcome(result))
    ended = video.future.result(0).result
    assert ended is not None and (ended.wall_s, ended.analysis_cached) == (5.5, False)
