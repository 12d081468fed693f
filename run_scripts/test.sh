#!/usr/bin/env bash
# Creates an environment of its own and runs all checks: ruff, mypy, pytest.
#
#   ./run_scripts/test.sh [arguments of pytest]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source run_scripts/environment.sh
make_environment "$PWD/.venv-test" dev

"$PYTHON" -m ruff check .
"$PYTHON" -m ruff format --check .
# Types are those of NumPy 1, which newer versions of Python do not have.
if "$PYTHON" -c 'import mypy' 2>/dev/null; then
  "$PYTHON" -m mypy
fi
# Two processes, each with all tests of a file; tests that start processes come last.
"$PYTHON" -m pytest -n 2 --dist=loadfile --no-loadscope-reorder "$@"
