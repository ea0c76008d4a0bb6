from tests.material.gpu_stand_ins import fake_nvdec
from tests.material.real_models import (
    facenet_graph,
    model_settings,
    models,
    models_cache,
    net_files,
    sface_graph,
)

__all__ = [
    "facenet_graph",
    "fake_nvdec",
    "model_settings",
    "models",
    "models_cache",
    "net_files",
    "sface_graph",
]
