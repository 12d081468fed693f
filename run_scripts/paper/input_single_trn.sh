#!/usr/bin/env bash
# Table 4, "TRN-Input-Single": the run of single_la.sh on every frame of the clips of
# trn, averaged.
# Expected of linear probes (--linear_probes) of conv3, conv4, conv5:
# 25.52, 39.25, 44.27 % on Kinetics.
# Without --linear_probes: kNN.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
kinetics_drops=149998,324998
evaluate_row --model_dir="$runs/single_la" --clips_of=trn
