from tests.material.gpu_stand_ins import cpu_as_gpu, fake_nvdec
from tests.material.real_models import (
    facenet_graph,
    model_settings,
    models,
    models_cache,
    net_files,
    sface_graph,
)

__all__ = [
    "cpu_as_gpu",
    "facenet_graph",
    "fake_nvdec",
    "model_settings",
    "models",
    "models_cache",
    "net_files",
    "sface_graph",
]
