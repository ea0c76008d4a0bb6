"""Makes clip files from crop paths: decodes only the ranges that are shown, once for all people in them.

Render workers decode at different places of the video, each with a prefetch thread. Each open clip has a thread that
crops and feeds an encoder process. The queues between them are short, so the slowest one sets the pace.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, wait
from pathlib import Path

from config import Settings
from core.errors import EncodeError
from core.media.ffmpeg_tool import H264_ENCODER
from core.media.h264_encoder import NVENC, choose_encoder
from core.thread_budget import thread_budget
from core.types import Clip, CropPath, FaceAnalysis, RenderResult
from processors.clips.clip_names import clip_files
from processors.clips.clip_recipe import clip_recipe
from processors.clips.clip_spec import ClipSpec, clip_spec
from processors.clips.encoder_slots import EncoderSlots
from processors.clips.frame_effects import FrameEffect
from processors.clips.render_context import RenderContext
from processors.clips.render_plan import (
    PART_FRAMES,
    Part,
    may_start_anywhere,
    overlapping_groups,
    split_parts,
    split_passes,
)
from processors.clips.render_worker import RenderWorker
from processors.clips.resume_journal import FinishedClips
from processors.clips.shared_audio import SharedAudio
from utils.console.stage_monitor import StageMonitor

logger = logging.getLogger(__name__)

MAX_ENCODERS = 6
"""Clips that are open at a time. Where more people are visible, the range is decoded again."""

MAX_SESSIONS = {NVENC: 4}
"""encoders that a GPU runs at a time; drivers allow three to eight"""

_SLOTS, _SLOTS_OF_SHORT_VIDEOS = 4, MAX_ENCODERS
"""encoders of all workers together, unless one group of clips needs more; each takes 40 to 59 MB at 512x512 px"""
_SMALL_FRAME_PX, _FEW_ROWS = 1280 * 720, 2 * PART_FRAMES
"""up to here a video takes so much less memory than others that two more encoders fit"""

_MAX_WORKERS = 4
_PX_PER_CPU = 1920 * 1088 // 2


def _no_effects(path: CropPath) -> tuple[FrameEffect, ...]:
    return ()


class ClipRenderer:
    """Makes the clips of videos, one video after the other."""

    def __init__(
        self,
        settings: Settings,
        monitor: StageMonitor | None = None,
        *,
        variant: str = "",
        max_encoders: int = MAX_ENCODERS,
        effects: Callable[[CropPath], tuple[FrameEffect, ...]] = _no_effects,
        begun: Callable[[], object] = lambda: None,
    ) -> None:
        """variant: name of the set of clips, for messages; "" for the first one. effects: those of the clip of a path.

        begun: called when the first frame of a video has been encoded.
        """
        self._settings = settings
        self._threads = thread_budget(settings.run.threads)
        self._monitor = monitor or StageMonitor()
        self._noun = f"clips of {variant}" if variant else "clips"
        self._max_encoders = max_encoders
        self._effects = effects
        self._begun = begun

    def render(
        self,
        analysis: FaceAnalysis,
        paths: Sequence[CropPath],
        folder: Path,
        finished: FinishedClips | None = None,
        completed: Callable[[Clip], None] = lambda clip: None,
        files: Sequence[str] | None = None,
    ) -> RenderResult:
        """Write one clip per path below `folder`.

        finished: clips that an earlier run has finished; they are not made again. Each clip that is finished now is
            added.
        completed: called with each clip that is made, by the clip's thread, while others are still being made.
        files: of the clips, relative to `folder`; None: the names of `clip_files`, as if these were all clips.

        Raises:
            DecodeError: the video, or the whole interval of a clip, cannot be decoded any more.
            EncodeError, OutputError, ToolMissingError: a clip cannot be written.
            InterruptedRunError: the monitor's `stop` was set. Complete clips stay, unfinished ones do not.
        """
        codec = self._settings.encode.codec
        # Before anything is decoded: there may be no encoder.
        clip = self._settings.clip.sized_for(analysis.video.height)
        encoder = choose_encoder(codec, *clip.frame_size)
        if files is None:
            files = clip_files([path.segment for path in paths], analysis, self._settings.clip.template)
        named_paths = list(zip(paths, files, strict=True))

        def render_with(encoder: str) -> RenderResult:
            specs = [self._spec(path, file, analysis, encoder, finished) for path, file in named_paths]
            return RenderResult(self._make_missing(analysis, specs, folder, finished, completed), encoder)

        try:
            return render_with(encoder)
        except EncodeError as error:
            # A GPU that passed the trial may still run out of sessions or memory, or fail.
            if codec != "auto" or encoder == H264_ENCODER:
                raise
            logger.warning(
                "%s failed: %s; making the %s again with %s", encoder, error.message, self._noun, H264_ENCODER
            )
            return render_with(H264_ENCODER)

    def _spec(
        self, path: CropPath, file: str, analysis: FaceAnalysis, encoder: str, finished: FinishedClips | None
    ) -> ClipSpec:
        spec = clip_spec(path, file, analysis, encoder, self._effects(path))
        if finished is None:
            return spec
        return dataclasses.replace(spec, recipe=self._recipe(spec, finished.analysis_key))

    def _make_missing(
        self,
        analysis: FaceAnalysis,
        specs: Sequence[ClipSpec],
        folder: Path,
        finished: FinishedClips | None,
        completed: Callable[[Clip], None],
    ) -> tuple[Clip, ...]:
        """All clips, in the order of `specs`; those that `finished` has are not made again."""
        made = {} if finished is None else finished.find_all(specs)
        missing = [spec for spec in specs if spec.file not in made]
        if made:
            logger.info("%d of %d %s are there already", len(made), len(specs), self._noun)

        def note(clip: Clip) -> None:
            made[clip.file] = clip
            if finished is not None:
                finished.add(clip)
            completed(clip)

        self._make(analysis, missing, folder, note)
        return tuple(made[spec.file] for spec in specs)

    def _recipe(self, spec: ClipSpec, analysis_key: str) -> str:
        return clip_recipe(
            spec.path,
            spec.encoder,
            spec.effects,
            analysis_key=analysis_key,
            settings=self._settings.encode,
            timecode=spec.timecode,
        )

    def _make(
        self,
        analysis: FaceAnalysis,
        specs: Sequence[ClipSpec],
        folder: Path,
        completed: Callable[[Clip], None],
    ) -> None:
        """Make clips, which have the same encoder."""
        if not specs:
            return
        video, encode = analysis.video, self._settings.encode
        limit = min(self._max_encoders, MAX_SESSIONS.get(specs[0].encoder, self._max_encoders))
        parts = deque(_parts(analysis, specs, limit))
        rows = sum(spec.rows for spec in specs)
        with SharedAudio(analysis, folder, encode.audio_kbps) as audio:
            for spec in specs:
                audio.request(spec.interval)
            context = RenderContext(
                video=video,
                folder=folder,
                settings=encode,
                audio=audio,
                slots=EncoderSlots(min(slot_count(self._threads.total, video.width * video.height, rows), limit)),
                decode_threads=self._threads.decode,
                completed=completed,
                advanced=_Progress(self._monitor, rows, self._begun).advance,
                stop=self._monitor.stop,
            )
            count = min(worker_count(self._threads.total, video.width * video.height), len(parts))
            _work(context, [RenderWorker(context, parts, name=f"render worker {i + 1}") for i in range(count)])


def _work(context: RenderContext, workers: Sequence[RenderWorker]) -> None:
    """Run the workers; raises what the first one to fail has raised, when all threads have ended."""
    for worker in workers:
        worker.start()
    try:
        ended = wait([worker.result for worker in workers], return_when=FIRST_EXCEPTION).done
    finally:
        context.failed.set()
        for worker in workers:
            worker.join()
        # All are abandoned before waiting for the first one: it may be waiting for audio that another one reads.
        for worker in workers:
            worker.abandon_clips()
        for worker in workers:
            worker.join_clips()
    for worker in workers:
        if worker.result in ended:
            worker.result.result()


def _parts(analysis: FaceAnalysis, specs: Sequence[ClipSpec], limit: int) -> Iterator[Part]:
    for chosen in split_passes(specs, limit):
        groups = overlapping_groups(chosen)
        yield from split_parts(groups) if may_start_anywhere(analysis) else [tuple(groups)]


class _Progress:
    """Adds up the frames that the threads of the clips have encoded."""

    def __init__(self, monitor: StageMonitor, total: int, begun: Callable[[], object]) -> None:
        self._monitor = monitor
        self._total = total
        self._begun = begun
        self._done = 0
        self._lock = threading.Lock()

    def advance(self, frames: int) -> None:
        with self._lock:
            if self._done == 0:
                self._begun()
            self._done += frames
            self._monitor.update("render", self._done, self._total)


def slot_count(cpus: int, frame_px: int, rows: int) -> int:
    """How many encoders may be open at a time. rows: of all clips.

    With four, a worker whose next group shows four people waits until the others have closed all of theirs, although
    one clip keeps only a CPU and a half busy. That is a good part of the time where there are few groups.
    """
    is_short = frame_px <= _SMALL_FRAME_PX and rows <= _FEW_ROWS
    return max(_SLOTS_OF_SHORT_VIDEOS if is_short else _SLOTS, cpus)


def worker_count(cpus: int, frame_px: int) -> int:
    """How many workers decode at a time. One clip keeps about two CPUs busy; a worker at 1080p takes about 100 MB."""
    return max(1, min(cpus // 2 + 1, _MAX_WORKERS, cpus * _PX_PER_CPU // frame_px))
