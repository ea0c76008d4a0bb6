"""How long a batch will take, by simulated batches whose end is known."""

from __future__ import annotations

import pytest

from utils.console.batch_progress import BatchProgress


class Simulation:
    """A batch in which each video is analysed, then rendered while the next one is analysed."""

    def __init__(self, lengths: list[float], analyse_s: float, render_s: float, start_up_s: float = 0.0) -> None:
        """analyse_s, render_s: work per second of video. start_up_s: before the first word."""
        self.now = 0.0
        self.progress = BatchProgress(lambda: self.now)
        self.progress.begin(len(lengths))
        for number, length in enumerate(lengths):
            self.progress.expect(str(number), length)
        self.spans: list[tuple[float, float, str, str]] = []
        analysed = rendered = start_up_s
        for number, length in enumerate(lengths):
            begun, analysed = analysed, analysed + length * analyse_s
            self.spans.append((begun, analysed, str(number), "analyse"))
            begun = max(rendered, analysed)
            rendered = begun + length * render_s
            self.spans.append((begun, rendered, str(number), "render"))
        self.end = rendered

    def at(self, when: float) -> BatchProgress:
        for begun, ended, name, stage in sorted(self.spans):
            for step in range(21):
                moment = begun + (ended - begun) * step / 20
                if moment <= when:
                    self.now = moment
                    self.progress.stage(name, stage, step, 20)
                    if stage == "render" and step == 20:
                        self.progress.end(name)
        self.now = when
        return self.progress


@pytest.mark.parametrize("ratio", [0.4, 0.7, 1.2])
@pytest.mark.parametrize("lengths", [[60.0], [60.0] * 5, [20.0, 100.0, 40.0]])
@pytest.mark.parametrize("start_up_s", [0.0, 44.0])
def test_the_first_estimate_is_right_within_a_factor_of_two(lengths, ratio, start_up_s):
    first = Simulation(lengths, 1.0, ratio, start_up_s)
    when = start_up_s + 6.0
    eta_s = first.at(when).eta_s
    assert eta_s is not None
    assert 0.5 < eta_s / (first.end - when) < 2


def test_nothing_is_claimed_before_something_was_seen():
    simulation = Simulation([60.0], 1.0, 1.0, start_up_s=44.0)
    assert simulation.at(43.0).eta_s is None and simulation.progress.share == 0.0


def test_stored_analyses_cost_nothing():
    progress = Simulation([60.0], 0.0, 1.0)
    eta_s = progress.at(30.0).eta_s
    assert eta_s == pytest.approx(30.0)


def test_the_first_frame_of_a_stage_does_not_make_the_rest_look_like_nothing():
    """The bar stood at 100 % from the first rendered frame on."""
    simulation = Simulation([60.0], 1.0, 0.6)
    progress = simulation.at(60.0)
    simulation.now = 60.1
    progress.stage("0", "render", 1, 1000)
    assert progress.eta_s == pytest.approx(36.0, rel=0.1)
    assert progress.share < 0.7


def test_the_share_never_falls_and_ends_with_all():
    simulation = Simulation([10.0, 50.0, 20.0], 1.0, 0.5)
    shares = [simulation.at(simulation.end * step / 40).share for step in range(41)]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert simulation.progress.eta_s == 0.0


def test_videos_are_counted_from_one():
    progress = BatchProgress()
    progress.begin(3)
    assert progress.current == 1
    for number in range(3):
        progress.end(str(number))
    assert (progress.current, progress.ended) == (3, 3)


def test_several_videos_at_a_time_take_a_share_of_the_work():
    now = 0.0
    progress = BatchProgress(lambda: now)
    progress.begin(6, at_a_time=3)
    for number in range(6):
        progress.expect(str(number), 10.0)
    # Three processes have analysed a video each, at two seconds of work per second of video.
    for step in range(21):
        now = step
        for number in range(3):
            progress.stage(str(number), "analyse", step, 20)
    # Left are 3 analyses of 20 s and 6 renderings of 12 s, a third of them for each process.
    assert progress.eta_s == pytest.approx((3 * 20 + 6 * 12) / 3)
    # The analysis is loaded again when it is the video's turn: no more work was seen.
    now = 60.0
    progress.stage("0", "analyse", 1, 1)
    assert progress.eta_s == pytest.approx((3 * 20 + 6 * 12) / 3)
