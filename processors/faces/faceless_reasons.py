"""Names of the statistics that say why nobody was found in a video.

Imports nothing, so that reporting them needs no networks.
"""

from __future__ import annotations

TURNED = "faces_when_turned"
"""degrees clockwise, from how players show the file, after which there are faces: 0, 90, 180 or 270"""

OVEREXPOSED, DARK = "faces_overexposed", "faces_dark"
"""1 where faces are seen in images with other tones"""
