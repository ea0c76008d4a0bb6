from tests.material.real_models import model_settings, models, models_cache, net_files

__all__ = ["model_settings", "models", "models_cache", "net_files"]
