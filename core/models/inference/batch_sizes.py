"""The batch sizes that networks are run with: runtimes plan and allocate anew for every size that they see."""

from __future__ import annotations

BATCH_SIZES = (
    *(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256),
    *(384, 512, 768, 1024, 1536, 2048, 3072, 4096),
)
"""batches are filled up to these sizes: for a new one OpenVINO needs 20 ms and keeps 0.7 MB, and cuDNN plans anew"""


def padded_size(count: int) -> int:
    """The least of `BATCH_SIZES` that `count` images fit into; `count` itself if there are more."""
    return next((size for size in BATCH_SIZES if size >= count), count)
