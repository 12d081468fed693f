#!/usr/bin/env bash
# Trains every family on generated videos whose class is a motion, by IR, by LA and with
# labels, and compares them with untrained networks by kNN and linear probes.
# docs/motion_study.md shows a result.
#
#   ./run_scripts/motion_study.sh [--seed=SEED]
#
# Results go to motion_study/ (or to the folder that STUDY_DIR names).  Run it again
# and it continues.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source run_scripts/environment.sh
make_environment "$PWD/.venv"
study=${STUDY_DIR:-motion_study}

"$PYTHON" -m data_prep.synthesize --output_dir="$study/videos" --num_videos=600
"$PYTHON" -m data_prep.convert --videos="$study/videos" --output_dir="$study/data" \
  --shortest_side=96

study_of() {
  "$PYTHON" -m benchmarks.motion_study --data_dir="$study/data" --output_dir="$study" "$@"
}
# Networks of this size leave a core idle for half of the time, so two run at once.
study_of --families 3dresnet trn "$@" >"$study/3dresnet-trn.log" 2>&1 &
other=$!
study_of --families slowfast slow single "$@"
echo "Waiting for 3dresnet and trn: see $study/3dresnet-trn.log"
wait "$other"
study_of "$@"
