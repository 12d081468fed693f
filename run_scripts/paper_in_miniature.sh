#!/usr/bin/env bash
# Tries every claim of the paper on a world of people that it generates: tables 1 to 4
# and figure 2, with one setting for all rows.  docs/paper_in_miniature.md shows a result.
#
#   ./run_scripts/paper_in_miniature.sh [--quick|--full] [STUDY]
#
# About two hours on two quiet cores; --quick takes 20 minutes, and --full is for a
# machine with a GPU.  Results go to the folder STUDY, paper_in_miniature by default.
# Run it again and it continues.  Further flags: --help.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/python.sh" # sets repository and PYTHON
export PYTHONPATH=$repository${PYTHONPATH:+:$PYTHONPATH}
exec "$PYTHON" -m benchmarks.paper_in_miniature "$@"
