"""A manifest and a timeline for tests of pages and output folders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from processors.results.manifest import Manifest
from processors.results.timeline_file import TimelineFile

HOSTILE = """<img src=x onerror="document.title='pwned'">"><script>alert(1)</script>' onmouseover=alert(2) .mp4"""


def a_manifest(name: str = "a.mp4", person: str = "person_01") -> dict[str, Any]:
    """Two people in a video of 12.8 s; the first has two clips, the second was shown too briefly for one."""
    clip = {
        "person": person, "shot": 0, "start": 80, "end": 160, "frames": 80, "width": 512, "height": 512,
        "has_sound": True, "upscaled": 1.0, "repeated_frames": 0, "damaged_audio_packets": 0,
        "recipe": "23" * 32, "bytes": 5,
    }  # fmt: skip
    clips = [
        {**clip, "file": f"{person}/clip #1?.mp4", "start_s": 3.2, "end_s": 6.4},
        {
            **clip,
            "file": f"{person}/clip_2.mp4",
            "start_s": 7.0,
            "end_s": 12.8,
            "shot": 1,
            "start": 175,
            "end": 320,
            "has_sound": False,
        },
    ]
    files = [clip["file"] for clip in clips] + [f"{person}/face.jpg", "timeline.json", "tracks.csv", "report.html"]
    return {
        "schema": 2,
        "format": 1,
        "version": "0.1.0",
        "input": {"name": name, "size_bytes": 10, "sha256": "ab" * 32},
        "video": {
            "container": "mov", "codec": "h264", "pixel_format": "yuv420p", "width": 960, "height": 540,
            "coded_width": 960, "coded_height": 540, "rotation": 0, "sample_aspect_ratio": "1", "time_base": "1/30000",
            "frame_rate": "30000/1001", "frames": 384, "duration_s": 12.8, "interlaced": False, "color": {},
            "audio": [{"index": 1, "codec": "aac", "sample_rate_hz": 48000, "channels": 2, "start_s": 0.0}],
            "audio_used": 1,
        },
        "settings": {"clip": {"face_share": 0.45, "size": 512}, "identity": {"skip_still": False}},
        "models": {"device": "cpu", "embedder": {"name": "dlib", "sha256": "cd"}},
        "analysis": "ef" * 32,
        "timeline": {"sha256": "01" * 32, "edited": False},
        "shots": [
            {"index": 0, "transition": "start", "start_s": 0.0, "end_s": 6.4, "start": 0, "end": 192},
            {"index": 1, "transition": "cut", "start_s": 6.4, "end_s": 12.8, "start": 192, "end": 384},
        ],
        "people": [
            {
                "name": person, "still": False, "on_screen_s": 9.0, "tracklets": [0, 1], "clips": 2,
                "doubt": {
                    "doubtful": True, "similarity": 0.55, "part": [1], "nearest": "Zoë & co", "nearest_similarity": 0.4,
                },
                "segments": [
                    {"shot": 0, "start_s": 3.2, "end_s": 6.4, "start": 80, "end": 160, "tracklets": [0]},
                    {"shot": 1, "start_s": 7.0, "end_s": 12.8, "start": 175, "end": 320, "tracklets": [1, 0]},
                ],
            },
            {"name": "Zoë & co", "still": True, "on_screen_s": 0.4, "tracklets": [2], "segments": [], "clips": 0},
        ],
        "unknown": [3],
        "unknown_tracklets": [
            {
                "tracklet": 3, "shot": 0, "start_s": 5.0, "end_s": 5.2, "seen_s": 0.16, "face_px": 41.5,
                "quality": 0.12, "nearest": person, "nearest_similarity": 0.31,
            },
        ],
        "clips": clips,
        "extras": {},
        "files": [{"file": file, "bytes": 5} for file in files],
        "warnings": [f"a warning about {name}"],
        "decode_failures": 2,
        "statistics": {"analysis": {"full_detections": 7}, "identity": {}},
    }  # fmt: skip


def a_timeline() -> dict[str, Any]:
    """The timeline of the same video, with one unknown tracklet."""
    spans = [(0, 3.2, 6.4), (1, 7.0, 12.8), (2, 1.0, 1.4), (3, 5.0, 5.2)]
    tracklets = [{"id": i, "shot": 0, "start_s": start, "end_s": end} for i, start, end in spans]
    return {"schema": 2, "analysis": "ef" * 32, "people": [], "tracklets": tracklets}


def as_manifest(value: Mapping[str, Any]) -> Manifest:
    """What the program reads where manifest.json holds `value`."""
    return msgspec.convert(value, Manifest)


def as_timeline(value: Mapping[str, Any]) -> TimelineFile:
    """What the program reads where timeline.json holds `value`."""
    return msgspec.convert(value, TimelineFile)
