#!/usr/bin/env bash
# Sets up an environment of its own and runs all checks: ruff, mypy, pytest.
#
#   ./run_scripts/test.sh [arguments of pytest]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source run_scripts/environment.sh
make_environment "$PWD/.venv-test" dev

"$PYTHON" -m ruff check .
"$PYTHON" -m ruff format --check .
"$PYTHON" -m mypy
# Two tests at a time, those of a file one after the other; each has cores to wait for.
"$PYTHON" -m pytest -n 2 --dist=loadfile --no-loadscope-reorder "$@"
