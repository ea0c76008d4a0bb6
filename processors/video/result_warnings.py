"""Warnings for the user about a finished result."""

from __future__ import annotations

import contextlib

import numpy as np

from core.media.audio_probe import CANNOT_BE_DECODED
from core.media.audio_span import audio_outside_frames
from core.media.containers.end_marks import lacks_end_mark
from core.media.containers.joined_videos import next_video_at
from core.media.containers.truncation import FRAME, INDEX, PACKET, truncated_within
from core.media.fragment_frames import frames_in_fragments
from core.media.scrambled_stream import scrambled_part, stream_pid
from core.media.stream_ends import other_streams_end_s
from core.types import LONGEST_HOLD_S, FaceAnalysis, RenderResult, Timeline, VideoInfo
from processors.faces.faceless_reasons import DARK, OVEREXPOSED, SMALL_FACES_MIN_FACE, SMALL_FACES_PX, TURNED

_UPSCALE_TOLERANCE = 1e-3
"""rounding error of `Clip.upscaled`"""
_MISSING_S, _MISSING_SHARE = 0.5, 0.01
"""how much shorter than claimed a video may be, seconds and share of its length: audio often goes on a little longer"""
_COUNTED = ("mov", "avi")
"""containers that state the length and the number of frames of each stream"""
_MAY_BE_HIDDEN, _HIDDEN_SHARE = 5, 0.01
"""frames and share of all that may be left out without a warning: an edit list cuts off those before its start"""
_USUAL_DURATION = 0.9
"""quantile of the frame durations that bounds the duration of the last frame"""

NOBODY_LONG_ENOUGH = "nobody is visible long enough for a clip"
"""how such a warning begins"""
NOBODY_LEFT = "timeline.json has no people"


def result_warnings(
    analysis: FaceAnalysis,
    timeline: Timeline,
    rendered: RenderResult,
    *,
    max_upscale: float,
    min_time: float = 0,
    only_speaking: bool = False,
    edited: bool = False,
    repeated: int = 0,
) -> list[str]:
    """One line for each thing that the user should know about a complete result.

    min_time: people who are visible for fewer seconds in total got no clips. only_speaking: clips were made only
    while people speak. edited: somebody edited the timeline. repeated: how many unknown tracklets show somebody a
    second time.
    """
    return [
        *_counted(analysis, timeline, rendered, repeated),
        *_turned(analysis),
        *_cut_off(analysis),
        *_unreadable_parts(analysis),
        *_unused_audio(analysis.video),
        *_audio_outside_frames(analysis),
        *_enlarged(rendered, max_upscale),
        *_without_clips(analysis, timeline, rendered, min_time, only_speaking=only_speaking, edited=edited),
    ]


def _counted(analysis: FaceAnalysis, timeline: Timeline, rendered: RenderResult, repeated: int) -> list[str]:
    """What was counted on the way, each with its number."""
    found = analysis.statistics
    counts = {
        "damaged parts of the video that were skipped": analysis.decode_failures,
        "frames with another aspect ratio than the first, shown with black bars": int(found.get("barred_pictures", 0)),
        "frames whose times in the file are damaged, timed by decoding order": int(found.get("reordered_times", 0)),
        "given cuts beyond the end of the video, left out": int(found.get("cuts_beyond_end", 0)),
        "damaged frames in clips, replaced by the frame before": rendered.repeated_frames,
        "damaged parts of the clips' audio, replaced by silence": rendered.damaged_audio_packets,
        "tracklets that could not be assigned to a person": len(timeline.unknown) - repeated,
        "tracklets of people who are seen twice at once, as in a mirror; clips show the other face": repeated,
    }
    return [f"{what}: {count}" for what, count in counts.items() if count]


def _turned(analysis: FaceAnalysis) -> list[str]:
    """About a video that is shown turned because the faces in it are."""
    turn = analysis.video.turn
    if not turn or analysis.statistics.get(TURNED) != turn:
        return []
    return [
        f"the image was turned by {turn} degrees clockwise because only then were faces found "
        "with certainty; --turn 0 leaves it as it is"
    ]


