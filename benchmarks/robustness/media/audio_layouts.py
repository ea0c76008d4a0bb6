"""Channel layouts of all orders and of 1 to 16 channels in the usual codecs, and unknown codecs."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.robustness.media import atoms
from benchmarks.robustness.media.atoms import (
    AMBISONIC_W,
    CENTRE,
    CENTRE_SURROUND,
    COORDINATES,
    DISCRETE_0,
    HEADPHONES_LEFT,
    HEADPHONES_RIGHT,
    HOA_0,
    LEFT,
    LEFT_CENTRE,
    LEFT_SIDE,
    LEFT_SURROUND,
    LEFT_TOTAL,
    LFE,
    MID,
    MONO,
    RIGHT,
    RIGHT_CENTRE,
    RIGHT_SIDE,
    RIGHT_SURROUND,
    RIGHT_TOTAL,
    SIDE,
    TOP_LEFT,
    TOP_RIGHT,
    UNKNOWN,
    UNUSED,
)
from benchmarks.robustness.media.case import ANY_LEVEL_DB, Expected, MediaCase
from benchmarks.robustness.media.film import (
    H264,
    MPEG2,
    MPEG4,
    Film,
    audio_input,
    film_input,
    frame_times,
    tone_hz,
    tones,
)
from tests.material.fault_material import run_ffmpeg

KIND = "channel layouts"
FILM = Film(frames=40)
HEARD = (LEFT, RIGHT, CENTRE, LEFT_TOTAL, RIGHT_TOTAL, HEADPHONES_LEFT, HEADPHONES_RIGHT, MONO)
"""labels of channels that belong in any mix"""
LOUD_DB = -4.0
"""minimum level of used channels if the others of the track are unused"""
SHUFFLES = 10

LABELLED: dict[str, tuple[int, ...]] = {
    "L R": (LEFT, RIGHT),
    "R L": (RIGHT, LEFT),
    "L L": (LEFT, LEFT),
    "R R": (RIGHT, RIGHT),
    "C": (CENTRE,),
    "L": (LEFT,),
    "mono": (MONO,),
    "unknown": (UNKNOWN,),
    "unused unused": (UNUSED, UNUSED),
    "unused L": (UNUSED, LEFT),
    "C C": (CENTRE, CENTRE),
    "mono mono": (MONO, MONO),
    "Lt Rt": (LEFT_TOTAL, RIGHT_TOTAL),
    "headphones": (HEADPHONES_LEFT, HEADPHONES_RIGHT),
    "mid side": (MID, SIDE),
    "coordinates": (COORDINATES, COORDINATES),
    "discrete 0 1": (DISCRETE_0, DISCRETE_0 + 1),
    "unknown unknown": (UNKNOWN, UNKNOWN),
    "L R L R": (LEFT, RIGHT, LEFT, RIGHT),
    "L R unused unused": (LEFT, RIGHT, UNUSED, UNUSED),
    "unused unused L R": (UNUSED, UNUSED, LEFT, RIGHT),
    "unused L unused R": (UNUSED, LEFT, UNUSED, RIGHT),
    "L R C unused": (LEFT, RIGHT, CENTRE, UNUSED),
    "discrete 3 2 1 0": tuple(DISCRETE_0 + i for i in (3, 2, 1, 0)),
    "W X Y Z": tuple(AMBISONIC_W + i for i in range(4)),
    "HOA 0 to 3": tuple(HOA_0 + i for i in range(4)),
    "HOA 3 to 0": tuple(HOA_0 + i for i in (3, 2, 1, 0)),
    "C L R Ls Rs LFE": (CENTRE, LEFT, RIGHT, LEFT_SURROUND, RIGHT_SURROUND, LFE),
    "Rs Ls LFE C R L": (RIGHT_SURROUND, LEFT_SURROUND, LFE, CENTRE, RIGHT, LEFT),
    "L R and six unused": (LEFT, RIGHT, *(UNUSED,) * 6),
    "sixteen discrete": tuple(DISCRETE_0 + i for i in range(16)),
}
"""by name, the labels of a track's channels in order"""
TAGGED = {
    "stereo": (101 << 16 | 2, (0, 1)),
    "C L R Ls Rs LFE": (124 << 16 | 6, (0, 1, 2)),
    "L R Ls Rs C LFE": (122 << 16 | 6, (0, 1, 4)),
    "HOA": (190 << 16 | 4, (0,)),
    "discrete": (147 << 16 | 5, (0, 1)),
}
"""by name, Apple's tag of a whole layout, and which channels must be heard"""
_SHUFFLED = (
    LEFT, RIGHT, CENTRE, LFE, LEFT_SURROUND, RIGHT_SURROUND, LEFT_CENTRE, RIGHT_CENTRE, CENTRE_SURROUND, LEFT_SIDE,
    RIGHT_SIDE, TOP_LEFT, TOP_RIGHT,
)  # fmt: skip
_AAC_PCE = ("2.1", "3.0(back)", "quad", "5.0(side)", "6.1", "7.0(front)", "octagonal")
"""layouts that ffmpeg's AAC encoder describes by a program config element"""
_AAC_PLACES = (("quad", 2, 0, 0), ("quad", 0, 0, 2), ("octagonal", 3, 0, 2), ("octagonal", 2, 2, 1), ("6.1", 1, 0, 3))
"""layouts with changed counts of front, side and back elements"""
_FLAC = ("mono", "2.1", "quad", "5.0", "5.1(side)", "6.1(back)", "7.1(wide)")
_AC3 = ("mono", "3.0", "2.1", "quad(side)", "4.0", "5.1(side)")
_EARS = {"mono": (0,), "3.0(back)": (0, 1)}
"""channels of named layouts that must be audible, if not the first two"""


