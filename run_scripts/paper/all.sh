#!/usr/bin/env bash
# Makes all rows of the paper's tables: pre-training, linear probes, fine-tuning.
#
#   all.sh --dry_run     prints the plan, numbered, and what each step goes on from
#   all.sh --smoke       takes two steps of everything with tiny networks on videos that
#                        it generates, in RUN_ROOT/smoke
#   all.sh               makes everything, one step after the other
#   --tables=1,4         only these tables, and the rows that they start from
#
# The same command goes on after the last step that has ended, by the list in
# RUN_ROOT/all_done.txt or RUN_ROOT/smoke/all_done.txt.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../python.sh" # sets repository and PYTHON
export PYTHON
export PYTHONPATH=$repository${PYTHONPATH:+:$PYTHONPATH}
exec "$PYTHON" "$repository/run_scripts/paper/plan.py" "$@"
