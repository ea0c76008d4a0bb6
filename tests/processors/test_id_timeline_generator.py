import dataclasses
from dataclasses import replace
from fractions import Fraction
from typing import Any

import msgspec
import numpy as np
import pytest

from config import ClipSettings, IdentitySettings, SpeechSettings
from core.errors import ModelError
from processors.id_timeline_generator import IdTimelineGenerator
from processors.people.person_linker import identified
from tests.material import factories
from tests.material.factories import face_analysis, video_info

FPS = 25
DIMENSIONS = 128
HERE, THERE = (100, 100), (500, 120)


VIDEO = video_info(width=1280, height=720, time_base=Fraction(1, 1000), frame_rate=Fraction(FPS))


def analysis(tracklets, frames=None, cuts=(), embedder="facenet", pts=None):
    frames = frames or max((t.end for t in tracklets), default=0) + 10
    pts = 850 + 40 * np.arange(frames) if pts is None else pts
    return face_analysis(tracklets, video=VIDEO, pts=pts, cuts=cuts, embedder=embedder)


def faces(count, seed=7):
    vectors = np.random.default_rng(seed).standard_normal((count, DIMENSIONS))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def samples(face, cosine, count, seed):
    """Unit vectors at this cosine from `face`, in different directions."""
    rng = np.random.default_rng([seed, 11])
    noise = rng.standard_normal((count, len(face)))
    noise -= np.outer(noise @ face, face)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    return np.asarray(cosine * face + np.sqrt(1 - cosine**2) * noise, np.float32)


def tracklet(
    number, start, end, face=None, *, shot=0, at=HERE, cosine=0.93, count=6, quality=0.8, frames=None, moving=True
):
    frames = np.arange(start, end) if frames is None else np.asarray(frames)
    n = len(frames)
    rng = np.random.default_rng(number)
    wander = np.cumsum(rng.normal(0, 1.0, (n, 2)), axis=0) if moving else rng.normal(0, 0.2, (n, 2))
    corner = np.array(at) + wander - wander[0]
    boxes = np.concatenate([corner, corner + 80], axis=1).astype(np.float32)
    shape = np.array([[20, 30], [60, 30], [40, 50], [25, 65], [55, 65]], float)
    landmarks = corner[:, None] + shape + rng.normal(0, 2.0 if moving else 0.2, (n, 5, 2))
    embeddings = np.zeros((0, DIMENSIONS), np.float32) if face is None else samples(face, cosine, count, number)
    return factories.tracklet(
        number, frames, boxes, shot=shot, scores=0.99, landmarks=landmarks, embeddings=embeddings,
        sample_frames=frames[np.linspace(0, n - 1, len(embeddings)).astype(int)], sample_quality=quality,
    )  # fmt: skip


def timeline(case, identity=None, clip=None):
    return IdTimelineGenerator(identity or IdentitySettings(), clip or ClipSettings()).generate(case)


def groups(result):
    return [p.tracklets for p in result.people]


def test_nothing_at_all():
    for frames in (0, 50):
        empty = face_analysis(frames=frames, video=VIDEO)
        result = timeline(empty)
        assert result.people == ()
        assert result.unknown == ()
        assert result.segments == ()
        assert result.statistics["people"] == 0


def test_without_any_usable_face_nobody_is_made_up():
    result = timeline(analysis([tracklet(3, 0, 100), tracklet(4, 0, 100, at=THERE)]))
    assert result.people == ()
    assert result.unknown == (3, 4)


def test_people_are_numbered_by_first_appearance_not_by_track_number():
    a, b = faces(2)
    result = timeline(analysis([tracklet(1, 30, 90, a), tracklet(9, 0, 60, b, at=THERE)]))
    assert [p.name for p in result.people] == ["person_01", "person_02"]
    assert groups(result) == [(9,), (1,)]


def test_one_comes_back_after_minutes_in_another_shot():
    a, b = faces(2)
    case = analysis(
        [tracklet(1, 0, 100, a), tracklet(2, 120, 220, b, shot=1), tracklet(3, 6000, 6100, a, shot=2, at=THERE)],
        cuts=(110, 5000),
    )
    result = timeline(case)
    assert groups(result) == [(1, 3), (2,)]
    assert result.statistics["expirations"] == 2
    assert result.statistics["archive_hits"] == 1
    assert [(s.person, s.shot, s.start, s.end) for s in result.segments] == [
        ("person_01", 0, 0, 100),
        ("person_02", 1, 120, 220),
        ("person_01", 2, 6000, 6100),
    ]


