#!/usr/bin/env bash
# Table 1, "VIE-TwoStream-S": the runs of single_la.sh and slow_la.sh side by side.
# Expected of linear read-outs, which evaluate.py does not have yet: conv3, conv4, conv5
# 26.38, 41.80, 47.13 % on Kinetics, 23.98, 40.52, 44.02 % on ImageNet.
# What evaluate.py does so far is kNN and retrieval.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
evaluate_row --single_from="$runs/single_la" --dynamic_from="$runs/slow_la" \
  --model_dir="$runs/two_stream_s"
