"""Names of the statistics that say why nobody was found in a video.

Imports nothing, so that reporting them needs no networks.
"""

from __future__ import annotations

TURNED = "faces_when_turned"
"""degrees clockwise, from how players show the file, after which there are faces: 0, 90, 180 or 270"""

OVEREXPOSED, DARK = "faces_overexposed", "faces_dark"
"""1 where faces are seen in images with other tones"""

SMALL_FACES_PX = "small_faces_px"
"""median height, source px, of faces that are smaller than those searched for"""

SMALL_FACES_MIN_FACE = "small_faces_min_face"
"""the `min_face` with which a search of single frames finds them; 0 if none that is allowed does"""
