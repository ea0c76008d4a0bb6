"""Chooses the build of PyTorch: prints the arguments that `make run` adds to its call of pip.

    python .github/choose_torch.py auto|cpu|cuda [constraints.txt]

PyPI's builds for Linux bring NVIDIA's libraries, three quarters of all that is downloaded. The CPU build is called
"2.14.1+cpu" and lies on PyTorch's own index, and on some mirrors. torch and torchvision have to be of one kind:
PyPI's torchvision beside a CPU build of torch fails at import, and so does PyPI's torch without NVIDIA's libraries.
Runs with the Python of the virtual environment, before anything is installed there.
"""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PAIR = ("torch", "torchvision")

CUDA_SIZE = "about 3.5 GB to download, 6.5 GB on disk"
CPU_SIZE = "about 0.8 GB to download, 2 GB on disk"
"""of all packages together; measured on Linux x86-64 in November 2026"""

_CONNECT_S = 5
_ANSWER_S = 30
"""limits for an index that cannot be reached or hangs: installing must go on without it"""

_OTHER = "; TORCH=cuda make run: for an NVIDIA GPU"

Offers = Callable[[str, str], bool]
"""(requirement, index or "" for the configured ones) -> whether pip finds it there"""


class NotOfferedError(Exception):
    """The build that was asked for cannot be had; the message says what to do."""


def choose(
    wanted: str, platform: str, pins: Mapping[str, str], *, has_driver: bool, offers: Offers
) -> tuple[list[str], str]:
    """Arguments for pip, and a line for the user.

    wanted: auto, cpu or cuda. platform: as `sys.platform`. pins: versions of `PAIR`; without them pip chooses.
    has_driver: whether NVIDIA's driver is there.

    Raises:
        NotOfferedError: cpu was asked for, and no index that can be reached has it.
    """
    if platform != "linux":
        return [], "Installing all packages."  # the builds for other systems bring no NVIDIA libraries
    if wanted == "cuda" or (wanted == "auto" and has_driver):
        # A mirror may offer CPU builds as well, which pip would take for the newer ones.
        arguments = [f"{name}!={version}+cpu" for name, version in pins.items()]
        hint = "" if has_driver else "; TORCH=cpu make run: without NVIDIA's libraries"
        return arguments, f"Installing PyTorch for NVIDIA GPUs and all other packages: {CUDA_SIZE}{hint}."
    for index in ("", CPU_INDEX):
        if all(offers(f"{name}=={pins.get(name, '')}+cpu", index) for name in PAIR):
            arguments = ["--extra-index-url", index] if index else []
            arguments += [f"{name}=={version}+cpu" for name, version in pins.items()]
            return arguments, f"Installing PyTorch for the CPU and all other packages: {CPU_SIZE}{_OTHER}."
    missing = f"No CPU build of PyTorch {pins.get('torch', '')}".rstrip() + f" in your package index or at {CPU_INDEX}"
    if wanted == "cpu":
        raise NotOfferedError(
            f"{missing}. PIP_EXTRA_INDEX_URL=URL names another index, TORCH=cuda takes the other one."
        )
    return [], f"{missing}: installing the one for NVIDIA GPUs, which works without one, too: {CUDA_SIZE}."


def pinned_versions(constraints: str) -> dict[str, str]:
    """Versions of `PAIR` in the text of a constraints file."""
    found = re.findall(rf"^({'|'.join(PAIR)})==([\w.!]+)", constraints, re.MULTILINE)
    return dict(found)


def has_nvidia_driver() -> bool:
    """Whether NVIDIA's driver can be loaded, as PyTorch will."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


def offered_by_pip(requirement: str, index: str) -> bool:
    """Whether pip finds `requirement`, NAME==VERSION+cpu, for this Python; an empty VERSION stands for any.

    False as well if the index cannot be reached: it is only asked whether there is something smaller.
    """
    name, _, version = requirement.partition("==")
    command = [sys.executable, "-m", "pip", "index", "versions", name, "--disable-pip-version-check"]
    command += ["--timeout", str(_CONNECT_S), "--retries", "0", *(["--index-url", index] if index else [])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_ANSWER_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    listed = re.search(r"^Available versions: (.*)$", done.stdout, re.MULTILINE)
    versions = listed[1].split(", ") if done.returncode == 0 and listed else []
    return any(found == version or (version == "+cpu" and found.endswith("+cpu")) for found in versions)


def main(wanted: str, constraints: str = "") -> int:
    if wanted not in ("auto", "cpu", "cuda"):
        print(f"TORCH={wanted}: auto, cpu or cuda", file=sys.stderr)
        return 1
    pins = pinned_versions(Path(constraints).read_text(encoding="utf-8")) if constraints else {}
    try:
        arguments, line = choose(wanted, sys.platform, pins, has_driver=has_nvidia_driver(), offers=offered_by_pip)
    except NotOfferedError as error:
        print(error, file=sys.stderr)
        return 1
    print(line, file=sys.stderr)
    print(*arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
