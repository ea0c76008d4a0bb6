"""The recipe of a clip: a digest of everything that determines the bytes of its file, and of nothing else.

The person and the name of the file are not part of it, because the bytes do not depend on them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import msgspec

from config import EncodeSettings
from core.types import CropPath
from processors.clips.frame_effects import FrameEffect

CLIP_FORMAT = 2
"""to be raised whenever the same crop path and settings give other bytes than before"""


def clip_recipe(
    path: CropPath,
    encoder: str,
    effects: Sequence[FrameEffect],
    *,
    analysis_key: str,
    settings: EncodeSettings,
    timecode: str = "",
) -> str:
    """64 hexadecimal digits.

    encoder: as ffmpeg names it. analysis_key: stands for the video, its frame times and its audio. timecode: of the
    first frame, "" for none.
    """
    segment = path.segment
    facts = {
        "format": CLIP_FORMAT,
        "analysis": analysis_key,
        "encode": msgspec.to_builtins(settings),
        "encoder": encoder,
        "frames": [segment.shot, segment.start, segment.end],
        "size": [path.width, path.height],
        "visible": path.visible,
        "effects": [dict(effect.facts) for effect in effects],
    }
    if timecode:
        # Only then: clips of versions that did not know of timecode are as they would be made now.
        facts["timecode"] = timecode
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    digest.update(path.source_frames.tobytes())
    digest.update(path.windows.tobytes())
    return digest.hexdigest()
