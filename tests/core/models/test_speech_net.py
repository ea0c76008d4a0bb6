"""LR-ASD: where its weights come from; both backends compute the same; pieces are as good as the whole."""

from __future__ import annotations

import hashlib
import pickle
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from core.errors import ModelChecksumError, ModelUnavailableError
from core.models import speech_net
from core.models.networks.model_spec import WeightsFile
from core.models.speech_net import SPEECH_WEIGHTS, SpeechNet, chunks, load_speech_nets, locate_speech_weights


@pytest.fixture(scope="session")
def speech_nets(speech_weights: dict[str, Path], models_cache: Path) -> list[SpeechNet]:
    return load_speech_nets(speech_weights, models_cache)


@pytest.mark.clips
def test_named_files_are_distinguished_by_their_content(speech_weights: dict[str, Path]) -> None:
    names = [str(speech_weights["ava"]), str(speech_weights["talkset"])]
    assert locate_speech_weights(explicit=names) == speech_weights
    assert locate_speech_weights(explicit=names[:1]) == {"ava": speech_weights["ava"]}


@pytest.mark.clips
def test_an_altered_file_is_refused_before_it_is_loaded(speech_weights: dict[str, Path], tmp_path: Path) -> None:
    altered = tmp_path / "finetuning_TalkSet.model"
    altered.write_bytes(speech_weights["talkset"].read_bytes()[:-1] + b"x")
    with pytest.raises(ModelChecksumError, match=r"neither finetuning_TalkSet\.model or pretrain_AVA\.model"):
        locate_speech_weights(explicit=[str(altered)])
    with pytest.raises(ModelChecksumError):
        locate_speech_weights(folders=[tmp_path])


def test_missing_weights_are_reported_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match="--speech-weights"):
        locate_speech_weights(folders=[tmp_path])
    with pytest.raises(ModelUnavailableError, match="no weights file"):
        locate_speech_weights(explicit=[str(tmp_path / "none.model")])


class _Sender(BaseHTTPRequestHandler):
    content = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: object) -> None: ...


@pytest.mark.parametrize("honest", [True, False])
def test_downloads_are_kept_only_with_the_right_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, honest: bool
) -> None:
    wanted = b"some weights"
    monkeypatch.setattr(_Sender, "content", wanted if honest else b"some Weights")
    with HTTPServer(("127.0.0.1", 0), _Sender) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/w"
        entry = WeightsFile("w.model", len(wanted), hashlib.sha256(wanted).hexdigest(), url=address)
        monkeypatch.setattr(speech_net, "SPEECH_WEIGHTS", {"one": entry})
        try:
            if honest:
                assert locate_speech_weights(download_to=tmp_path)["one"].read_bytes() == wanted
            else:
                with pytest.raises(ModelChecksumError):
                    locate_speech_weights(download_to=tmp_path)
                assert list(tmp_path.iterdir()) == []
        finally:
            server.shutdown()


def test_no_network_is_not_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = WeightsFile("w.model", 3, "0" * 64, url="http://127.0.0.1:9/x")
    monkeypatch.setattr(speech_net, "SPEECH_WEIGHTS", {"one": entry, "two": entry})
    with pytest.raises(ModelUnavailableError, match=r"could not be downloaded.*--speech-weights"):
        locate_speech_weights(download_to=tmp_path)


def test_a_file_that_would_run_code_is_not_loaded(tmp_path: Path) -> None:
    from core.models.networks.torch_speech_net import build

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "ran",))

    evil = tmp_path / "evil.model"
    evil.write_bytes(pickle.dumps(Evil(), protocol=2))
    with pytest.raises(pickle.UnpicklingError):
        build("visual", evil)
    assert not (tmp_path / "ran").exists()


@pytest.mark.clips
def test_openvino_and_torch_compute_the_same(speech_nets: list[SpeechNet], speech_weights: dict[str, Path]) -> None:
    import torch

    from core.models.networks.torch_speech_net import build

    random = np.random.default_rng(0)
    mouths = random.integers(0, 256, (30, 112, 112)).astype(np.uint8)
    mfcc = random.normal(0, 4, (120, 13)).astype(np.float32)
    for net in speech_nets:
        parts = {part: build(part, speech_weights[net.key]) for part in ("visual", "audio", "back_end")}
        with torch.no_grad():
            visual, audio = parts["visual"](torch.tensor(mouths).float()), parts["audio"](torch.tensor(mfcc))
            scores = parts["back_end"](audio[None], visual[None]).numpy()
        assert np.allclose(net.visual(mouths), visual.numpy(), atol=1e-4)
        assert np.allclose(net.audio(mfcc), audio.numpy(), atol=1e-4)
        assert np.allclose(net.back_end(net.audio(mfcc)[None], net.visual(mouths)[None]), scores, atol=1e-3)


@pytest.mark.clips
def test_chunks_are_as_good_as_the_whole(speech_nets: list[SpeechNet]) -> None:
    random = np.random.default_rng(1)
    mouths = random.integers(0, 256, (150, 112, 112)).astype(np.uint8)
    net = speech_nets[0]
    pieces = [net.visual(mouths[fed])[kept] for fed, kept in chunks(len(mouths))]
    assert len(pieces) == 3 and np.allclose(np.concatenate(pieces), net.visual(mouths), atol=1e-5)


@pytest.mark.parametrize("frames", [1, 63, 64, 65, 128, 1000])
def test_chunks_give_every_row_once(frames: int) -> None:
    rows = np.arange(frames)
    assert np.array_equal(np.concatenate([rows[fed][kept] for fed, kept in chunks(frames)]), rows)


def test_the_registry_names_two_files() -> None:
    assert {entry.size for entry in SPEECH_WEIGHTS.values()} == {3_426_337}
    assert all("1b6dcd2" in entry.url for entry in SPEECH_WEIGHTS.values())
