#!/usr/bin/env bash
# Table 4, "Slow-Input-Single": the run of single_la.sh on every frame of the clips of
# slow, averaged.
# Expected of linear probes (--linear_probes) of conv3, conv4, conv5:
# 26.17, 39.24, 44.62 % on Kinetics.
# Without --linear_probes: kNN.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
kinetics_drops=154998,344998
evaluate_row --model_dir="$runs/single_la" --clips_of=slow
