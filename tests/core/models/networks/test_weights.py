"""Where weights are searched, which files are accepted, and how downloads fail."""

from __future__ import annotations

import hashlib
import http.server
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import ModelChecksumError, ModelUnavailableError
from core.models.networks import weights
from core.models.networks.model_spec import MODELS, ModelSpec, WeightsFile
from core.models.networks.weights import download, locate, verified

CONTENT = b"these are the weights " * 1000


def entry_for(content: bytes = CONTENT, url: str = "", name: str = "net.pt") -> WeightsFile:
    return WeightsFile(name, len(content), hashlib.sha256(content).hexdigest(), url=url)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Callable[[WeightsFile], str]:
    """Put an entry into the registry; its key."""

    def register(entry: WeightsFile) -> str:
        monkeypatch.setitem(MODELS, "net", ModelSpec(entry))
        return "net"

    return register


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by path: the content, a part of it, something else, drops by drops, or not at all."""

    silence = threading.Event()

    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
        elif self.path == "/silent":
            self.silence.wait(20)
        elif self.path == "/garbage":
            self.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        elif self.path == "/broken-chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"zz\r\nnot a chunk\r\n")
        elif self.path == "/drops":
            self.send_response(200)
            self.end_headers()
            for byte in CONTENT[:40]:
                if self.silence.wait(0.05):
                    return
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
        else:
            body = {"/good": CONTENT, "/short": CONTENT[:-1], "/page": b"<html>log in first</html>" * 99}.get(
                self.path, CONTENT[:-1] + b"!"
            )
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body * 500 if self.path == "/endless" else body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves early is what is tested here."""


@pytest.fixture
def server() -> Iterator[str]:
    """Address of a server on this machine."""
    Handler.silence = threading.Event()
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        Handler.silence.set()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("key", ["pnet", "rnet", "onet", "dlib", "mmod"])
def test_the_weights_of_installed_packages_are_what_the_registry_says(key: str) -> None:
    path = locate(key)
    assert path.name == MODELS[key].weights.name
    assert path.stat().st_size == MODELS[key].weights.size


def test_facenet_is_the_only_one_that_needs_a_download() -> None:
    assert [key for key, spec in MODELS.items() if spec.weights.url] == ["facenet"]
    assert all(bool(spec.weights.url) != bool(spec.weights.package) for spec in MODELS.values())


def test_folders_are_searched_in_order(tmp_path: Path, registered: Callable[[WeightsFile], str]) -> None:
    folders = [tmp_path / name for name in ("none", "first", "second")]
    for folder in folders[1:]:
        folder.mkdir()
        (folder / "net.pt").write_bytes(CONTENT)
    assert locate(registered(entry_for()), folders=folders) == folders[1] / "net.pt"


def test_a_path_given_is_taken_or_nothing(tmp_path: Path, registered: Callable[[WeightsFile], str]) -> None:
    (tmp_path / "net.pt").write_bytes(CONTENT)
    (tmp_path / "mine.bin").write_bytes(CONTENT)
    key = registered(entry_for())
    assert locate(key, explicit=str(tmp_path / "mine.bin"), folders=[tmp_path]) == tmp_path / "mine.bin"
    with pytest.raises(ModelUnavailableError, match=r"other\.bin"):
        locate(key, explicit=str(tmp_path / "other.bin"), folders=[tmp_path])
    with pytest.raises(ModelUnavailableError):
        locate(key, explicit=str(tmp_path), folders=[tmp_path])


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"!", CONTENT[:-1] + b"!", b""])
def test_another_content_is_refused(content: bytes, tmp_path: Path, registered: Callable[[WeightsFile], str]) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(content)
    key = registered(entry_for())
    for arguments in ({"explicit": str(path)}, {"folders": [tmp_path]}):
        with pytest.raises(ModelChecksumError) as refused:
            locate(key, **arguments)
        assert refused.value.path == path and refused.value.hint


