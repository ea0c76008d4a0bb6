"""Channel layouts: reading a track's layout safely, and mixing its channels to mono, stereo or 5.1.

PyAV 17.1 to 18.1 frees the channel map of a layout of libav's "custom" order twice: an `AudioLayout` shares the map of
the codec context or frame that it was read from, and both free it. This happens on every access to `.layout` or
`.channels` of a codec context, on the `repr` of a stream, and for every decoded frame (a frame reads its own layout).
Layouts of the other orders have no map. So nothing else in the program reads the layout of a source's codec context:
`read_layout` does it once, and puts a layout without a map in its place before the decoder is opened.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from itertools import pairwise

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler
from av.filter import Graph

_SPEAKERS = (
    "FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR", "TC", "TFL", "TFC", "TFR", "TBL", "TBC", "TBR",
    "WL", "WR", "LFE2", "TSL", "TSR", "BFC", "BFL", "BFR", "SSL", "SSR", "TTL", "TTR",
)  # fmt: skip
"""libav's names of speaker positions, in the order of its native layouts"""
_PAIRS = (
    ("FL", "FR"), ("BL", "BR"), ("FLC", "FRC"), ("SL", "SR"), ("TFL", "TFR"), ("TBL", "TBR"), ("WL", "WR"),
    ("TSL", "TSR"), ("BFL", "BFR"), ("SSL", "SSR"), ("TTL", "TTR"),
)  # fmt: skip
_LEFT, _RIGHT = (frozenset(side) for side in zip(*_PAIRS, strict=True))
_MINUS_3_DB = "0.7071"
_UNUSED, _NO_LABEL = "UNSD", ("NONE", "UNK")
_AMBISONIC_OMNI = "AMBI0"

_GUESSED_COUNTS = (1, 2, 3, 5, 6, 7, 8)
"""counts of unlabelled channels that are taken for mono, stereo, 2.1, 5.0, 5.1, 6.1 and 7.1, as players do. Four are
more likely the independent inputs of a camera than front, centre and back; nine and more are a recorder's tracks"""
_UNLIMITED = "1000"
"""swresample scales a mix down if sums could exceed this gain. With a limit this high the front channels keep their
level, the others are added at the usual -3 dB (ITU-R BS.775), and rare peaks are clipped"""


@dataclass(frozen=True, slots=True)
class ChannelMix:
    """How the channels of a layout are used.

    channels: of the result; 1 (mono), 2 (stereo) or 6 (5.1). selection: arguments of libav's `pan` filter that select
    and order the channels to be mixed; "" for all of them as they are.
    """

    channels: int
    selection: str


def read_layout(context: AudioCodecContext) -> str:
    """Describe the layout of a source's codec context, and make the context safe to use.

    Must be called before anything else reads the layout, and before the decoder is opened; a second call is harmless
    but may find less. Returns libav's name ("stereo"), the labels joined by "+" ("FL+FR+UNSD+UNSD"), "9 channels"
    without labels, or "" if the channels are not known yet.
    """
    shared = context.layout
    count = shared.nb_channels
    if count <= 0:
        return ""
    unlabelled = f"{count} channels"
    harmless = unlabelled
    try:
        name = shared.name
        text = "+".join(channel.name for channel in shared.channels) if "+" in name else name
        if AudioLayout(text).nb_channels != count:
            return unlabelled
        if text == name and not channel_mix(text).selection:
            harmless = name
        return text
    except (ValueError, RuntimeError):
        return unlabelled
    finally:
        # `shared` frees the map; from here on the context has none.
        context.layout = harmless
        del shared


@functools.lru_cache(maxsize=256)
def channel_mix(layout: str) -> ChannelMix:
    """How to mix a layout that `read_layout` described.

    Labelled speakers are mixed by their positions, six or more to 5.1, fewer to stereo. Where labels do not describe a
    balanced set of speakers, the front pair is used with the other speakers added to their sides, or else the first
    two channels that are in use; of ambisonic audio the omnidirectional channel.

    Raises:
        ValueError: not a layout.
    """
    names = [channel.name for channel in AudioLayout(layout).channels]
    used = [index for index, name in enumerate(names) if name != _UNUSED] or list(range(len(names)))
    labels = [names[index] for index in used]
    if _AMBISONIC_OMNI in labels:
        return _ambisonic(names)
    if len(used) == len(names) and all(label in _NO_LABEL for label in labels):
        if len(used) in _GUESSED_COUNTS:
            return ChannelMix(_mixed_channels(len(used), has_pair=len(used) > 1), "")
    elif _are_speakers(labels):
        return _speakers(names, used)
    if "FL" in labels and "FR" in labels:
        return _by_sides(names)
    return _picked(used[:2])


def _mixed_channels(count: int, *, has_pair: bool) -> int:
    return 6 if count >= 6 else 2 if has_pair else 1


