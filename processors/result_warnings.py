"""What is to be said of a result that is complete all the same."""

from __future__ import annotations

from core.audio_probe import CANNOT_BE_DECODED
from core.types import FaceAnalysis, RenderResult, Timeline, VideoInfo

_ROUNDING = 1e-3
"""of enlargements"""
_MISSING_S, _MISSING_SHARE = 0.5, 0.01
"""by how much a file may be shorter than it claims: sound often goes on a little longer"""


def result_warnings(
    analysis: FaceAnalysis, timeline: Timeline, rendered: RenderResult, *, max_upscale: float
) -> list[str]:
    """What the user should know about a result that is complete all the same."""
    enlarged = [clip.upscaled for clip in rendered.clips if clip.upscaled > max_upscale + _ROUNDING]
    counts = {
        "damaged pieces of the video that were passed over": analysis.decode_failures,
        "damaged pictures in clips, where the one before is repeated": rendered.repeated_pictures,
        "damaged pieces of the clips' sound, which are silent": rendered.damaged_sound_packets,
        "tracks that belong to nobody for sure": len(timeline.unknown),
    }
    warnings = [f"{what}: {count}" for what, count in counts.items() if count]
    missing_s = _missing_s(analysis)
    if missing_s > max(_MISSING_S, _MISSING_SHARE * analysis.video.duration_s):
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
    """How much sooner the pictures end than the file claims, s: it was cut off, or its sound is longer."""
    video = analysis.video
    first, end = int(analysis.frame_pts[0]), analysis.end_pts(analysis.frame_count)
    claimed_s = video.duration_s
    if video.container == "avi":
        # Where its index is missing the length is what was found; the count in its header is the claim.
        claimed_s = max(claimed_s, float(video.frame_count / video.frame_rate))
    # Some containers count from their first picture, some from zero.
    return claimed_s - video.seconds(max(end - first, end))
