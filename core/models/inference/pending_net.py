"""A network that can be passed around before it is compiled."""

from __future__ import annotations

from core.models.inference.nets import Images, Net
from core.types import FloatArray
from utils.processes.work_ahead import MadeOnce


class PendingNet:
    """A `Net` whose first call waits until it is compiled.

    Attributes:
        compiled: the network itself.
    """

    def __init__(self, compiled: MadeOnce[Net]) -> None:
        self.compiled = compiled

    def __call__(self, images: Images) -> tuple[FloatArray, ...]:
        """As the call of the network; raises what compiling it raises, too."""
        return self.compiled.get()(images)
