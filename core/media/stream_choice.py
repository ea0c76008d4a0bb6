"""Which of several video and audio streams is used, and a line about the others."""

from __future__ import annotations

import dataclasses

from core.errors import InvalidVideoError
from core.types import AudioInfo, VideoInfo
from utils.console.printable_text import ascii_safe


def choose_audio(info: VideoInfo, wanted: str) -> VideoInfo:
    """`info` with the audio stream that `wanted` names as its `default_audio`.

    wanted: the number of the stream among the audio streams, from 1, or a language as the file states it ("deu"), of
        which the first is taken that can be decoded, a silent one only if there is no other; "": the one that a player
        would choose. A video without audio has nothing to choose from.

    Raises:
        InvalidVideoError: there is no such stream, or it cannot be decoded.
    """
    if not wanted or not info.audio:
        return dataclasses.replace(info, chosen_audio=None)
    if wanted.isdecimal():
        found = [info.audio[int(wanted) - 1]] if 1 <= int(wanted) <= len(info.audio) else []
    else:
        found = [track for track in info.audio if track.language.casefold() == wanted.casefold()]
    usable = [track for track in found if not track.fault] or [track for track in found if track.is_decodable]
    if usable:
        return dataclasses.replace(info, chosen_audio=usable[0].index)
    message = f"its audio stream {wanted} {found[0].fault}" if found else f"it has no audio stream {wanted}"
    hint = f"--audio-stream takes {_listed(info)}"
    raise InvalidVideoError(ascii_safe(message), path=info.path, stage="probe", hint=ascii_safe(hint))


def other_streams(info: VideoInfo) -> str:
    """A line about streams that are not used, "audio 1 eng of 3 (2 deu, 3 fra)"; "" where there are none."""
    parts = []
    if info.video_streams > 1:
        parts.append(f"video stream {info.video_number} of {info.video_streams} (--video-stream)")
    usable = [track for track in info.audio if not track.fault]
    if (used := info.default_audio) is not None and len(usable) > 1:
        number = info.audio.index(used) + 1
        parts.append(f"audio stream {_name(number, used)} of {_listed(info)} (--audio-stream)")
    return ascii_safe(" and ".join(parts))


def _listed(info: VideoInfo) -> str:
    return ", ".join(_name(number, track) for number, track in enumerate(info.audio, 1))


def _name(number: int, track: AudioInfo) -> str:
    return f"{number} {track.language}" if track.language not in ("", "und") else str(number)
