from tests.material.gpu_stand_ins import fake_nvdec
from tests.material.real_models import model_settings, models, models_cache, net_files

__all__ = ["fake_nvdec", "model_settings", "models", "models_cache", "net_files"]