def test_two_in_one_frame_stay_two_however_alike():
    twin = faces(1)[0]
    case = analysis([tracklet(1, 0, 100, twin), tracklet(2, 50, 150, twin, at=THERE)])
    assert groups(timeline(case)) == [(1,), (2,)]


def test_taking_turns_is_not_being_together():
    # Lives overlap, frames do not: one face that two tracks hold in turns.
    face = faces(1)[0]
    case = analysis([tracklet(1, 0, 0, face, frames=[*range(20), *range(40, 60)]), tracklet(2, 20, 40, face, at=THERE)])
    assert groups(timeline(case)) == [(1, 2)]


def test_person_split_online_is_merged_at_the_end():
    # The two looks are too different for the online match; two later tracklets lie between them and tie them.
    front, side = faces(2)
    between = front + side
    between /= np.linalg.norm(between)
    mixed = front + between
    mixed /= np.linalg.norm(mixed)
    mixed_2 = side + between
    mixed_2 /= np.linalg.norm(mixed_2)
    case = analysis(
        [
            tracklet(1, 0, 60, front, shot=0, cosine=0.98),
            tracklet(2, 100, 160, mixed_2, shot=1, at=THERE, cosine=0.98),
            tracklet(3, 200, 260, between, shot=2, cosine=0.98),
            tracklet(4, 300, 360, mixed, shot=3, at=THERE, cosine=0.98),
        ],
        cuts=(80, 180, 280),
    )
    result = timeline(case)
    assert result.statistics["new_identities"] == 2
    assert groups(result) == [(1, 2, 3, 4)]


def test_tracklet_given_to_the_wrong_person_moves():
    # Online the only person known is a, and b's first face is poor; later ones of b are clear.
    a, b = faces(2)
    blend = 0.75 * a + b
    blend /= np.linalg.norm(blend)
    case = analysis(
        [
            tracklet(1, 0, 60, a, shot=0, cosine=0.97),
            tracklet(2, 100, 160, blend, shot=1, cosine=0.97, at=THERE),
            tracklet(3, 200, 260, b, shot=2, cosine=0.97),
            tracklet(4, 300, 360, b, shot=3, cosine=0.97),
        ],
        cuts=(80, 180, 280),
    )
    result = timeline(case, IdentitySettings(same_person=0.3))
    assert groups(result) == [(1,), (2, 3, 4)]


def test_many_people_in_noise_are_distinguished():
    rng = np.random.default_rng(2)
    people = faces(6)
    tracklets, truth = [], {}
    for shot in range(20):
        for place, who in enumerate(rng.choice(6, 2, replace=False)):
            number = 10 * shot + place
            start = 100 * shot + 5 * place
            # every third tracklet is noisy: fewer and worse faces
            noisy = rng.random() < 0.33
            truth[number] = int(who)
            tracklets.append(
                tracklet(
                    number,
                    start,
                    start + 80,
                    people[who],
                    shot=shot,
                    at=(100 + 300 * place, 100),
                    cosine=0.82 if noisy else 0.95,
                    count=2 if noisy else 6,
                )
            )
    result = timeline(analysis(tracklets, cuts=[100 * k - 3 for k in range(1, 20)]))
    assert len(result.people) == 6
    for person in result.people:
        assert len({truth[t] for t in person.tracklets}) == 1
    assert result.unknown == ()


def test_eviction_does_not_lose_people():
    people = faces(6)
    tracklets = [
        tracklet(10 * lap + k, 100 * (6 * lap + k), 100 * (6 * lap + k) + 60, people[k], shot=6 * lap + k)
        for lap in range(2)
        for k in range(6)
    ]
    case = analysis(tracklets, cuts=[100 * k - 5 for k in range(1, 12)])
    result = timeline(case, IdentitySettings(active_people=2, active_seconds=1000))
    assert groups(result) == [(k, 10 + k) for k in range(6)]
    assert result.statistics["evictions"] == 10
    assert result.statistics["archive_hits"] == 6


def test_faceless_track_belongs_to_the_one_it_continues():
    a, b = faces(2)
    case = analysis(
        [
            tracklet(1, 0, 50, a),
            tracklet(2, 55, 70),
            tracklet(3, 72, 80),
            tracklet(4, 0, 100, b, at=THERE),
            tracklet(5, 60, 100, at=(900, 400)),
        ]
    )
    result = timeline(case)
    near = tracklet(2, 55, 70).boxes[0]
    assert np.abs(near - tracklet(1, 0, 50, a).boxes[-1]).max() < 20
    assert groups(result) == [(1, 2, 3), (4,)]
    assert result.unknown == (5,)