def cases(folder: Path) -> Iterator[MediaCase]:
    yield from _labelled(folder)
    yield from _shuffled(folder)
    for count in range(1, 17):
        yield _case(folder, f"pcm of {count}", "mov", count, *H264, "-c:a", "pcm_s16le")
        yield _case(folder, f"pcm of {count}", "mkv", count, *H264, "-c:a", "pcm_s16le")
    for count in (3, 5, 8, 9, 12, 16):
        # Matroska stores this with a WAVE header that has a channel mask.
        yield _case(folder, f"wave header of {count}", "mkv", count, *H264, "-c:a", "pcm_mulaw")
    for count in (1, 2, 3, 4, 6, 8, 11, 16):
        yield _case(folder, f"pcm of {count}", "mxf", count, *MPEG2, "-c:a", "pcm_s16le")
    for count in (4, 6, 7):
        yield _case(folder, f"pcm of {count}", "avi", count, *MPEG4, "-c:a", "pcm_s16le")
    for layout in _AAC_PCE:
        yield _case(folder, f"aac {layout}", "mp4", layout, *H264, "-c:a", "aac", "-aac_pce", "1", "-b:a", "384k")
    for layout, *places in _AAC_PLACES:
        name = f"aac {layout} as {'-'.join(map(str, places))}"
        expected = Expected(frames=FILM.frames, tones=(tone_hz(0), tone_hz(1)), any_tone=True)
        write = partial(placed_aac, layout=layout, places=places)
        yield MediaCase(KIND, f"{name} in mp4", folder / f"{name.replace(' ', '_')}.mp4", expected, write)
    yield _case(folder, "aac 5.1(side) with config", "ts", "5.1(side)", *H264, "-c:a", "aac", "-aac_pce", "1")
    yield _case(folder, "aac octagonal", "mkv", "octagonal", *H264, "-c:a", "aac", "-aac_pce", "1")
    for layout in _FLAC:
        yield _case(folder, f"flac {layout}", "mkv", layout, *H264, "-c:a", "flac")
    yield _case(folder, "flac quad", "mp4", "quad", *H264, "-c:a", "flac", "-strict", "-2")
    for layout in _AC3:
        yield _case(folder, f"ac3 {layout}", "ts", layout, *H264, "-c:a", "ac3")
    yield _case(folder, "ac3 quad(side)", "mov", "quad(side)", *H264, "-c:a", "ac3")
    for layout in ("3.0", "6.1"):
        yield _case(folder, f"opus {layout}", "webm", layout, *_VP8, "-c:a", "libopus", "-mapping_family", "1")
    for count in (3, 9, 13, 16):
        yield _case(folder, f"opus apart of {count}", "mkv", count, *H264, "-c:a", "libopus", "-mapping_family", "255")
    for extension, codec, unknown in (
        ("mp4", b"mp4a", b"ac-4"),
        ("mov", b"mp4a", b"zzzz"),
        ("mkv", b"A_AAC", b"A_XYZ"),
    ):
        # It cannot be decoded, so a warning is due.
        name = f"audio of an unknown codec in {extension}"
        expected = Expected(frames=FILM.frames, tones=(tone_hz(0),))
        write = partial(undecodable, codec=codec, unknown=unknown)
        yield MediaCase(KIND, name, folder / f"unknown_codec.{extension}", expected, write)
    for order in (1, 2, 3):
        # Channel 0 is omnidirectional, the others are differences.
        expected = Expected(frames=FILM.frames, tones=(tone_hz(0),))
        write = partial(ambisonic_opus, order=order)
        yield MediaCase(KIND, f"opus ambisonic {order}", folder / f"ambisonic_{order}.mkv", expected, write)


_VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M")


def ambisonic_opus(path: Path, order: int) -> Path:
    """Opus whose header says that its channels are ambisonic (mapping family 2)."""
    _encode(path, (order + 1) ** 2, (*H264, "-c:a", "libopus", "-mapping_family", "255"))
    data = bytearray(path.read_bytes())
    head = data.index(b"OpusHead")
    data[head + 18] = 2
    path.write_bytes(data)
    return path


def undecodable(path: Path, codec: bytes, unknown: bytes) -> Path:
    """AAC under another codec's name."""
    _encode(path, 2, (*H264, "-c:a", "aac"))
    data = path.read_bytes()
    begin = 0 if path.suffix == ".mkv" else atoms.find(data, b"moov").begin
    # `esds` would identify the codec as well.
    head = data[begin:].replace(codec, unknown).replace(b"esds", b"free")
    path.write_bytes(data[:begin] + head)
    return path


def placed_aac(path: Path, layout: str, places: Sequence[int]) -> Path:
    """AAC whose program config element has other counts of front, side and back elements."""
    _encode(path, layout, (*H264, "-c:a", "aac", "-aac_pce", "1", "-b:a", "384k"))
    path.write_bytes(atoms.with_elements(path.read_bytes(), *places))
    return path


def labelled_movie(
    path: Path,
    labels: Sequence[int],
    codec: str = "pcm_s16le",
    channels: int = 0,
    tag: int = atoms.USE_DESCRIPTIONS,
) -> Path:
    """A QuickTime movie with these channel labels. channels: their number, default: one per label."""
    count = channels or len(labels)
    _encode(path, count, (*H264, "-c:a", codec, "-f", "mov"))
    path.write_bytes(atoms.with_channels(path.read_bytes(), labels, tag))
    return path


