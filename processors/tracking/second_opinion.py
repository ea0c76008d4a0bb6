"""The interface through which the tracker has a doubtful detection checked."""

from __future__ import annotations

from collections.abc import Callable

from core.types import ByteArray, FloatArray

Confirmation = Callable[[ByteArray, FloatArray, FloatArray], bool]
"""(image, box (4,), landmarks (5, 2), both in its pixels) -> whether a second opinion sees a face there"""