def _cut_off(analysis: FaceAnalysis) -> list[str]:
    """About a file that ends too early: by its claimed length, else by its last bytes."""
    video = analysis.video
    warnings = []
    missing_s = _missing_s(analysis)
    within = truncated_within(video.path, video.container)
    if missing_s > 0:
        warnings.append(f"the video ends {missing_s:.1f} s before the length that the file claims")
    elif lacks_end_mark(video.path, video.container):
        warnings.append("the file lacks the mark that ends it: it was cut off, and frames may be missing")
    elif within in (FRAME, PACKET):
        warnings.append(f"the file ends in the middle of {within}: it was cut off, and frames may be missing")
    if within == INDEX:
        warnings.append("the file ends in the middle of its index: it was cut off; audio and frames may be missing")
    return warnings


def _unreadable_parts(analysis: FaceAnalysis) -> list[str]:
    """About what the file holds and no reader can show."""
    warnings = []
    if hidden := _hidden_frames(analysis):
        warnings.append(f"frames in fragments of the file whose times overlap, or that are cut off, left out: {hidden}")
    warnings += _following_video(analysis.video)
    if encrypted := 100 * scrambled_part(analysis.video):
        warnings.append(f"encrypted parts of the video, as in recordings of pay TV, left out: {encrypted:.1f} % of it")
    return warnings


def _enlarged(rendered: RenderResult, max_upscale: float) -> list[str]:
    """About clips that are larger than the images allow."""
    enlarged = [clip.upscaled for clip in rendered.clips if clip.upscaled > max_upscale + _UPSCALE_TOLERANCE]
    if not enlarged:
        return []
    return [
        f"clips enlarged by more than max_upscale because the whole frame is smaller than a clip: {len(enlarged)}, "
        f"up to {max(enlarged):.2f} times"
    ]


def _without_clips(
    analysis: FaceAnalysis,
    timeline: Timeline,
    rendered: RenderResult,
    min_time: float,
    *,
    only_speaking: bool,
    edited: bool,
) -> list[str]:
    """Why there is nobody, or nobody with a clip."""
    if not timeline.people:
        return [NOBODY_LEFT if edited else "no faces were found" + _reason(analysis)]
    if rendered.clips:
        return []
    if not only_speaking:
        return [_too_brief(analysis, timeline, min_time)]
    # A video without audio has a warning already.
    has_audio = analysis.video.default_audio is not None
    return ["nobody who is visible speaks long enough for a clip"] if has_audio else []


def _too_brief(analysis: FaceAnalysis, timeline: Timeline, min_time: float) -> str:
    """That everybody is shown too briefly, and which setting decides it, where that is known."""
    if timeline.segments:
        return NOBODY_LONG_ENOUGH + (f": --min-time asks for {min_time:g} s in total" if min_time else "")
    moving = [analysis.on_screen_s([number]) for p in timeline.people if not p.still for number in p.tracklets]
    if not moving:
        return NOBODY_LONG_ENOUGH
    return f"{NOBODY_LONG_ENOUGH}: at most {max(moving):.2f} s at a time; --min-clip sets the shortest"


def _reason(analysis: FaceAnalysis) -> str:
    """Why nobody was found, and what to do; appended to the warning, empty if the reason is unknown."""
    found = analysis.statistics
    if found.get(TURNED, analysis.video.turn) != analysis.video.turn:
        return f", but there are some if the image is turned: --turn {int(found[TURNED])}"
    if found.get(OVEREXPOSED):
        return ", but there are some with more contrast: the image is overexposed; correct the video and run again"
    if found.get(DARK):
        return ", but there are some with more brightness: the image is too dark; correct the video and run again"
    if small_px := int(found.get(SMALL_FACES_PX, 0)):
        min_face = found.get(SMALL_FACES_MIN_FACE)
        advice = (
            f"smaller than those searched for; --min-face {min_face:g} finds faces of this size"
            if min_face
            else "too small for every --min-face; cut out the part of the image that they are in and run again"
        )
        return f", but there are some about {small_px} px high, {advice}"
    video = analysis.video
    if video.video_streams > 1:
        return f" in video stream {video.video_number} of {video.video_streams}; --video-stream uses another one"
    return ""