def test_faceless_track_does_not_jump_a_cut_or_a_long_gap():
    face = faces(1)[0]
    case = analysis([tracklet(1, 0, 50, face), tracklet(2, 50, 100, shot=1), tracklet(3, 180, 200, shot=1)], cuts=(50,))
    assert timeline(case).unknown == (2, 3)
    case = analysis([tracklet(1, 0, 50, face), tracklet(2, 77, 100)])
    assert timeline(case).unknown == (2,)
    case = analysis([tracklet(1, 0, 50, face), tracklet(2, 74, 100)])
    assert timeline(case).unknown == ()


def test_doubtful_face_in_the_right_place_is_the_same_person():
    face = faces(1)[0]
    doubtful = 0.7 * face + 0.8 * faces(2, seed=9)[0]
    doubtful /= np.linalg.norm(doubtful)
    split = analysis([tracklet(1, 0, 50, face), tracklet(2, 55, 120, doubtful, at=THERE)])
    assert len(timeline(split).people) == 2
    joined = analysis([tracklet(1, 0, 50, face), tracklet(2, 55, 120, doubtful)])
    assert groups(timeline(joined)) == [(1, 2)]


OTHER_CLIP_SETTINGS: dict[str, list[Any]] = {
    "min_clip": [0.0, 30.0],
    "merge_gap": [0.0, 0.5, 0.79, 1.0, 5.0],
    "max_clip": [0.0, 1.0],
    "min_time": [30.0],
    "padding": [0.0, 3.0],
    "aspect": ["9:16"],
    "size": [256, "720x720"],
    "framing": ["face", "bust"],
    "face_share": [0.8],
    "max_upscale": [1.0],
    "camera": ["follow", "locked"],
    "template": ["$PERSON-${CLIP_NUMBER}"],
}


@pytest.mark.parametrize("name", [field.name for field in msgspec.structs.fields(ClipSettings)])
def test_no_clip_setting_changes_who_is_who(name):
    # dlib's cosine of 0.93 alone is below even odds; that the second track continues the first decides it.
    face = faces(1)[0]
    other = 0.93 * face + np.sqrt(1 - 0.93**2) * np.roll(faces(2)[1], 1)
    other /= np.linalg.norm(other)
    case = analysis(
        [tracklet(1, 0, 50, face, cosine=1.0), tracklet(2, 70, 120, other, cosine=1.0), tracklet(3, 135, 150)],
        embedder="dlib",
    )
    assert 0.92 < face @ other < 0.94

    def people(clip):
        result = timeline(case, clip=clip)
        return groups(result), [(p.id, p.name, p.still) for p in result.people], result.unknown, result.statistics

    expected = people(ClipSettings())
    assert expected[0] == [(1, 2, 3)]
    for value in OTHER_CLIP_SETTINGS[name]:
        assert people(ClipSettings(**{name: value})) == expected


def test_a_track_is_not_continued_after_more_than_a_second_whatever_gaps_a_clip_may_have():
    face = faces(1)[0]
    case = analysis([tracklet(1, 0, 50, face), tracklet(2, 77, 100)])
    assert timeline(case, clip=ClipSettings(merge_gap=10)).unknown == (2,)


def test_contradicting_face_in_the_same_place_is_another_person():
    a, b = faces(2)
    case = analysis([tracklet(1, 0, 50, a), tracklet(2, 50, 120, b)])
    assert groups(timeline(case)) == [(1,), (2,)]


def test_weak_evidence_makes_no_person():
    a, b = faces(2)
    case = analysis([tracklet(1, 0, 100, a), tracklet(2, 50, 54, b, at=THERE)])
    assert groups(timeline(case)) == [(1,)]
    assert timeline(case).unknown == (2,)
    case = analysis([tracklet(1, 0, 100, a), tracklet(2, 40, 60, b, at=THERE, quality=0.02)])
    assert timeline(case).unknown == (2,)


def test_a_poor_face_that_was_followed_well_is_a_person():
    a, b = faces(2)
    steady = tracklet(2, 40, 90, b, at=THERE, quality=0.02)
    assert groups(timeline(analysis([tracklet(1, 0, 100, a), steady]))) == [(1,), (2,)]
    short = tracklet(2, 40, 80, b, at=THERE, quality=0.02)
    unsteady = dataclasses.replace(short, scores=np.full(40, 0.7, np.float32))
    assert timeline(analysis([tracklet(1, 0, 100, a), unsteady])).unknown == (2,)


