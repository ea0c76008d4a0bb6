from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.robustness.media import batches
from benchmarks.robustness.media.batches import Program, Run, run_cases
from benchmarks.robustness.media.case import Expected, MediaCase, MediaOutcome
from benchmarks.robustness.media.clip_signs import Signs, read_signs
from benchmarks.robustness.media.film import Film, plain_video, tone_hz
from benchmarks.robustness.media.report import has_failed, rows, store, table
from benchmarks.robustness.media.verdict import Result, audio_faults, frame_faults, judge
from tests.material.fault_material import run_ffmpeg

FILM = Film(frames=40)
TONES = (tone_hz(0), tone_hz(1))
EXPECTED = Expected(frames=40, tones=TONES)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    return plain_video(folder, folder / "clip.mp4", FILM)


def changed(clip: Path, target: Path, *options: str) -> Signs:
    run_ffmpeg(target, "-i", str(clip), *options)
    return read_signs(target)


def test_a_right_clip_has_no_faults(clip: Path) -> None:
    signs = [read_signs(clip)]
    assert [*frame_faults(signs, EXPECTED), *audio_faults(signs, EXPECTED)] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-vf", "scale=240:240,setsar=1"), "squeezed"),
        (("-vf", "select=lt(n\\,20)"), "20 of 40 frames in clips"),
        (("-vf", "select=not(eq(mod(n\\,3)\\,0)),setpts=N/25/TB"), "left out"),
        (("-vf", "fps=50"), "shown again"),
        (("-vf", "reverse"), "back in time"),
        (("-vf", "drawbox=enable=gt(n\\,25):t=fill"), "broken"),
        (("-af", "volume=0"), "digital silence"),
        (("-af", "pan=stereo|c0=c0|c1=c0"), "570 Hz"),
        (("-an",), "no audio track"),
        (("-af", "adelay=200:all=1"), "not with their frames, by 0.20 s"),
        (("-af", "volume=0.1"), "too quiet"),
    ],
)
def test_what_is_wrong_is_seen(clip: Path, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    signs = [changed(clip, tmp_path / "wrong.mp4", *options)]
    found = [*frame_faults(signs, EXPECTED), *audio_faults(signs, EXPECTED)]
    assert said in "; ".join(found)


def test_late_audio_is_measured_where_it_is(clip: Path, tmp_path: Path) -> None:
    signs = changed(clip, tmp_path / "late.mp4", "-af", "volume=enable=lt(t\\,1.2):volume=0")
    late = Expected(frames=40, tones=TONES, audio_from=1.2)
    assert list(audio_faults([signs], late)) == []
    assert signs.level_db(TONES[0]) < -10 < signs.level_db(TONES[0], 1.2)


def test_audio_before_late_audio_is_seen(clip: Path) -> None:
    late = Expected(frames=40, tones=TONES, audio_from=1.0)
    assert any("1.00 s is where it begins" in fault for fault in audio_faults([read_signs(clip)], late))


def case(path: Path, *, may_be_refused: bool = False, is_plain: bool = False) -> MediaCase:
    expected = Expected(frames=40, tones=TONES, may_be_refused=may_be_refused, is_plain=is_plain)
    return MediaCase("kind", path.name, path, expected, write=lambda path: path)


def result(folder: Path, clip: Path, warnings: Sequence[str], clips: int = 1) -> Result:
    folder.mkdir()
    for number in range(clips):
        (folder / f"clip{number}.mp4").write_bytes(clip.read_bytes())
    names = [{"file": f"clip{number}.mp4"} for number in range(clips)]
    (folder / "manifest.json").write_text(json.dumps({"warnings": list(warnings), "clips": names}))
    return Result("done", "", folder)


@pytest.mark.parametrize(
    ("found", "log", "may_be_refused", "faults"),
    [
        (Result("failed", "is no video"), "", False, ["lost"]),
        (Result("failed", "is no video"), "", True, []),
        (Result("failed", ""), "", True, ["silent"]),
        (Result(), "1 video", True, ["silent"]),
        (Result(), "1 file left out: odd.ivf", True, []),
        (Result(), "1 file left out: odd.ivf", False, ["lost"]),
        (Result("done", ""), "", False, ["lost"]),
    ],
)
def test_inputs_without_results(found: Result, log: str, may_be_refused: bool, faults: list[str]) -> None:
    judged = judge(case(Path("odd.ivf"), may_be_refused=may_be_refused), found, log)
    assert [finding.fault for finding in judged] == faults


def test_a_warning_about_the_audio_is_none_about_the_frames(clip: Path, tmp_path: Path) -> None:
    silent = tmp_path / "silent.mp4"
    changed(clip, silent, "-af", "volume=0", "-vf", "scale=240:240,setsar=1")
    one, both, remark = (
        [finding.text for finding in judge(case(silent), result(tmp_path / str(i), silent, warnings), "")]
        for i, warnings in enumerate(
            (["its audio is silent"], ["its audio is silent", "the size changes"], ["clips enlarged by"])
        )
    )
    assert len(one) == 1 and "squeezed" in one[0]
    assert both == []
    assert len(remark) == 2


def test_no_clip_is_a_loss_and_a_needless_warning_an_alarm(clip: Path, tmp_path: Path) -> None:
    none = result(tmp_path / "none", clip, ["no faces were found"], clips=0)
    assert [finding.fault for finding in judge(case(clip), none, "")] == ["lost"]
    plain = result(tmp_path / "plain", clip, ["damaged parts of the clips' audio: 1"])
    assert [finding.fault for finding in judge(case(clip, is_plain=True), plain, "")] == ["false alarm"]


def test_a_batch_that_dies_is_done_again_one_by_one(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / name for name in ("good.mp4", "bad.mp4", "slow.mp4")]
    for path in paths:
        path.write_bytes(clip.read_bytes())
    asked = []

    def run(self: Program, inputs: Sequence[Path], output: Path, *options: str) -> Run:
        asked.append([path.name for path in inputs])
        if len(inputs) > 1 or inputs[0].name == "bad.mp4":
            return Run(134, "free(): double free\n", 1.0)
        if inputs[0].name == "slow.mp4":
            return Run(None, "", 75.0)
        output.mkdir()
        done = result(output / "good", clip, []).folder
        assert done is not None
        manifest = json.loads((done / "manifest.json").read_bytes())
        video = {"name": inputs[0].name, "size_bytes": inputs[0].stat().st_size}
        (done / "manifest.json").write_text(json.dumps({**manifest, "input": video}))
        summary = {"inputs": [{"input": str(inputs[0]), "status": "done", "reason": ""}]}
        (output / "summary.json").write_text(json.dumps(summary))
        return Run(0, "", 2.0)

    monkeypatch.setattr(Program, "run", run)
    outcomes = list(run_cases([case(path) for path in paths], tmp_path / "out", Program(tmp_path, tmp_path)))
    assert asked == [["good.mp4", "bad.mp4", "slow.mp4"], ["good.mp4"], ["bad.mp4"], ["slow.mp4"]]
    assert [[finding.fault for finding in outcome.findings] for outcome in outcomes] == [[], ["abort"], ["hang"]]
    assert "double free" in outcomes[1].findings[0].text


def test_a_signal_and_a_hang_are_distinguished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "main.py"
    number = tmp_path / "number"
    text = "import os, sys, time\nif sys.argv[1] == 'die': os.abort()\n"
    script.write_text(text + f"open({str(number)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)\n")
    monkeypatch.setattr(batches, "PROJECT", tmp_path)
    program = Program(tmp_path, tmp_path)
    assert program.command("die").exit_code == 134
    assert program.command("sleep", limit_s=1.0).exit_code is None
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)


def test_the_table_counts_cases_by_their_faults(tmp_path: Path) -> None:
    found = [MediaOutcome("a", "1"), MediaOutcome("a", "2", (Run(134, "", 1).finding,)), MediaOutcome("b", "3")]
    counts = rows(found)
    assert (counts["a"]["cases"], counts["a"]["right"], counts["a"]["abort"]) == (2, 1, 1)
    assert table(counts)[2].startswith("| a | 2 | 1 | 1 | 0 |")
    assert table(counts)[4].startswith("| all | 3 | 2 | 1 | 0 |")
    assert [has_failed(outcome) for outcome in found] == [False, True, False]
    for label in ("before", "after"):
        store(label, found, tmp_path / "figures.json")
    store("after", found[:1], tmp_path / "figures.json")  # one kind is done again
    stored = json.loads((tmp_path / "figures.json").read_text())
    assert list(stored["before"]["findings"]) == ["a: 2"]
    assert stored["after"]["findings"] == {}
    assert [stored["after"]["kinds"][kind]["cases"] for kind in "ab"] == [1, 1]