def _unused_audio(video: VideoInfo) -> list[str]:
    """About the audio track that a player would have chosen, if the clips do not have it."""
    wanted, used = video.unheard_audio, video.default_audio
    if wanted is None:
        return []
    if used is not None:
        return [
            f"audio track {wanted.index} ({wanted.codec}) {wanted.fault}; "
            f"the clips use audio track {used.index} ({used.codec})"
        ]
    if any(track.fault == CANNOT_BE_DECODED for track in video.audio):
        codecs = dict.fromkeys(track.codec for track in video.audio if track.fault == CANNOT_BE_DECODED)
        return [f"the audio cannot be decoded ({', '.join(codecs)}); the clips are silent"]
    return [f"the file declares audio ({wanted.codec}) that {wanted.fault}; the clips are silent"]


def _audio_outside_frames(analysis: FaceAnalysis) -> list[str]:
    """About audio of which the clips have nothing because no frame is shown meanwhile."""
    video = analysis.video
    if analysis.origin_pts is not None or analysis.clock_shifts or not analysis.frame_count:
        # Only a part was decoded, or the audio is on other clocks than the frames.
        return []
    where = audio_outside_frames(video, video.seconds(int(analysis.frame_pts[0])), video.seconds(_end_pts(analysis)))
    return [f"all audio lies {where}; the clips are silent"] if where else []


def _hidden_frames(analysis: FaceAnalysis) -> int:
    """Frames of a fragmented MP4 that cannot be read; 0 if they are few."""
    if analysis.origin_pts is not None:
        # Only a part was decoded.
        return 0
    listed = frames_in_fragments(analysis.video)
    hidden = listed - analysis.frame_count - analysis.decode_failures
    return hidden if hidden > max(_MAY_BE_HIDDEN, _HIDDEN_SHARE * listed) else 0


def _following_video(video: VideoInfo) -> list[str]:
    """About another video in the same file, which no player shows either."""
    with contextlib.suppress(OSError):
        at = next_video_at(video.path, video.container, stream_pid(video))
        if at is not None:
            share = 100 * (1 - at / video.size_bytes)
            return [f"the file holds another video behind the first one ({share:.0f} % of it), which is not used"]
    return []


def _missing_s(analysis: FaceAnalysis) -> float:
    """How much earlier the video ends than the file claims, s; 0.0 unless that is a sign of a truncated file."""
    video = analysis.video
    if analysis.origin_pts is not None:
        # Only a part was decoded, so the end of the rest is unknown.
        return 0.0
    counted = video.container in _COUNTED
    if counted and analysis.frame_count >= video.frame_count > 0:
        return 0.0
    claimed_s = video.duration_s
    if video.container == "avi":
        # Without an index, duration_s is what was found; the frame count in the header is the claim.
        claimed_s = max(claimed_s, float(video.frame_count / video.frame_rate))
    first_s, end_s = video.seconds(int(analysis.frame_pts[0])), video.seconds(_end_pts(analysis))
    if analysis.clock_shifts:
        # The claimed length is on the file's clock: after a jump ahead, it includes the time that was skipped.
        end_s = max(end_s, end_s - video.seconds(analysis.clock_shifts[-1]))
    tolerance_s = max(_MISSING_S, _MISSING_SHARE * video.duration_s)

    def missing_s(end_s: float) -> float:
        # Some containers count the length from their first frame, some from zero.
        found = claimed_s - max(end_s - first_s, end_s)
        return found if found > tolerance_s else 0.0

    if missing_s(end_s) and not counted and not missing_s(other_streams_end_s(video)):
        # The claimed length is that of another stream: the audio is longer.
        return 0.0
    return missing_s(end_s)


def _end_pts(analysis: FaceAnalysis) -> int:
    """End of the last frame, ticks, assuming a usual frame duration of this video."""
    end = analysis.end_pts(analysis.frame_count)
    if analysis.frame_count < 2:
        return end
    usual = int(np.quantile(np.diff(analysis.frame_pts), _USUAL_DURATION, method="lower"))
    longest = round(LONGEST_HOLD_S / analysis.video.time_base)
    return max(end, int(analysis.frame_pts[-1]) + min(usual, longest))
