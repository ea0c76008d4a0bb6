"""What is to be said of a result that is complete all the same."""

from __future__ import annotations

import numpy as np

from core.media.audio_probe import CANNOT_BE_DECODED
from core.media.stream_ends import other_streams_end_s
from core.types import LONGEST_HOLD_S, FaceAnalysis, RenderResult, Timeline, VideoInfo

_ROUNDING = 1e-3
"""of enlargements"""
_MISSING_S, _MISSING_SHARE = 0.5, 0.01
"""by how much a file may be shorter than it claims: sound often goes on a little longer"""
_COUNTED = ("mov", "avi")
"""containers that tell the length of each stream, and how many pictures there are"""
_USUAL_HOLD = 0.9
"""the last picture may be shown for as long as so many of the others"""


def result_warnings(
    analysis: FaceAnalysis, timeline: Timeline, rendered: RenderResult, *, max_upscale: float
) -> list[str]:
    """What the user should know about a result that is complete all the same."""
    enlarged = [clip.upscaled for clip in rendered.clips if clip.upscaled > max_upscale + _ROUNDING]
    counts = {
        "damaged pieces of the video that were passed over": analysis.decode_failures,
        "pictures of another shape than the first, shown between black bars": int(
            analysis.statistics.get("barred_pictures", 0)
        ),
        "damaged pictures in clips, where the one before is repeated": rendered.repeated_pictures,
        "damaged pieces of the clips' sound, which are silent": rendered.damaged_sound_packets,
        "tracks that belong to nobody for sure": len(timeline.unknown),
    }
    warnings = [f"{what}: {count}" for what, count in counts.items() if count]
    missing_s = _missing_s(analysis)
    if missing_s > 0:
        warnings.append(f"the pictures end before the length that the file claims: by {missing_s:.1f} s")
    warnings += _unheard(analysis.video)
    if enlarged:
        warnings.append(
            f"clips enlarged by more than max_upscale, because the picture is so small: {len(enlarged)}, "
            f"up to {max(enlarged):g} times"
        )
    if not timeline.people:
        warnings.append("no faces were found")
    elif not rendered.clips:
        warnings.append("nobody is in the picture long enough for a clip")
    return warnings


def _unheard(video: VideoInfo) -> list[str]:
    """The sound that a player would have chosen, where it is not what the clips have."""
    wanted, used = video.unheard_audio, video.default_audio
    if wanted is None:
        return []
    if used is not None:
        return [
            f"sound track {wanted.index} ({wanted.codec}) {wanted.fault}; "
            f"the clips have the sound of track {used.index} ({used.codec})"
        ]
    if any(track.fault == CANNOT_BE_DECODED for track in video.audio):
        codecs = dict.fromkeys(track.codec for track in video.audio if track.fault == CANNOT_BE_DECODED)
        return [f"has sound that cannot be decoded ({', '.join(codecs)}); the clips are silent"]
    return [f"declares sound ({wanted.codec}) that {wanted.fault}; the clips are silent"]


def _missing_s(analysis: FaceAnalysis) -> float:
    """How much sooner the pictures end than the file claims, s; 0.0 where that is no sign that it was cut off."""
    video = analysis.video
    counted = video.container in _COUNTED
    if counted and analysis.frame_count >= video.frame_count > 0:
        return 0.0
    claimed_s = video.duration_s
    if video.container == "avi":
        # Where its index is missing the length is what was found; the count in its header is the claim.
        claimed_s = max(claimed_s, float(video.frame_count / video.frame_rate))
    first_s, end_s = video.seconds(int(analysis.frame_pts[0])), video.seconds(_end_pts(analysis))
    tolerance_s = max(_MISSING_S, _MISSING_SHARE * video.duration_s)

    def missing_s(end_s: float) -> float:
        # Some containers count from their first picture, some from zero.
        found = claimed_s - max(end_s - first_s, end_s)
        return found if found > tolerance_s else 0.0

    if missing_s(end_s) and not counted and not missing_s(other_streams_end_s(video)):
        # The length is that of another stream: the sound goes on longer.
        return 0.0
    return missing_s(end_s)


def _end_pts(analysis: FaceAnalysis) -> int:
    """When the last picture has been shown for as long as is usual in this video."""
    end = analysis.end_pts(analysis.frame_count)
    if analysis.frame_count < 2:
        return end
    usual = int(np.quantile(np.diff(analysis.frame_pts), _USUAL_HOLD, method="lower"))
    longest = round(LONGEST_HOLD_S / analysis.video.time_base)
    return max(end, int(analysis.frame_pts[-1]) + min(usual, longest))
