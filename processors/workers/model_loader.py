"""Loads the models of a run and checks the tools, once for all videos."""

from __future__ import annotations

import contextlib
import importlib
import logging
from typing import TYPE_CHECKING

from config import Settings
from core.errors import ModelError, PipelineError
from core.media.h264_encoder import choose_encoder
from utils.processes.helper_threads import helper_thread
from utils.processes.stage_times import timed

if TYPE_CHECKING:
    # Importing it at run time takes seconds, and a run over finished inputs needs no model.
    from core.model_manager import ModelManager

logger = logging.getLogger(__name__)

_ANALYZER = "processors.face_analyzer"
"""imported by name: videos with a stored analysis do not need it"""
_COMMON_HEIGHT_PX = 1080
"""of videos, for a trial of the encoder before any is open; with `--size source`, rendering tries the real size"""


@timed("models")
def load_models(settings: Settings) -> ModelManager:
    """Load the models and everything else that every video needs, so that what is missing is reported at once.

    Raises:
        ToolMissingError: there is no ffmpeg, it lacks the encoder that the settings demand, or the package for an
            export is not installed.
        ModelError: weights, packages or the device are missing or do not fit together.
    """
    if "otio" in settings.output.export:
        from processors.extras.exporters.otio import require_otio

        require_otio()
    clip = settings.clip.sized_for(_COMMON_HEIGHT_PX)
    choose_encoder(settings.encode.codec, *clip.frame_size)
    hint = "python -m pip install -r requirements.txt -c constraints.txt"
    # Importing the analyzer takes 0.4 s, which loading the networks spends half waiting.
    importing = helper_thread(_import_analyzer, name="import")
    importing.start()
    try:
        from core.model_manager import ModelManager

        models = ModelManager.instance(settings)
        logger.info("%s", models.device_line)
        logger.debug("networks: %r, %r", models.detector, models.embedder)
        importlib.import_module(_ANALYZER)
        return models
    except PipelineError:
        raise
    except ImportError as error:
        raise ModelError(f"a package is missing or broken: {error}", stage="models", hint=hint) from error
    except Exception as error:
        # Mismatched releases of torch and torchvision raise RuntimeError, a broken library raises OSError.
        pair = "; torch and torchvision must be of matching releases" if "torchvision" in str(error) else ""
        raise ModelError(f"the networks cannot be loaded: {error}{pair}", stage="models", hint=hint) from error
    finally:
        importing.join()


def _import_analyzer() -> None:
    # Errors are reported by the import that needs the module.
    with contextlib.suppress(Exception):
        importlib.import_module(_ANALYZER)