def _picked(indexes: list[int]) -> ChannelMix:
    layout = "mono" if len(indexes) == 1 else "stereo"
    return ChannelMix(len(indexes), "|".join([layout, *(f"c{n}=c{index}" for n, index in enumerate(indexes))]))


def _by_sides(names: list[str]) -> ChannelMix:
    """Stereo of speakers that swresample cannot mix because a left one lacks its right one, or the reverse.

    As in its own mixes, the front pair keeps its level and every other speaker is added at -3 dB: to its side, or to
    both. Of several channels with one label the first counts; low-frequency effects are left out.
    """
    left, right = [f"c{names.index('FL')}"], [f"c{names.index('FR')}"]
    for name in dict.fromkeys(names):
        if name in ("FL", "FR") or name not in _SPEAKERS or name.startswith("LFE"):
            continue
        term = f"{_MINUS_3_DB}*c{names.index(name)}"
        if name not in _RIGHT:
            left.append(term)
        if name not in _LEFT:
            right.append(term)
    return ChannelMix(2, f"stereo|c0={'+'.join(left)}|c1={'+'.join(right)}")


def _ambisonic(names: list[str]) -> ChannelMix:
    omni = f"c{names.index(_AMBISONIC_OMNI)}"
    if "FL" in names and "FR" in names:  # head-locked stereo beside the ambisonic channels
        return ChannelMix(2, f"stereo|c0={omni}+c{names.index('FL')}|c1={omni}+c{names.index('FR')}")
    return ChannelMix(1, f"mono|c0={omni}")


def _are_speakers(labels: list[str]) -> bool:
    """Whether swresample can mix them: each once, left and right balanced, something in front."""
    found = set(labels)
    return (
        len(found) == len(labels)
        and found <= set(_SPEAKERS)
        and all((left in found) == (right in found) for left, right in _PAIRS)
        and ("FL" in found or "FC" in found)
    )


def _speakers(names: list[str], used: list[int]) -> ChannelMix:
    ordered = sorted(used, key=lambda index: _SPEAKERS.index(names[index]))
    channels = _mixed_channels(len(used), has_pair="FL" in names)
    if ordered == list(range(len(names))):
        return ChannelMix(channels, "")
    native = "+".join(names[index] for index in ordered)
    return ChannelMix(channels, "|".join([native, *(f"c{n}=c{index}" for n, index in enumerate(ordered))]))


class ChannelMixer:
    """Converts frames of one shape (format, layout, rate) to 16 bits, another rate and other channels."""

    def __init__(self, track_layout: str, target_layout: str, rate_hz: int) -> None:
        """track_layout: from `read_layout`, for frames that have no labels themselves.

        target_layout: mono, stereo or 5.1. rate_hz: of the result.
        """
        self._track_layout = track_layout
        self._target_layout = target_layout
        self._rate_hz = rate_hz
        self._resampler: AudioResampler | None = None
        self._graph: Graph | None = None

    def convert(self, frame: av.AudioFrame | None) -> list[av.AudioFrame]:
        """The frames that are ready, interleaved s16; None flushes, after which no frame may follow.

        Raises:
            av.FFmpegError, ValueError: these channels cannot be converted.
        """
        if self._resampler is None and self._graph is None:
            if frame is None:
                return []
            self._set_up(frame)
        if self._resampler is not None:
            return self._resampler.resample(frame)
        assert self._graph is not None
        self._graph.push(frame)
        converted: list[av.AudioFrame] = []
        while True:
            try:
                piece = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return converted
            assert isinstance(piece, av.AudioFrame)
            converted.append(piece)

    def _set_up(self, frame: av.AudioFrame) -> None:
        name, count = frame.layout.name, frame.layout.nb_channels
        described = name
        if name == f"{count} channels" and self._track_layout:
            described = self._track_layout if AudioLayout(self._track_layout).nb_channels == count else name
        selection = channel_mix(described).selection
        if described != name and not selection:
            selection = "|".join([described, *(f"c{n}=c{n}" for n in range(count))])
        if count == 1 and self._target_layout == "stereo":
            selection = "stereo|c0=c0|c1=c0"  # swresample would take 3 dB off
        same = self._target_layout == "5.1" and described in ("5.1", "5.1(side)", "6 channels")
        if not selection and (count <= 2 or same):
            self._resampler = AudioResampler(format="s16", layout=self._target_layout, rate=self._rate_hz)
            return
        graph = Graph()
        source = {"sample_rate": str(frame.sample_rate), "sample_fmt": frame.format.name, "channel_layout": name}
        target = {"sample_rates": str(self._rate_hz), "sample_fmts": "s16", "channel_layouts": self._target_layout}
        chain = [graph.add("abuffer", **source)]
        if selection:
            chain.append(graph.add("pan", selection))
        chain.append(graph.add("aresample", rematrix_maxval=_UNLIMITED))
        chain.append(graph.add("aformat", **target))
        chain.append(graph.add("abuffersink"))
        for before, after in pairwise(chain):
            before.link_to(after)
        graph.configure()
        self._graph = graph
