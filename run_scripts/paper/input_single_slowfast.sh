#!/usr/bin/env bash
# Table 4, "Sf-Input-Single": the run of single_la.sh on every frame of the clips of
# slowfast, averaged.
# Expected of linear probes (--linear_probes) of conv3, conv4, conv5:
# 25.72, 39.38, 44.29 % on Kinetics.
# Without --linear_probes: kNN.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
kinetics_drops=94998,209999
evaluate_row --model_dir="$runs/single_la" --clips_of=slowfast