def test_weak_evidence_joins_somebody_near_in_time_only():
    face = faces(1)[0]
    alike = 0.84 * face + 0.73 * faces(2, seed=9)[0]
    alike /= np.linalg.norm(alike)
    near = analysis([tracklet(1, 0, 50, face), tracklet(2, 60, 64, alike, shot=1, at=THERE)], cuts=(55,))
    assert groups(timeline(near, IdentitySettings(same_person=0.8, merge=0.8))) == [(1, 2)]
    far = analysis([tracklet(1, 0, 50, face), tracklet(2, 160, 164, alike, shot=1, at=THERE)], cuts=(55,))
    assert timeline(far, IdentitySettings(same_person=0.8, merge=0.8)).unknown == (2,)


def test_being_near_in_time_is_not_enough_for_weak_evidence():
    face = faces(1)[0]
    hardly_alike = 0.6 * face + 0.73 * faces(2, seed=9)[0]
    hardly_alike /= np.linalg.norm(hardly_alike)
    case = analysis([tracklet(1, 0, 50, face), tracklet(2, 60, 64, hardly_alike, shot=1, at=THERE)], cuts=(55,))
    assert timeline(case).unknown == (2,)


def test_a_moment_does_not_keep_two_apart_who_are_one():
    face = faces(1)[0]
    scores = np.zeros(50, np.float32)
    scores[[0, 1, -2, -1]] = 1.0
    astray = replace(tracklet(2, 60, 110, face, at=THERE), scores=scores)
    case = analysis([tracklet(1, 0, 50, face), astray, tracklet(3, 109, 160, face)])
    assert groups(timeline(case)) == [(1, 3)]
    assert timeline(case).unknown == (2,)


def test_a_moment_that_continues_a_track_is_its_person_whatever_the_others_look_like():
    face = faces(1)[0]
    turned = 0.5 * face + 0.87 * faces(2, seed=9)[0]
    turned /= np.linalg.norm(turned)
    others = [tracklet(k, 200 * k, 200 * k + 50, face, shot=k - 2, at=THERE) for k in range(3, 7)]
    case = analysis([tracklet(1, 0, 50, face), tracklet(2, 51, 57, turned), *others], cuts=(500, 700, 900, 1100))
    assert groups(timeline(case)) == [(1, 2, 3, 4, 5, 6)]
    elsewhere = [tracklet(1, 0, 50, face), tracklet(2, 51, 57, turned, at=(900, 400)), *others]
    assert timeline(analysis(elsewhere, cuts=(500, 700, 900, 1100))).unknown == (2,)


def test_second_track_on_a_face_is_nobody_even_with_another_face():
    a, b = faces(2)
    case = analysis([tracklet(1, 0, 100, a, moving=False), tracklet(2, 40, 60, b, moving=False)])
    assert groups(timeline(case)) == [(1,)]
    assert timeline(case).unknown == (2,)


def test_short_sightings_of_one_person_add_up():
    face = faces(1)[0]
    case = analysis([tracklet(k, 20 * k, 20 * k + 4, face, shot=k) for k in range(3)], cuts=(15, 35))
    assert groups(timeline(case)) == [(0, 1, 2)]


def test_segments_join_short_gaps_and_drop_short_clips():
    face = faces(1)[0]
    case = analysis(
        [
            tracklet(1, 0, 30, face),
            tracklet(2, 55, 80, face),  # absent for exactly 1.0 s
            tracklet(3, 106, 150, face),  # absent for 1.04 s
            tracklet(4, 180, 204, face),  # 0.96 s long
        ]
    )
    result = timeline(case)
    assert [(s.start, s.end, s.tracklets) for s in result.segments] == [(0, 80, (1, 2)), (106, 150, (3,))]
    assert groups(result) == [(1, 2, 3, 4)]
    longer = timeline(case, clip=ClipSettings(min_clip=2.0, merge_gap=0.0))
    assert longer.segments == ()
    assert len(longer.people) == 1
    exact = timeline(case, clip=ClipSettings(min_clip=1.0, merge_gap=0.0))
    assert [(s.start, s.end) for s in exact.segments] == [(0, 30), (55, 80), (106, 150)]


def test_segments_never_cross_a_cut():
    face = faces(1)[0]
    case = analysis([tracklet(1, 0, 50, face), tracklet(2, 50, 100, face, shot=1)], cuts=(50,))
    assert [(s.shot, s.start, s.end) for s in timeline(case).segments] == [(0, 0, 50), (1, 50, 100)]


