"""The decision between faces, on mouths and audio that are made of numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.speech.speaker_decision import RIVAL_WEIGHT, SYNC_MARGIN, against_rivals, decide, lip_sync
from processors.speech.speech_signal import movement_log_odds, network_log_odds, quick_movement, running_mean, voiced

FRAMES = 300


def syllables(seed: int, frames: int = FRAMES) -> NDArray[np.float64]:
    """Something like the opening of a talking mouth: irregular, mostly between 1 and 5 Hz, in heights of the face."""
    noise = np.random.default_rng(seed).normal(0, 1, frames + 30)
    smooth = np.convolve(noise, np.hanning(7), "same")[15:-15]
    return np.asarray(0.05 + 0.02 * smooth / smooth.std())


def test_running_mean_is_centred_and_leaves_gaps_out() -> None:
    values = np.array([0.0, 0, 3, np.nan, 0, 0])
    assert np.allclose(running_mean(values, 3), [0, 1, 1.5, np.nan, 0, 0], equal_nan=True)


def test_lip_sync_tells_the_talker_from_another() -> None:
    energy = 100 * syllables(1)
    opening = np.stack([syllables(1), syllables(9), np.full(FRAMES, np.nan)])
    sync = lip_sync(opening, energy, np.ones(FRAMES))
    middle = slice(75, -75)
    assert sync[0, middle].min() > sync[1, middle].max() + 2 * SYNC_MARGIN and (sync[2] == 0).all()


def test_audio_a_little_late_is_still_in_sync_and_half_a_second_is_not() -> None:
    opening, voice = syllables(3)[None], np.ones(FRAMES)
    late, out = (np.roll(100 * syllables(3), -shift) for shift in (3, 12))
    assert lip_sync(opening, late, voice)[0, 150] > 1 > 0.5 > lip_sync(opening, out, voice)[0, 150]


def test_of_two_faces_that_seem_to_speak_for_long_the_synchronous_one_speaks() -> None:
    opening = np.stack([syllables(1), syllables(9)])
    decided = decide(np.full((2, FRAMES), 5.0), opening, 100 * syllables(1), np.ones(FRAMES), use_sync=False)
    assert (decided[0] > 0).all() and (decided[1, 75:-75] < 0).all()


def test_short_overlaps_are_left_alone() -> None:
    own = np.full((2, FRAMES), -5.0)
    own[0], own[1, 120:160] = 5.0, 5.0
    opening = np.stack([syllables(1), syllables(9)])
    decided = decide(own, opening, 100 * syllables(1), np.ones(FRAMES), use_sync=False)
    assert (decided[1, 120:160] > 0).all()


def test_two_that_are_both_in_sync_may_both_speak() -> None:
    opening = np.stack([syllables(1), np.roll(syllables(1), 1)])
    decided = decide(np.full((2, FRAMES), 5.0), opening, 100 * syllables(1), np.ones(FRAMES), use_sync=False)
    assert (decided > 0).all()


def test_a_listener_who_moves_less_than_the_speaker_is_silent_without_a_network() -> None:
    """Both would be speaking by themselves; with a network that saw the audio, each face is judged by its own score."""
    opening = np.stack([syllables(1), syllables(9)])
    own = np.stack([np.full(FRAMES, 4.0), np.full(FRAMES, 0.5)])
    voice = np.ones(FRAMES)
    alone = decide(own[1:], opening[1:], 100 * syllables(5), voice, use_sync=True)
    together = decide(own, opening, 100 * syllables(5), voice, use_sync=True)
    assert (alone > 0).mean() > 0.3 and (together[1] < 0).all() and (together[0] > 0).all()


def test_only_the_best_other_face_counts_and_only_what_it_is_ahead_by() -> None:
    own = np.array([[3.0], [1.0], [-2.0]]).repeat(FRAMES, axis=1)
    found = against_rivals(own)
    assert np.allclose(found[:, 0], [3, 1 - 2 * RIVAL_WEIGHT, -2 - 4 * RIVAL_WEIGHT])
    assert np.allclose(against_rivals(own[:1]), own[:1])


def test_a_face_that_has_left_is_not_a_rival() -> None:
    own = np.full((2, FRAMES), 1.0)
    own[0, :100], own[0, 100:] = 5.0, np.nan
    found = against_rivals(own)
    assert (found[1, :100] < 0).all() and (found[1, 100:] == 1).all() and np.isnan(found[0, 100:]).all()


def test_nobody_speaks_without_a_voice() -> None:
    decided = decide(np.full((1, FRAMES), 9.0), syllables(1)[None], 100 * syllables(1), np.zeros(FRAMES), use_sync=True)
    assert (decided < 0).all()


def test_a_face_that_is_away_stays_unknown() -> None:
    own = np.full((1, FRAMES), 4.0)
    own[0, :50] = np.nan
    decided = decide(own, np.where(np.isnan(own), np.nan, syllables(1)), syllables(1), np.ones(FRAMES), use_sync=True)
    assert np.isnan(decided[0, :50]).all() and np.isfinite(decided[0, 50:]).all()


def test_slow_movements_are_not_speech() -> None:
    yawn = 0.15 * (1 - np.cos(np.arange(FRAMES) / 25 * 2 * np.pi * 0.3))
    assert (movement_log_odds(syllables(1)[None]) > 0).mean() > 0.95
    assert quick_movement(yawn[None], 13).max() < 2.4e-3
    assert (movement_log_odds(yawn[None])[0, 10:-10] < 0).all()


def test_a_shut_mouth_does_not_speak_whatever_the_network_says() -> None:
    shut = 0.01 + np.random.default_rng(0).normal(0, 2e-4, (1, FRAMES))
    assert (network_log_odds([np.full((1, FRAMES), 8.0)], shut) < 0).all()
    assert (network_log_odds([np.full((1, FRAMES), 8.0)], syllables(1)[None]) > 0).all()


def test_voice_activity_is_smoothed_before_it_decides() -> None:
    voice = np.ones(50)
    voice[20:22] = 0
    assert (voiced(voice) > 0).all()
