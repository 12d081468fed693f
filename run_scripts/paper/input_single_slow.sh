#!/usr/bin/env bash
# Table 4, "Slow-Input-Single": the run of single_la.sh on every frame of the clips of
# slow, averaged.
# Expected of linear read-outs (--read_outs): conv3, conv4, conv5
# 26.17, 39.24, 44.62 % on Kinetics.
# Without --read_outs: kNN.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
evaluate_row --model_dir="$runs/single_la" --clips_of=slow
