from tests.speech_models import face_mesh, speech_weights, voice_activity

__all__ = ["face_mesh", "speech_weights", "voice_activity"]