def _labelled(folder: Path) -> Iterator[MediaCase]:
    for name, labels in LABELLED.items():
        write = partial(labelled_movie, labels=labels)
        yield MediaCase(KIND, f"labels {name}", _movie(folder, name), expected_of(labels), write)
    for name, labels, channels in (("fewer", (LEFT,), 2), ("more", (LEFT, RIGHT, CENTRE, LFE), 2), ("none", (), 2)):
        write = partial(labelled_movie, labels=labels, channels=channels)
        yield MediaCase(KIND, f"{name} labels than channels", _movie(folder, name), _known(channels), write)
    for name, (tag, ears) in TAGGED.items():
        write = partial(labelled_movie, labels=(), channels=tag & 0xFFFF, tag=tag)
        expected = Expected(frames=FILM.frames, tones=tuple(map(tone_hz, ears)))
        yield MediaCase(KIND, f"layout tag of {name}", _movie(folder, f"tag {name}"), expected, write)
    for codec in ("pcm_s24le", "aac"):
        write = partial(labelled_movie, labels=(RIGHT, LEFT), codec=codec)
        yield MediaCase(KIND, f"labels R L of {codec}", _movie(folder, f"R L {codec}"), _known(2), write)


def _shuffled(folder: Path) -> Iterator[MediaCase]:
    """Random labels in random order, some unused; left and right are always among them."""
    rng = random.Random(11)
    for number in range(SHUFFLES):
        count = 3 + number % 8
        labels = [LEFT, RIGHT, *rng.sample(_SHUFFLED[2:], count - 2)]
        labels = [label if label in (LEFT, RIGHT) or rng.random() < 0.7 else UNUSED for label in labels]
        rng.shuffle(labels)
        write = partial(labelled_movie, labels=labels)
        yield MediaCase(KIND, f"labels {labels}", _movie(folder, f"shuffled {number}"), expected_of(labels), write)


def _movie(folder: Path, name: str) -> Path:
    return folder / f"channels_{name.replace(' ', '_')}.mov"


def expected_of(labels: Sequence[int]) -> Expected:
    """The channels that must be audible: left, right and centre, else the first two used ones."""
    fronts = [next((i for i, label in enumerate(labels) if label == wanted), None) for wanted in HEARD]
    found = sorted(i for i in fronts if i is not None)
    used = [i for i, label in enumerate(labels) if label != UNUSED]
    chosen = found or used[:2] or list(range(len(labels)))
    only = set(labels) <= {LEFT, RIGHT, UNUSED} and LEFT in labels and RIGHT in labels
    level_db = LOUD_DB if only else ANY_LEVEL_DB
    return Expected(frames=FILM.frames, tones=tuple(map(tone_hz, chosen)), any_tone=not found, level_db=level_db)


def _known(channels: int) -> Expected:
    return Expected(frames=FILM.frames, tones=tuple(map(tone_hz, range(min(channels, 2)))))


def _case(folder: Path, name: str, extension: str, layout: int | str, *options: str) -> MediaCase:
    path = folder / f"{name.replace(' ', '_')}.{extension}"
    ears = _EARS.get(str(layout), range(2 if layout != 1 else 1))
    expected = Expected(frames=FILM.frames, tones=tuple(map(tone_hz, ears)))
    write = partial(_encode, layout=layout, options=options)
    return MediaCase(KIND, f"{name} in {extension}", path, expected, write)


def _encode(path: Path, layout: int | str, options: Sequence[str]) -> None:
    count = layout if isinstance(layout, int) else CHANNELS[layout]
    times = frame_times(FILM.frames)
    audio = path.with_suffix(".s16")
    heard = tones(times, times[-1] + 0.04, count)
    inputs = (
        *film_input(path.parent, FILM),
        *audio_input(audio, heard, layout=layout if isinstance(layout, str) else ""),
    )
    run_ffmpeg(path, *inputs, *options)
    audio.unlink()


CHANNELS = {
    "mono": 1, "2.1": 3, "3.0": 3, "3.0(back)": 3, "quad": 4, "quad(side)": 4, "4.0": 4, "5.0": 5, "5.0(side)": 5,
    "5.1(side)": 6, "6.1": 7, "6.1(back)": 7, "7.0(front)": 7, "7.1(wide)": 8, "octagonal": 8,
}  # fmt: skip
"""channels of ffmpeg's named layouts"""