def test_lengths_are_taken_from_the_time_stamps():
    # 20 frames of 100 ms are two seconds, whatever the nominal rate says.
    face = faces(1)[0]
    case = analysis([tracklet(1, 0, 20, face)], frames=30, pts=100 * np.arange(30))
    assert len(timeline(case, clip=ClipSettings(min_clip=2.0)).segments) == 1
    assert len(timeline(case, clip=ClipSettings(min_clip=2.01)).segments) == 0


def test_a_hole_in_the_recording_ends_a_clip_and_is_not_shown():
    a = faces(1)[0]
    pts = 40 * np.arange(120)
    pts[60:] += 3_000_000
    case = analysis([tracklet(0, 0, 120, a)], frames=120, pts=pts)
    assert [(s.start, s.end) for s in timeline(case).segments] == [(0, 60), (60, 120)]
    assert case.end_pts(60) == pts[59] + 10_000


def test_last_frame_of_the_video():
    face = faces(1)[0]
    case = analysis([tracklet(1, 5, 30, face)], frames=30)
    assert [(s.start, s.end) for s in timeline(case).segments] == [(5, 30)]


def test_portrait_is_still_and_can_be_left_out():
    a, b = faces(2)
    case = analysis([tracklet(1, 0, 200, a), tracklet(2, 0, 200, b, at=THERE, moving=False)])
    result = timeline(case)
    assert [p.still for p in result.people] == [False, True]
    assert len(result.segments) == 2
    skipped = timeline(case, IdentitySettings(skip_still=True))
    assert len(skipped.people) == 2
    assert [s.person for s in skipped.segments] == ["person_01"]


def test_who_ever_moved_is_not_still():
    face = faces(1)[0]
    case = analysis([tracklet(1, 0, 200, face, moving=False), tracklet(2, 210, 400, face)])
    assert [p.still for p in timeline(case).people] == [False]


def test_same_analysis_same_timeline_whatever_the_order():
    people = faces(3)
    tracklets = [tracklet(k, 100 * k, 100 * k + 90, people[k % 3], shot=k) for k in range(9)]
    case = analysis(tracklets, cuts=[100 * k - 5 for k in range(1, 9)])
    assert timeline(case) == timeline(replace(case, tracklets=tuple(reversed(tracklets))))


def test_a_linker_names_people_before_anything_is_made_of_them():
    class Gallery:
        def link(self, timeline, analysis):
            assert analysis is case
            names = {(9,): "Zoe", (1,): "Anna"}
            people = [identified(p, f"id-{names[p.tracklets]}", names[p.tracklets]) for p in timeline.people]
            return replace(timeline, people=tuple(people))

    a, b = faces(2)
    case = analysis([tracklet(1, 30, 90, a), tracklet(9, 0, 60, b, at=THERE)])
    result = IdTimelineGenerator(IdentitySettings(), ClipSettings(), Gallery()).generate(case)
    assert {(p.id, p.name, p.folder, p.tracklets) for p in result.people} == {
        ("id-Zoe", "Zoe", "Zoe", (9,)),
        ("id-Anna", "Anna", "Anna", (1,)),
    }
    assert [s.person for s in result.segments] == ["Zoe", "Anna"]


def test_while_speaking_turns_become_segments_and_people_stay_the_same():
    a, b = faces(2)
    said = np.isin(np.arange(200), [*range(20, 60), *range(70, 90), *range(120, 150)])
    talker = replace(tracklet(1, 0, 200, a), signals={"speech": np.where(said, 2, -2).astype(np.float32)})
    silent = replace(tracklet(2, 0, 200, b, at=THERE), signals={"speech": np.full(200, -2, np.float32)})
    case = analysis([talker, silent])
    speech = SpeechSettings(when="speaking", speech_lead=0.2, speech_tail=0.32, speech_gap=0.6)
    result = IdTimelineGenerator(IdentitySettings(), ClipSettings(), speech=speech).generate(case)
    assert groups(result) == groups(timeline(case)) == [(1,), (2,)]
    first, second = result.people
    assert [(s.start, s.end, s.tracklets) for s in first.segments] == [(15, 98, (1,)), (115, 158, (1,))]
    assert second.segments == ()
    # Nobody found out who speaks: no clips, not all clips.
    unknown = analysis([replace(talker, signals={}), replace(silent, signals={})])
    assert IdTimelineGenerator(IdentitySettings(), ClipSettings(), speech=speech).generate(unknown).segments == ()


def test_unknown_embedder():
    with pytest.raises(ModelError, match="no calibration"):
        timeline(analysis([tracklet(1, 0, 30, faces(1)[0])], embedder="other"))
