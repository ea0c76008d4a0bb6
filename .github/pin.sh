#!/bin/sh
# Writes constraints.txt anew: the newest release of everything that requirements*.txt and what they need allow, for
# Python 3.10 to 3.14 on Linux and macOS. `make update` calls it; PYTHON names the interpreter to work with.
#
# Nothing is installed but the resolver (uv), in an environment that is thrown away. UV_DEFAULT_INDEX, UV_INDEX and
# SSL_CERT_FILE say where packages come from if not from PyPI; arguments go to `uv pip compile`.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check uv
{
    echo "# The exact versions that are tested: make run and make test install these. Made by make update; do not edit."
    # Universal: where no version fits every Python or system, there is one line for each, with its condition.
    "$work/venv/bin/uv" pip compile --universal --python-version 3.10 --no-python-downloads --quiet \
        --no-header --no-annotate "$@" requirements-dev.txt
} >"$work/constraints.txt"
# Only now, so that a failure leaves the old ones as they were.
cp "$work/constraints.txt" constraints.txt