def test_a_file_that_changes_is_checked_again(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(CONTENT)
    assert verified(path, entry_for()) == path
    path.write_bytes(CONTENT[:-1] + b"!")
    os.utime(path, ns=(1, 1))
    with pytest.raises(ModelChecksumError):
        verified(path, entry_for())


def test_without_a_download_the_error_says_what_to_do(registered: Callable[[WeightsFile], str]) -> None:
    with pytest.raises(ModelUnavailableError, match=r"net\.pt.*not on this machine") as missing:
        locate(registered(entry_for(url="http://127.0.0.1:9/x")))
    assert missing.value.stage == "models" and "download" in missing.value.hint


def test_a_package_that_is_not_installed_is_named(registered: Callable[[WeightsFile], str]) -> None:
    key = registered(WeightsFile("net.pt", 1, "0", package="no_such_package_here"))
    with pytest.raises(ModelUnavailableError, match="no_such_package_here"):
        locate(key)


def test_a_download_arrives_and_is_found_the_next_time(
    server: str, tmp_path: Path, registered: Callable[[WeightsFile], str]
) -> None:
    folder = tmp_path / "cache" / "weights"
    key = registered(entry_for(url=f"{server}/good"))
    path = locate(key, folders=[folder], download_to=folder)
    assert path == folder / "net.pt" and path.read_bytes() == CONTENT
    assert list(folder.iterdir()) == [path]
    registered(entry_for(url="http://127.0.0.1:9/gone"))
    assert locate(key, folders=[folder], download_to=folder) == path


@pytest.mark.parametrize("answer", ["short", "changed", "page", "endless"])
def test_what_is_not_the_file_is_refused_and_leaves_nothing(server: str, tmp_path: Path, answer: str) -> None:
    with pytest.raises(ModelChecksumError):
        download(entry_for(url=f"{server}/{answer}"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_download_is_called_by_its_name(server: str, tmp_path: Path) -> None:
    with pytest.raises(ModelChecksumError) as refused:
        download(entry_for(url=f"{server}/page"), tmp_path)
    assert ".partial" not in str(refused.value)


def test_an_error_answer_means_not_available(server: str, tmp_path: Path) -> None:
    # The error is not kept: it holds the connection.
    with pytest.raises(ModelUnavailableError, match="Not Found"):
        download(entry_for(url=f"{server}/missing"), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("answer", ["garbage", "broken-chunks"])
def test_an_answer_that_is_not_http_means_not_available(server: str, tmp_path: Path, answer: str) -> None:
    with pytest.raises(ModelUnavailableError):
        download(entry_for(url=f"{server}/{answer}"), tmp_path)


def test_nobody_listening_fails_within_seconds(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: the connection is refused
        began = time.monotonic()
        with pytest.raises(ModelUnavailableError) as refused:
            download(entry_for(url=f"http://127.0.0.1:{taken.getsockname()[1]}/good"), tmp_path)
    assert time.monotonic() - began < 5
    assert str(tmp_path) in refused.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_never_answers_is_given_up(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert weights.DOWNLOAD_TIMEOUT_S <= 10
    monkeypatch.setattr(weights, "DOWNLOAD_TIMEOUT_S", 0.3)
    began = time.monotonic()
    with pytest.raises(ModelUnavailableError, match="timed out"):
        download(entry_for(url=f"{server}/silent"), tmp_path)
    assert time.monotonic() - began < 3
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_trickles_is_given_up(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "DOWNLOAD_TIMEOUT_S", 0.2)
    with pytest.raises(ModelUnavailableError, match="too slow"):
        download(entry_for(url=f"{server}/drops"), tmp_path)


def test_a_folder_that_cannot_be_made_means_not_available(server: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelUnavailableError):
        download(entry_for(url=f"{server}/good"), tmp_path / "file" / "weights")


def test_caches_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TORCH_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert weights.default_cache_dir() == tmp_path / "face-clips"
    assert weights.torch_cache_dir() == tmp_path / "torch" / "checkpoints"
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "t"))
    assert weights.torch_cache_dir() == tmp_path / "t" / "checkpoints"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert weights.default_cache_dir() == tmp_path / "home" / ".cache" / "face-clips"
